"""Runs scenarios: records the calls of a program, and repeats the run with one fault at a time, in a world each."""
import collections
import concurrent.futures
import os
import re
import subprocess
import threading
import time
import traceback

from calls import parse, points
from check import check
from world import World, wait_until

# What an exit status says of a failure that may pass; EACCES and EROFS are for a person to mend.
TEMPORARY, PERMANENT, KILLED = 111, 100, -9
BY_A_PERSON = ('EACCES', 'EROFS')


class Table:
    """Rows as tests/harness/table sums them"""

    def __init__(self):
        self.rows, self.lock, self.told = collections.defaultdict(lambda: [0, 0, 0, 0]), threading.Lock(), []

    def add(self, program, fault, wrong):
        kinds = {kind for kind, _ in wrong}
        with self.lock:
            row = self.rows[program, fault]
            row[0] += 1
            for i, kind in enumerate(('lost', 'stuck', 'false'), 1):
                row[i] += kind in kinds

    def write(self, path):
        text = ''.join('\t'.join([program, fault, *map(str, row)]) + '\n'
                       for (program, fault), row in sorted(self.rows.items()))
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.write(fd, text.encode())
        os.close(fd)


def plain(name):
    return re.sub(r'[^a-z0-9]+', '-', name)


class Engine:
    def __init__(self, top, workers, step=0, sample=0, looks=True, only=None):
        self.top, self.step, self.sample, self.looks, self.only = top, step, sample, looks, only
        self.pool = concurrent.futures.ThreadPoolExecutor(workers)
        self.table, self.count, self.lock = Table(), 0, threading.Lock()
        self.missed, self.failed, self.tried = collections.Counter(), 0, 0

    def place(self, name):
        with self.lock:
            self.count += 1
            return f'{self.top}/{plain(name)}.{self.count}'

    def chosen(self, scenario, calls):
        """All points of a run, each STEPth of them, or a sample spread over it"""
        every = points(calls, self.looks, scenario.steps)
        if self.only:
            return [p for p in every if re.search(self.only, str(p))]
        step = self.step or max(1, len(every) // (self.sample or len(every)))
        shift = sum(map(ord, scenario.name)) % step  # not always the same error
        return every[shift::step]

    def record(self, scenario):
        """The calls of a run without a fault, which must come out right"""
        w = World(self.place(scenario.name), scenario.template(self))
        try:
            scenario.run(w, [*scenario.follow, '-y', '-s', '200'], 'none')
            check(w, scenario, 'none')
            w.end()
            if w.wrong:
                raise RuntimeError(f'{scenario.name} fails without a fault: {w.wrong}\n{w.said()}')
            with open(w.path + '/trace', errors='replace') as f:
                calls = parse(f)
        finally:
            w.end()
        w.remove()
        return calls

    def once(self, scenario, point):
        """One try: (was the point reached, what went wrong, the log)"""
        w = World(self.place(scenario.name), scenario.template(self))
        try:
            w.may_exit = scenario.may_exit
            scenario.run(w, [*scenario.follow, *point.inject()], point.fault)
            check(w, scenario, point.fault)
        except Exception:  # of the scenario's own
            w.wrong.append(('stuck', traceback.format_exc()))
        finally:
            w.end()
        try:
            with open(w.path + '/trace', errors='replace') as f:
                trace = f.read()
        except FileNotFoundError:
            trace = ''
        reached = '(INJECTED)' in trace or 'killed by SIGKILL' in trace
        said = w.said()
        if w.wrong:
            said += '\n' + subprocess.run(['find', w.spool, '-mindepth', '1', '-printf', '%P %s\n'],
                                          capture_output=True, text=True).stdout
        w.remove()
        return reached, w.wrong, said

    def attack(self, scenario, point):
        for _ in range(3):
            reached, wrong, said = self.once(scenario, point)
            if reached or wrong:
                break
        else:
            self.missed[scenario.program] += 1
            return
        self.table.add(scenario.program, point.fault, wrong)
        with self.lock:
            self.tried += 1
            if self.tried % 500 == 0:
                print(f'{self.tried} tries', flush=True)
        if wrong:
            with self.lock:
                self.failed += 1
                print(f'\n=== {scenario.name}: {point}')
                for kind, words in wrong:
                    print(f'    {kind}: {words}')
                print(said[-9000:], flush=True)

    def run(self, scenarios):
        """Attacks all, side by side: most of them wait for a deadline. Returns whether every one came out right."""
        recorded = {self.pool.submit(self.record, s): s for s in scenarios}
        tries = []
        for done in concurrent.futures.as_completed(recorded):
            scenario = recorded[done]
            try:
                chosen = self.chosen(scenario, done.result())
            except Exception:
                self.failed += 1
                print(f'\n=== {scenario.name}: cannot be recorded\n{traceback.format_exc()}', flush=True)
                continue
            print(f'{scenario.name}: {len(chosen)} points', flush=True)
            if not chosen and not self.only and self.looks:
                self.failed += 1
            tries += [self.pool.submit(self.attack, scenario, p) for p in chosen]
        for t in tries:
            t.result()
        for program, n in sorted(self.missed.items()):
            print(f'{program}: {n} points were not reached, in three runs each')
        return self.failed == 0


def exits(w, status, fault, healthy):
    """Judges how a program ended that had a fault. Returns whether it did what it was to do."""
    if status in healthy:
        return True
    allowed = {TEMPORARY} | w.may_exit | ({KILLED} if fault == 'kill' else set())
    if fault in BY_A_PERSON:
        allowed.add(PERMANENT)
    if status not in allowed:
        w.wrong.append(('stuck', f'exits {status}'))
    return False


def accepted(w):
    """What a crash has left is a legal spool, to be gone on with, and nothing to be mended"""
    fsck = subprocess.run([w.program('dcmspool-fsck'), '-c', w.conf], capture_output=True, text=True)
    if fsck.returncode != 0:
        w.wrong.append(('false', f'dcmspool fsck: {fsck.stdout}{fsck.stderr}'))


def supervise(w, argv, strace, fault, done, seconds, **more):
    """A watcher under the supervisor that it has in life: what ends is started again, without the fault. Until done."""
    victim, ends = w.start(argv, strace, **more), []

    def is_done():
        nonlocal victim
        status = victim.poll()
        if status is not None and len(ends) < 5:
            if not ends:
                exits(w, status, fault, ())
                if fault == 'kill':
                    accepted(w)
            elif status != TEMPORARY:
                w.wrong.append(('stuck', f'exits {status} when it is started again'))
            if ends:
                time.sleep(1)  # as s6 does
            ends.append(status)
            victim = w.start(argv, **more)
        return done()

    if not wait_until(is_done, seconds):
        w.wrong.append(('stuck', 'its part is not done within %d s' % seconds))
    status = w.stop(victim)
    if status not in (0, TEMPORARY, -15) and not (status == KILLED and fault == 'kill'):
        w.wrong.append(('stuck', f'exits {status} at SIGTERM'))
    return victim
