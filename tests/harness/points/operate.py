"""The operator's verbs, what looks at a configuration, and `up`."""
import os
import re
import shutil
import subprocess

from engine import exits
from reader import Reader
from scenario import SERIES, Scenario, routed, sent, study
from world import TOOLS, at_rest, journal, jobs, known, names, wait_until


class Verb(Scenario):
    """Of a job that waits for a target that is held, and not to be sent before an hour"""
    kind, argv = 'command', ('-c', '{w.conf}', 'archive')

    def make(self, w):
        routed(w)
        queue = w.spool + '/outgoing/archive'
        job = jobs(w, 'outgoing/archive')[0]
        for name in ('paused.json', job + '/retry.json'):
            with open(f'{queue}/{name}', 'w') as f:
                f.write('{"since": "20261122T140301.123456Z", "until": "29261122T140301.123456Z", '
                        '"reason": "it is down", "tries": 3}')
        for name in self.held:
            with open(f'{w.spool}/outgoing/{name}', 'w') as f:
                f.write('since 20261122T140301.123456Z by alice: new switch\n')

    held = ()

    def release(self, w):
        for name in ('archive/held', 'archive/paused.json', 'held'):
            if os.path.exists(f'{w.spool}/outgoing/{name}'):
                os.unlink(f'{w.spool}/outgoing/{name}')
        for job in jobs(w, 'outgoing/archive'):
            path = f'{w.spool}/outgoing/archive/{job}/retry.json'
            if os.path.exists(path):
                os.unlink(path)

    def command(self, w, strace, fault):
        super().command(w, strace, fault)
        self.release(w)


class Hold(Verb):
    def done(self, w):
        return os.path.exists(w.spool + '/outgoing/archive/held')


class Release(Verb):
    held = ('archive/held',)

    def done(self, w):
        return not os.path.exists(w.spool + '/outgoing/archive/held')


class Retry(Verb):
    def done(self, w):
        job = jobs(w, 'outgoing/archive')[0]
        paused = open(w.spool + '/outgoing/archive/paused.json').read()
        return not os.path.exists(f'{w.spool}/outgoing/archive/{job}/retry.json') and '29261122' not in paused


class Cancel(Verb):
    discards = True
    argv = ('-c', '{w.conf}', '{job}')

    def arguments(self, w):
        where = [j for d in ('outgoing/archive', 'discard') for j in jobs(w, d)]
        return [w.program(self.program), '-c', w.conf, where[0].replace('.archive', '')]

    def done(self, w):
        return len(jobs(w, 'discard')) == 1 and not jobs(w, 'outgoing/archive')


SCRIPT = 'clone vfork wait4 execve'.split()
SHELL = {2, 100, 127}  # it cannot fork; what it cannot look up counts as missing; a program cannot be loaded


class Layout(Scenario):
    steps, follow, may_exit = SCRIPT, ('-f',), SHELL
    kind, argv, rest = 'command', ('-c', '{w.conf}'), ()
    targets = ()

    def make(self, w):
        shutil.rmtree(w.spool)

    def known(self, w):
        return {}

    def done(self, w):
        return subprocess.run([w.program('dcmspool-layout'), '-n', w.spool], stdout=w.log).returncode == 0


class Up(Scenario):
    """It starts, takes three images, and stops; what is killed on the way is started again"""
    kind, rest, steps, may_exit = 'up', (), SCRIPT, SHELL
    conf = Scenario.conf + '\ndispatcher { instances = 1 }\n'

    def make(self, w):
        study(w)

    def known(self, w):
        return {}

    def started(self, w, strace=None):
        before = w.said().count(': info: listening on')  # the port alone says little: it is tried before
        up = w.start([w.program('dcmspool-up'), '--root', '-c', w.conf], strace)
        wait_until(lambda: w.said().count(': info: listening on') > before or up.poll() is not None)
        return up

    def up(self, w, strace, fault):
        try:
            self.start_stop_start(w, strace, fault)
        finally:
            self.end_left(w)

    def end_left(self, w):
        """What a killed `up` has left running, in a session of its own, as the next one says to"""
        service = w.spool + '/.service'
        subprocess.run(['s6-svscanctl', '-t', service], stderr=subprocess.DEVNULL)
        wait_until(lambda: subprocess.run(['s6-svscanctl', '-a', service], stderr=subprocess.DEVNULL).returncode != 0)

    def start_stop_start(self, w, strace, fault):
        victim = self.started(w, strace)
        if victim.poll() is not None:
            exits(w, victim.poll(), fault, ())
        else:
            status = w.stop(victim)
            allowed = {0, 111} | (set() if fault == 'none' else self.may_exit)  # a shell that cannot fork at its end
            if status not in allowed and not (status == -9 and fault == 'kill'):
                w.wrong.append(('stuck', f'exits {status} at SIGTERM'))
        if fault == 'kill':
            self.end_left(w)
        up = self.started(w)
        if up.poll() is not None:
            w.wrong.append(('stuck', f'exits {up.poll()} when it is started again'))
            return
        files = [f'{w.path}/study/SE0001/{n}' for n in names(w.path, 'study/SE0001')]
        if w.start([TOOLS + '/rawsend', '127.0.0.1', str(w.port), '-c', 'DCMSPOOL', *files]).wait(60) != 0:
            w.wrong.append(('stuck', 'it takes no images when it is started again'))
        else:
            w.acked = known(w.path + '/study')
        if not wait_until(lambda: at_rest(w)):
            w.wrong.append(('stuck', 'does not come to rest'))
        status = w.stop(up)
        if status != 0:
            w.wrong.append(('stuck', f'exits {status} at SIGTERM, without a fault'))


def look(program, what, argv, make=None, **more):
    class One(Reader):
        rest, keeps_nothing = (), True

        def make(self, w):
            if make:
                make(w)
    return One(f'{program}, {what}', program, argv=argv, **more)


class Status(Reader):
    """Nothing runs: it is down. How full the disk is and how long ago something was are no business of a fault."""
    healthy = (2,)

    def make(self, w):
        routed(w)

    def said(self, w):
        return re.sub(r'\b\d+ (s|min)\b|(?m:^disk.*\n( .*\n)*)', '', super().said(w))


def mercure(w):
    with open(w.path + '/mercure.json', 'w') as f:
        f.write('{"targets": {"pacs": {"target_type": "dicom", "ip": "127.0.0.1", "port": "104", "aet_target": "PACS"}},'
                ' "rules": {"all": {"rule": "True", "target": "pacs", "action": "route"}}}')


class Tell(Scenario):
    """Of a job that has come to rest, and of files in error/, of which the journal may not know"""
    kind, rest, has_errors = 'command', (), True

    def make(self, w):
        sent(w)
        odd = w.spool + '/error/odd'
        os.mkdir(odd)
        for name in 'notes.txt', 'more.txt', 'reason.txt':
            with open(f'{odd}/{name}', 'w') as f:
                f.write('notes.txt: is no DICOM\n')
        for job in names(w.spool, 'success'):
            os.unlink(f'{w.spool}/success/{job}/.told')

    def done(self, w):
        told = [e for e in journal(w) if e['event'] == 'quarantined']
        return {e['file'] for e in told} == {'notes.txt', 'more.txt'} and \
            all(os.path.exists(f'{w.spool}/{d}/{job}/.told') for d in ('success', 'error') for job in names(w.spool, d))


class Doctor(Scenario):
    """Which tries what every step relies on, and asks other programs; what a kill leaves is cleared by the next one"""
    kind, argv, healthy, rest = 'command', ('-o', '-c', '{w.conf}'), (0, 1), ()

    def make(self, w):
        sent(w)

    def done(self, w):
        return not os.path.exists(w.spool + '/incoming/.doctor')


SCENARIOS = [
    Doctor('dcmspool-doctor'),
    Tell('dcmspool-fsck, repair', 'dcmspool-fsck', argv=('-r', '-c', '{w.conf}')), Tell('dcmspool-reconcile'),
    Hold('dcmspool-hold'), Release('dcmspool-release'), Retry('dcmspool-retry'), Cancel('dcmspool-cancel'),
    Layout('dcmspool-layout'), Up('dcmspool-up'),
    look('dcmspool-conf', 'a key', ('-c', '{w.conf}', 'spool')),
    look('dcmspool-conf', 'check', ('-n', '-c', '{w.conf}')),
    look('dcmspool-conf', 'all of it', ('-c', '{w.conf}')),
    look('dcmspool-find', 'all series', ('-c', '{w.conf}', 'state=outgoing'), routed, keeps_nothing=False,
         rest=Scenario.rest),
    look('dcmspool-log', 'a series', ('-c', '{w.conf}', SERIES), sent, keeps_nothing=False, rest=Scenario.rest),
    look('dcmspool-report', 'what was sent', ('-c', '{w.conf}'), sent, keeps_nothing=False, rest=Scenario.rest),
    look('dcmspool-show', 'a series that waits', ('-c', '{w.conf}', SERIES), routed, keeps_nothing=False,
         rest=Scenario.rest),
    look('dcmspool-show', 'a series that was sent', ('-c', '{w.conf}', '-j', SERIES), sent, keeps_nothing=False,
         rest=Scenario.rest),
    Status('dcmspool-status, a queue', 'dcmspool-status'),
    look('dcmspool-fsck', 'a queue', ('-c', '{w.conf}'), routed, keeps_nothing=False, rest=Scenario.rest),
    look('dcmspool-reconcile', 'what was sent', ('-c', '{w.conf}'), sent, keeps_nothing=False, rest=Scenario.rest),
    look('dcmspool-echo', 'all targets', ('-c', '{w.conf}', 'all'),
         lambda w: os.mkdir(w.path + '/archive')),
    look('dcmspool-import-mercure', 'a configuration', ('{w.path}/mercure.json',), mercure),
]
