"""disk.py FOLDER FILESYSTEM ROUNDS [SEED]: the spool's disk is full in bytes or in inodes, or read-only, and then not.

Needs root. read-only: ext4 only. FILESYSTEM: ext4, xfs, tmpfs. Each round begins somewhere else: while images arrive, at the decision, at
the fan-out, at the ledger, at the journal. The programs that work before that have done so already; whoever comes
next finds no room. Then there is room again, nobody is started or told anything, and all comes to rest.
"""
import os
import signal
import sys
import time
from pathlib import Path

import oracle
from driver import System, Target, wait_for, with_own_mounts
from volume import Volume, run

# what happens: which programs stand still until the disk is full
MOMENTS = {'reception': (), 'routing': ('dcmspool-router',), 'fan-out': ('dcmspool-router',),
           'ledger': ('dcmspool-dispatcher',), 'journal': ('dcmspool-router', 'dcmspool-dispatcher')}
MAKE = {'ext4': ['mkfs.ext4', '-q', '-b', '4096', '-m', '0', '-N', '2000', '-e', 'remount-ro'],
        'xfs': ['mkfs.xfs', '-q', '-i', 'maxpct=1']}



class Disk(Volume):
    def __init__(self, folder, kind):
        size = {'xfs': '320M', 'ext4': '48M', 'tmpfs': 'size=32m,nr_inodes=2000'}[kind]
        super().__init__(folder / 'disk', folder / 'disk.image', MAKE.get(kind), size)
        self.broken, self.ballast = False, self.mounted / 'ballast'

    def fill_bytes(self, left):
        free = os.statvfs(self.mounted)
        with open(self.ballast, 'ab') as f:
            for size in (free.f_bavail * free.f_frsize, 1 << 16, 4096):
                try:
                    while True:
                        os.posix_fallocate(f.fileno(), os.fstat(f.fileno()).st_size, size)
                except OSError:
                    continue
            os.truncate(f.fileno(), max(0, os.fstat(f.fileno()).st_size - left * 4096))

    def fill_inodes(self, left):
        """XFS makes inodes where there are bytes: there, both are gone."""
        many = self.mounted / 'many'
        many.mkdir(exist_ok=True)
        (many / 'first').touch()
        number = 0
        try:
            while True:
                (many / str(number)).touch()
                number += 1
        except OSError:
            for n in range(max(0, number - left), number):
                (many / str(n)).unlink()

    def read_only(self, _):
        """By an error, as ext4 makes itself so; what had been written before is not lost."""
        device = Path(run('findmnt', '-no', 'SOURCE', self.mounted)).name
        run('sync', '-f', self.mounted)
        Path(f'/sys/fs/ext4/{device}/trigger_fs_error').write_text('tried\n')
        self.broken = True

    def repair(self, system):
        """As a person does, who has to stop everything for that."""
        system.kill()
        assert self.unmount()
        run('e2fsck', '-fy', self.image, good=(0, 1))
        self.mount()
        system.start_up()
        self.broken = False

    def mend(self, system):
        if self.broken:
            self.repair(system)
        self.ballast.unlink(missing_ok=True)
        many = self.mounted / 'many'
        if many.is_dir():
            for path in many.iterdir():
                path.unlink()
            many.rmdir()


def sent_in_part(system, paths):
    """A modality meets the full disk; it gives up when nothing goes any more. What was not acknowledged."""
    for _ in range(2):
        paths = system.send('all', paths, options=['-T', '10']) if paths else paths
    return paths


def suffers(system, before):
    """Somebody has met the full disk and said so, or everything is done."""
    return len((system.folder / 'up.log').read_text(errors='replace')) > before or not oracle.on_its_way(system)


def once(system, disk, moment, how):
    dice, log = system.dice, system.folder / 'up.log'
    waiting = [system.series('all', images=dice.randrange(2, 8)) for _ in range(3)]
    before = len(log.read_text(errors='replace'))
    stopped = system.signal(signal.SIGSTOP, MOMENTS[moment]) if MOMENTS[moment] else []
    if moment == 'reception':
        how(dice.randrange(0, 60))
        waiting = [sent_in_part(system, paths) for paths in waiting]
    else:
        for paths in waiting:
            system.deliver('all', paths)
        waiting = []
        if moment == 'ledger':
            wait_for(lambda: not [d for d in oracle.on_its_way(system) if not d.startswith('outgoing')], 20)
        how(dice.randrange(0, 12) if moment == 'fan-out' else 0)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: suffers(system, before), 10)
    wait_for(lambda: False, dice.uniform(0.2, 1.5))  # how long it is full is part of the dice
    disk.mend(system)
    for paths in waiting:
        system.deliver('all', paths)
    oracle.rest(system)


def main(folder, kind, rounds, seed):
    folder, good = Path(folder), True
    print(f'disk {kind}: seed {seed}', flush=True)
    targets = [Target('archive'), Target('copies', None, 'copy = yes'), Target('pacs', '0000')]
    with Disk(folder, kind) as disk, System(folder, targets, {'all': ['archive', 'copies', 'pacs']}, seed,
                                            spool=disk.mounted / 'spool') as system:
        system.archives = folder  # the folders have room
        system.configure()
        system.start()
        faults = [('bytes', disk.fill_bytes), ('inodes', disk.fill_inodes)]
        if kind == 'ext4':
            faults.append(('read-only', disk.read_only))
        for n in range(rounds):
            moment = list(MOMENTS)[n % len(MOMENTS)]
            name, how = faults[n // len(MOMENTS) % len(faults)]
            once(system, disk, moment, how)
            verdict = oracle.Oracle(system).check()
            good &= oracle.result('system', f'{kind} {name}', 1, verdict)
            if not verdict:
                print(f'at: {moment}', flush=True)
                break
    return good


if __name__ == '__main__':
    with_own_mounts()
    sys.exit(not main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())))
