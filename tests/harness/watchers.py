"""watchers.py FOLDER CASE COUNT [SEED]: events are lost, cannot be had, or come by the thousand.

  overflow     COUNT times: all that watch are stopped until the kernel has thrown their events away
  limits       COUNT times: no inotify instances, or no watches, are left (in a user namespace of their own)
  many         COUNT series of one image are complete at once
  directories  COUNT times: one directory of the spool is moved away, cannot be read, or is a link, and then is back
"""
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import oracle
from driver import System, Target, wait_for

STAGES = ['receiving', 'incoming', 'routing', 'outgoing', 'sending', 'success', 'discard', 'error', 'journal']


def overflow(system, _):
    queue = int(Path('/proc/sys/fs/inotify/max_queued_events').read_text())
    system.deliver('all', system.series('all'))  # the queues of the targets exist
    oracle.rest(system)
    stopped = system.signal(signal.SIGSTOP, ['dcmspool-router', 'dcmspool-dispatcher', 'dcmspool-receiver',
                                             'dcmspool-cleaner'])
    for place in 'incoming', 'outgoing/archive', 'success':
        one, other = (system.spool / place / f'.new.{n}' for n in 'ab')
        one.touch()
        for _ in range(queue // 4 + 100):  # each is two events, and back again
            os.rename(one, other)
            os.rename(other, one)
        one.unlink()
    receivers = [pid for pid, name in system.processes().items() if name == 'dcmspool-receiver']
    for pid in receivers:
        os.kill(pid, signal.SIGCONT)
    for tool in 'rawsend', 'storescu':
        system.deliver('all', system.series('all', images=system.dice.randrange(1, 6)), tool)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


def allow(system, what, number):
    """In the user namespace of `up`."""
    pid = next(pid for pid, name in system.processes().items() if name == 's6-svscan')
    subprocess.run(['nsenter', '--user', '--preserve-credentials', '-t', str(pid), 'sh', '-c',
                    f'echo {number} >/proc/sys/user/max_inotify_{what}'], check=True)


def limits(system, n):
    what = ['watches', 'instances'][n % 2]
    before = Path('/proc/sys/user/max_inotify_' + what).read_text().strip()
    allow(system, what, system.dice.randrange(0, 12))
    if n // 2 % 2:  # those that run, or those that start
        system.signal(signal.SIGKILL, ['dcmspool-'])
    paths = [system.series('all', images=system.dice.randrange(1, 6)) for _ in range(3)]
    until = time.monotonic() + 3
    waiting = [p for p in paths if not system.deliver('all', p, until=until)]
    allow(system, what, before)
    for p in waiting:
        system.deliver('all', p)


def many(system, count):
    paths = system.series('all', images=1, series=count)
    stopped = system.signal(signal.SIGSTOP, ['dcmspool-router'])
    parts = [threading.Thread(target=system.deliver, args=('all', paths[i::4])) for i in range(4)]
    for t in parts:
        t.start()
    for t in parts:
        t.join()
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


def put_back(place, away):
    """What the programs have made there meanwhile is moved to the rest, as a person would."""
    if place.is_symlink():
        place.unlink()
    if place.is_dir():
        for one in place.iterdir():
            there = away / one.name
            if there.exists() and one.is_dir():
                for deeper in one.iterdir():
                    if not (there / deeper.name).exists():
                        deeper.rename(there / deeper.name)
            elif not there.exists():
                one.rename(there)
        for path in sorted(place.rglob('*'), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        place.rmdir()
    away.rename(place)


def directories(system, n):
    place = system.spool / STAGES[n % len(STAGES)]
    how = ['away', 'unreadable', 'link'][n // len(STAGES) % 3]
    away, mode = system.folder / f'{place.name}.away', place.stat().st_mode & 0o7777
    paths = [system.series('all', images=system.dice.randrange(1, 6)) for _ in range(3)]
    sender = threading.Thread(target=lambda: [system.deliver('all', p) for p in paths])
    sender.start()
    wait_for(lambda: False, system.dice.uniform(0, 0.5))
    if how == 'unreadable':
        place.chmod(0)
    else:
        place.rename(away)
        if how == 'link':
            place.symlink_to(away)
    wait_for(lambda: False, system.dice.uniform(0.2, 1.5))
    if how == 'unreadable':
        place.chmod(mode)
    else:
        put_back(place, away)
    sender.join()


def main(folder, case, count, seed):
    print(f'watchers {case}: seed {seed}', flush=True)
    wrap = ['unshare', '-Ur'] if case == 'limits' else []
    system = System(folder, [Target('archive'), Target('pacs', '0000')], {'all': ['archive', 'pacs']}, seed, wrap=wrap,
                    ahead=seed % 2 == 1)
    good = True
    system.start()
    try:
        for n in [count] if case == 'many' else range(count):
            globals()[case](system, n)
            oracle.rest(system)
            verdict = oracle.Oracle(system).check()
            good &= oracle.result('system', f'watch {case}', 1, verdict)
            if not verdict:
                print(f'at: {n}', flush=True)
                break
    finally:
        system.stop()
    return good


if __name__ == '__main__':
    sys.exit(not main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())))
