"""soak.py FOLDER SECONDS [SEED]: everything at once, and all processes under `up` killed and stopped at random.

Senders deliver series, and again what was not acknowledged; somebody drops, resends and holds by hand; targets answer
well, late, twice, wrongly, and never.
At the end what was stopped goes on, the target that never answers is looked at, then replaced by one that does.
"""
import os
import shutil
import signal
import sys
import threading
import time

import oracle
import peers
from driver import Target, System, wait_for

PROGRAMS = ('dcmspool-', 'getdcmtags', 'storescp', 'send-', 's6-supervise')
RULES = {'all': ['archive', 'copies', 'pacs', 'twice'], 'odd': ['archive', 'late', 'wrong'],
         'never': ['archive', 'never'], 'drop': []}
ODD = ['late', 'wrong', 'never']
TARGETS = [('archive', None, ''), ('copies', None, 'copy = yes order = none'), ('pacs', '0000', 'max_connections = 2'),
           ('late', '0000 slow 0000 0000', 'order = none'), ('twice', 'twice 0000', ''),
           ('wrong', '0000 0000 0000 b000 a700 abort wrongid nostatus hang', 'order = none max_connections = 3'),
           ('never', 'hang', '')]
# What ends in error/ for being killed: a file at which getdcmtags was when it died is not asked twice.
REASONS = ['getdcmtags']


class Chaos(threading.Thread):
    """Kills and stops until told to end; counts by program."""

    def __init__(self, system, dice):
        super().__init__()
        self.system, self.dice, self.over, self.counts = system, dice, threading.Event(), {}
        self.stopped, self.wrong = {}, []

    def run(self):
        try:
            self.attack()
        except (OSError, RuntimeError) as e:
            self.wrong.append(f'the attack ended early: {e}')

    def attack(self):
        while not self.over.wait(self.dice.uniform(0.01, 0.15)):
            now = time.monotonic()
            for pid in [p for p, until in self.stopped.items() if until < now]:
                self.tell(pid, signal.SIGCONT)
                del self.stopped[pid]
            if self.dice.random() < 0.01:
                self.everything()
            victims = [(p, n) for p, n in sorted(self.system.processes().items()) if n.startswith(PROGRAMS)]
            if not victims:
                continue
            pid, name = self.dice.choice(victims)
            if name == 's6-supervise' and self.dice.random() < 0.9:
                continue
            kill = self.dice.random() < 0.5
            if not kill:
                self.stopped[pid] = now + self.dice.choice([0.05, 0.3, 1.5])
            self.tell(pid, signal.SIGKILL if kill else signal.SIGSTOP)
            self.count(name, 'kill -9' if kill else 'stopped')
        for pid in self.stopped:
            self.tell(pid, signal.SIGCONT)

    def everything(self):
        """The machine's memory is full, or somebody has stopped it all: then `up` is started again."""
        self.stopped.clear()
        if self.dice.random() < 0.7:
            self.system.kill()
            self.count('up', 'kill -9')
        else:
            if not self.system.stop_up():
                self.wrong.append(f'still running after a stop: {self.system.processes()}')
            self.count('up', 'SIGTERM')
        self.system.start_up()

    def count(self, name, how):
        self.counts[name, how] = self.counts.get((name, how), 0) + 1

    def tell(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def modality(system, dice, until, kinds):
    while time.monotonic() < until:
        kind = dice.choice(kinds)
        paths = system.series(kind, images=dice.randrange(1, 12), series=dice.choice([1, 1, 2]))
        tool = dice.choice(['rawsend', 'rawsend', 'storescu', 'dcmsend'])
        system.deliver(kind, paths, tool, until)
        if dice.random() < 0.1:  # a modality that sends everything again
            system.send(kind, paths)


def hostile(system, dice, until):
    """Connections that are cut anywhere, or speak no DICOM."""
    while time.monotonic() < until:
        play = peers.Play(system, system.series('all', images=3))
        play.run(play.spoil(dice.choice(['cut', 'garbage'])))


def operator(system, dice, until):
    """By hand: series are dropped, jobs sent again with and without the rules, targets held for a while."""
    while time.monotonic() < until:
        what = dice.choice(['drop', 'route', 'send', 'hold'])
        resting = sorted((system.spool / 'success').glob('2*.*'))
        if what == 'drop':
            paths = system.series('all', images=dice.randrange(1, 6))
            for path in paths:
                system.note('offered', 'all', path)
            copy = system.spool / 'incoming' / f'.usb.{system.made}'
            shutil.copytree(os.path.dirname(paths[0]), copy)
            copy.rename(copy.with_name(copy.name[1:]))
            for path in paths:
                system.note('acknowledged', 'all', path)
        elif what == 'hold':
            target = dice.choice(RULES['all'])
            system.verb('hold', target)
            wait_for(lambda: False, dice.uniform(0, 1))
            system.verb('release', target)
        elif resting:
            job = dice.choice(resting)
            target = job.name.rpartition('.')[2].partition('~')[0]
            where = 'incoming' if what == 'route' else f'outgoing/{target}'
            try:
                job.rename(system.spool / where / job.name)
            except OSError:  # it has gone, or such a one is there already
                pass
        wait_for(lambda: False, dice.uniform(0, 0.5))


def waits_without_reason(system):
    """Jobs of the target that never answers which nothing holds back."""
    queue = system.spool / 'outgoing/never'
    look = oracle.Oracle(system)
    return [str(p) for p in queue.glob('2*') if not look.held_back(queue, p)]


def heal(system):
    """The targets that play faults are replaced by one that has none; nothing waits for its pause."""
    for name in ODD:
        target = system.targets[name]
        system.stop_target(target)
        system.start_target(target, '0000')
        system.verb('retry', name)


def main(folder, seconds, seed):
    print(f'soak: seed {seed}', flush=True)
    system = System(folder, [Target(n, a, s, honest=n not in ('wrong', 'never')) for n, a, s in TARGETS],
                    RULES, seed)
    dice = system.dice
    system.start()
    try:
        chaos = Chaos(system, dice)
        until = time.monotonic() + seconds
        senders = [threading.Thread(target=modality, args=(system, type(dice)(seed + i), until, kinds))
                   for i, kinds in enumerate([['all']] * 3 + [list(RULES)])]
        senders += [threading.Thread(target=one, args=(system, type(dice)(seed - 1), until))
                    for one in (operator, hostile)]
        for t in [chaos, *senders]:
            t.start()
        for t in senders:
            t.join()
        chaos.over.set()
        chaos.join()
        system.signal(signal.SIGCONT)
        system.verb('release', *RULES['all'])  # whoever was to do that may have been killed
        left = oracle.rest(system, apart=ODD, seconds=40)
        wait_for(lambda: not waits_without_reason(system))
        left += waits_without_reason(system)
        heal(system)
        left += oracle.rest(system, seconds=40)
        verdict = oracle.Oracle(system, REASONS).check()
        verdict.stuck += left + chaos.wrong
        if not system.stop_up():
            verdict.stuck.append(f'still running: {system.processes()}')
    finally:
        system.stop()
    print(f'soak: seed {seed}, {seconds} s, {sum(chaos.counts.values())} faults', flush=True)
    good = oracle.result('system', 'soak', 1, verdict)
    for (name, how), count in sorted(chaos.counts.items()):
        oracle.row(name, f'soak {how}', count, oracle.Verdict())
    return good


if __name__ == '__main__':
    sys.exit(not main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())))
