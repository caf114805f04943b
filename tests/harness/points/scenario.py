"""What a scenario is: a small spool, a program run in it once, and what must come of it."""
import contextlib
import glob
import os
import shutil
import subprocess
import threading
import time

from engine import exits, plain, supervise
from world import BIN, PATIENCE_S, TOOLS, TOP, World, at_rest, before_queues, images, known, listens, queues_empty, wait_until

SERIES = '1.2.3.4'
JOB = '20261122T140301.123456Z.3f9a1c2b.77d0aa1e'
ASSOCIATION = '20261122T140301.123456Z.1'
FOLDER = 'target "{0}" {{ type = folder path = "{0}" retry_min = 100ms retry_max = 300ms }}'

_templates, _lock = {}, threading.Lock()


def study(w, *options, folder='study', uid=SERIES, count=3, study=None):
    if study:
        options += ('-y', study)
    subprocess.run([TOOLS + '/makestudy', f'{w.path}/{folder}', '-s', '1', '-n', str(count), '-r', '32', '-c', '32',
                    '-u', uid, *options], check=True, stdout=subprocess.DEVNULL)
    return sorted(glob.glob(f'{w.path}/{folder}/SE0001/*'))


def run_healthy(w, *argv, ok=(0,), **more):
    p = w.start(list(argv), **more)
    status = p.wait(60)
    if status not in ok:
        raise RuntimeError(f'{argv} exits {status}')


def complete(w, uid=SERIES):
    with open(f'{w.spool}/incoming/{uid}/.complete', 'w'):
        pass


def batch(w, whole=True, **more):
    """incoming/SERIES/ as getdcmtags makes it, complete"""
    for path in study(w, **more):
        shutil.copy(path, w.path + '/one.dcm')
        run_healthy(w, w.program('getdcmtags'), '-c', w.conf, w.path + '/one.dcm', '127.0.0.1', 'CT1', 'DCMSPOOL')
    if whole:
        complete(w, more.get('uid', SERIES))


def watch(w, programs, done, seconds=PATIENCE_S):
    """Programs without a fault, until all are ready and it is so"""
    before = w.said().count(': info: ready')
    running = [w.start([w.program(p), '-c', w.conf]) for p in programs]

    def all_done():
        for i, p in enumerate(running):
            if p.poll() == 111:  # others may have all inotify instances
                time.sleep(1)  # as s6 does
                running[i] = w.start(p.args)
        return w.said().count(': info: ready') >= before + len(running) and done()
    came = wait_until(all_done, seconds)
    for p in running:
        status = w.stop(p)
        if status not in (0, -15):  # it may have had no time to take the signal over
            w.wrong.append(('stuck', f'{p.args[0]} exits {status} without a fault of its own'))
    return came


def routed(w, **more):
    """A job in the queue of each target of the configuration"""
    batch(w, **more)
    if not watch(w, ['dcmspool-router'], lambda: before_queues(w)):
        raise RuntimeError('was not routed: ' + w.said())


def sent(w, **more):
    routed(w, **more)
    if not watch(w, ['dcmspool-dispatcher'], lambda: queues_empty(w)):
        raise RuntimeError('was not sent: ' + w.said())


@contextlib.contextmanager
def server(w, argv, port):
    p = w.start(argv)
    if not wait_until(lambda: listens(port), 30):
        raise RuntimeError(f'{argv} does not listen')
    try:
        yield
    finally:
        p.terminate()
        p.wait()


class Scenario:
    """One row. program: whose calls are the points. kind: how it runs.

    watcher   until its part is done (`done`), started again when it ends, as s6 does
    command   once; when it does not exit 0, once more without the fault, and then it must have done its part
    reader    once; it changes nothing, and says what it says without a fault, or why it cannot
    inside    in the place of a program that others start, the first time that they do"""
    targets, discards, has_errors = ('archive',), False, False
    conf = FOLDER.format('archive') + '\nrule "all" { match = "True" targets = { "archive" } }'
    router = 'association_grace = 0ms series_timeout = 20s'
    kind, argv, healthy, patience = 'watcher', (), (0,), PATIENCE_S
    rest = ('dcmspool-router', 'dcmspool-dispatcher')  # what brings the world to rest afterwards
    env, stdin = {}, None
    twice = False  # what cannot be looked at may be sent once more
    balanced = True  # reconcile finds no difference
    may_exit = set()  # besides what says that it may pass
    steps, follow = (), ()  # of a script: further calls to be killed at; -f when its children do the work

    def __init__(self, name, program=None, **more):
        self.name, self.program = name, program or name.split(',')[0]
        for key, value in more.items():
            setattr(self, key, value)

    # -- the world before

    def make(self, w):
        """Fills the template"""

    def programs(self, w):
        """Programs of its own, beside the others: {name: text}"""
        return {}

    def template(self, engine):
        with _lock:
            mine = _templates.setdefault(self.name, threading.Lock())
        with mine:
            path = f'{engine.top}/template.{plain(self.name)}'
            if not os.path.exists(path + '.made'):
                self.build(path)
                with open(path + '.made', 'w'):
                    pass
            return path

    def build(self, path):
        w = World(path)
        with open(w.conf, 'w') as f:
            f.write(f'spool = "spool"\nreceiver {{ port = @PORT@ listen = {{ "127.0.0.1" }} min_free = 1 '
                    f'request_timeout = 5s }}\nrouter {{ {self.router} }}\n{self.conf}\n')
        with open(w.conf) as f:
            text = f.read()
        own = self.programs(w)
        if own or self.kind == 'inside':
            os.mkdir(w.path + '/bin')
            for program in os.listdir(BIN):
                shutil.copy2(f'{BIN}/{program}', w.path + '/bin')
            os.symlink(TOP + '/spool-layout', w.path + '/spool-layout')
            for name, script in own.items():
                write(f'{w.path}/bin/{name}', script)
        run_healthy(w, BIN + '/dcmspool-layout', w.spool)
        w.configure()
        self.make(w)
        with open(w.conf, 'w') as f:
            f.write(text)
        if self.kind == 'inside':
            self.put_inside(w)
        w.end()
        if w.wrong:
            raise RuntimeError(f'{self.name}: {w.wrong}')
        os.truncate(w.path + '/log', 0)

    def put_inside(self, w):
        """The first of its name runs under strace, the later ones do not"""
        place = f'{w.path}/bin/{self.program}'
        if os.path.exists(place):
            os.rename(place, place + '.real')
            real = '"$0.real"'
        else:
            real = shutil.which(self.program)
        write(place, f'#!/bin/sh\nmkdir "$POINTS_WORLD/taken" 2>/dev/null && [ -n "$POINTS_STRACE" ] ||\n'
                     f'\texec {real} "$@"\n'
                     f'exec strace -D -qq -o "$POINTS_WORLD/trace" $POINTS_STRACE {real} "$@"\n')

    # -- the run

    def known(self, w):
        """What was acknowledged"""
        return known(w.path + '/study')

    def done(self, w):
        return at_rest(w)

    def refused(self, w, target):
        """What the target takes in no case"""
        return ()

    def arrived(self, w, target):
        return images(f'{w.path}/{target}')

    def folders(self, w):
        """What the programs write into outside of the spool"""
        return [f'{w.path}/{t}' for t in self.targets if os.path.isdir(f'{w.path}/{t}')]

    def arguments(self, w):
        return [w.program(self.program)] + [a.format(w=w) for a in self.argv or ('-c', '{w.conf}')]

    @contextlib.contextmanager
    def others(self, w):
        """Servers, and what starts the victim"""
        yield

    def run(self, w, strace, fault):
        w.acked, w.fault = self.known(w), fault
        with self.others(w):
            getattr(self, self.kind)(w, strace, fault)
            if self.rest and not watch(w, self.rest, lambda: at_rest(w)):
                w.wrong.append(('stuck', 'does not come to rest'))
            self.after(w)

    def after(self, w):
        """What else must be so"""

    def watcher(self, w, strace, fault):
        supervise(w, self.arguments(w), strace, fault, lambda: self.done(w), self.patience)

    def command(self, w, strace, fault):
        did = False
        for attempt in range(3):
            p = w.start(self.arguments(w), None if attempt else strace, env=self.env)
            status = p.wait(60)
            if attempt == 0:
                did = exits(w, status, fault, self.healthy)
                self.between(w, fault)
            elif status not in self.healthy and status != 111:
                w.wrong.append(('stuck', f'exits {status} when it is run again'))
            if status in self.healthy or self.done(w):
                break
        if not self.done(w):
            w.wrong.append(('false' if did else 'stuck', 'exits 0, and has not done it'))

    def between(self, w, fault):
        """What must be so when a command has ended that had a fault, before it is run again"""

    def inside(self, w, strace, fault):
        w.environment['POINTS_STRACE'] = ' '.join(strace)
        w.environment['PATH'] = w.path + '/bin:' + w.environment['PATH']
        if not watch(w, self.starters, lambda: self.done(w)):
            w.wrong.append(('stuck', 'its part is not done'))

    starters = ('dcmspool-dispatcher',)


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, 0o755)
