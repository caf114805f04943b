"""clocks.py FOLDER CASE COUNT [SEED]: the time of day is set back and forward; two hosts' jobs have one name.

  steps    COUNT times, while everything runs (libfaketime: each process reads the offset from a file)
  names    COUNT batches of one series whose first images arrived in the same microsecond
"""
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import oracle
from driver import BIN, System, Target, append, data_set, hashed, sop_instance, wait_for

FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'


def set_clock(system, seconds):
    new = system.folder / 'clock.new'
    new.write_text(f'{seconds:+d}s\n')
    new.rename(system.folder / 'clock')


def steps(system, count):
    for _ in range(count):
        over = threading.Event()

        def modality():
            while not over.is_set():
                system.deliver('all', system.series('all', images=system.dice.randrange(1, 5)))
        sender = threading.Thread(target=modality)
        sender.start()
        over.wait(system.dice.uniform(0.2, 1))
        set_clock(system, system.dice.choice([0, 5, -5, 3600, -3600, 90000, -90000, 40000000]))
        over.wait(system.dice.uniform(0.2, 1))
        over.set()
        sender.join()


def names(system, count):
    """As two hosts' images, collected by one after the other: same series, same microsecond, other images."""
    system.verb('hold', 'archive')
    arrived = time.time_ns() // 1000 * 1000
    for n in range(count):
        paths = system.series('all', images=2, y='1.2.3', u='1.2.3.4')
        batch = system.spool / 'incoming/1.2.3.4'
        for path in paths:
            for what in 'offered', 'acknowledged':
                append(system.folder / what, sop_instance(path), hashed(data_set(path)), 'all', path)
            there = system.folder / f'copy{n}.dcm'
            there.write_bytes(Path(path).read_bytes())
            os.utime(there, ns=(arrived, arrived))
            subprocess.run([BIN / 'getdcmtags', '-c', system.conf, there, '127.0.0.1', 'CT', 'DCMSPOOL'], check=True)
        (batch / '.complete').touch()
        assert wait_for(lambda: not batch.exists())
    queue = system.spool / 'outgoing/archive'
    assert wait_for(lambda: len(list(queue.glob('2*'))) == count)
    # a name that another claim holds at the moment is avoided by a microsecond
    print(f'{count} jobs: {sorted(j.name for j in queue.glob("2*"))}', flush=True)
    system.verb('release', 'archive')


def main(folder, case, count, seed):
    print(f'clocks {case}: seed {seed}', flush=True)
    folder = Path(folder)
    wrap = ['env', f'LD_PRELOAD={FAKETIME}', f'FAKETIME_TIMESTAMP_FILE={folder}/clock', 'FAKETIME_NO_CACHE=1',
            'DONT_FAKE_MONOTONIC=1', 'FAKETIME_DONT_RESET=1'] if case == 'steps' else []
    system = System(folder, [Target('archive'), Target('pacs', '0000')], {'all': ['archive', 'pacs']}, seed, wrap=wrap)
    set_clock(system, 0)
    system.start()
    try:
        {'steps': steps, 'names': names}[case](system, count)
        oracle.rest(system)
        # jobs of one name reconcile names as a difference: dcmspool-reconcile(8), BUGS
        verdict = oracle.Oracle(system).check(('fsck',) if case == 'names' else ('fsck', 'reconcile'))
        return oracle.result('system', f'clock {case}', count, verdict)
    finally:
        pid = system.up.pid if system.up else 0
        system.stop()
        for left in Path('/dev/shm').glob(f'*faketime_*_{pid}'):  # of libfaketime, which was killed or not
            left.unlink()


if __name__ == '__main__':
    sys.exit(not main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())))
