"""power.py FOLDER FILESYSTEM CUTS [SEED]: the power is cut CUTS times; needs root.

The spool lies on a loop device's file system whose backing file, on an XFS of its own, is cloned while everything
runs: the clone is what the disk had at that instant. Then, for each cut, it is repaired, mounted where it was, and
the system started on it. What lay in outgoing/ or behind it when the power went was promised durable and is there,
whole; nothing cut off passes for an image; and a modality that sends everything again replaces what is missing.
"""
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import oracle
from driver import BIN, System, Target, append, data_set, hashed, rows, sop_instance, wait_for, with_own_mounts
from volume import Volume, run

MAKE = {'ext4': ['mkfs.ext4', '-q'], 'xfs': ['mkfs.xfs', '-q'], 'btrfs': ['mkfs.btrfs', '-q']}
REPAIR = {'ext4': ['e2fsck', '-fy'], 'xfs': None, 'btrfs': ['btrfs', 'check', '-q']}  # XFS: its log, by mounting
LINES = ['offered', 'acknowledged', 'pacs.answers']
ENOUGH = 300
NOT_WHOLE = ['is not whole', 'offset \\d+: ']



class Disk(Volume):
    """The file system `kind` in an image that lies on a file system that can clone."""

    def __init__(self, folder, kind):
        self.kind = kind
        self.carrier = Volume(folder / 'carrier', folder / 'carrier.image', ['mkfs.xfs', '-q', '-m', 'reflink=1'],
                              '1500M')
        super().__init__(folder / 'disk', self.carrier.mounted / 'disk.image', MAKE[kind], '320M')

    def cut(self, name):
        """With the names that the journal of the file system has, and without the bytes that nobody has asked for."""
        for place in 'incoming', 'journal':
            fd = os.open(self.mounted / 'spool' / place, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        run('cp', '--reflink=always', self.image, self.carrier.mounted / name)

    def repair(self, name):
        image = self.carrier.mounted / name
        if self.kind == 'btrfs':  # its log is replayed by mounting, and check wants a device that is not mounted
            self.mount(image)
            self.unmount()
        if REPAIR[self.kind]:
            run(*REPAIR[self.kind], image, good=(0, 1))
        self.mount(image)

    def __exit__(self, *_):
        super().__exit__()
        self.carrier.__exit__()


def promised(system):
    """(SOP instance, hash) of what has left its router: it was synced before."""
    found = set()
    for stage in 'outgoing', 'sending', 'success':
        found |= set(oracle.images(system.spool / stage))
    return found


def acknowledged(system):
    return len(rows(system.folder / 'acknowledged'))


def modality(system, dice, over):
    """Until a cut has enough to take; what was sent before is looked at after each."""
    while not over.is_set():
        if acknowledged(system) > system.last_cut + ENOUGH:
            over.wait(0.05)
            continue
        # long series are what no router has had synced yet
        system.deliver('all', system.series('all', images=dice.choice([2, 8, 60])), until=time.monotonic())


def receive(system, disk, cuts):
    """The live part: what had been promised before each cut, and what everybody knew after it."""
    system.start()
    over, system.last_cut = threading.Event(), 0
    senders = [threading.Thread(target=modality, args=(system, type(system.dice)(system.seed + i), over), daemon=True)
               for i in range(3)]
    for t in senders:
        t.start()
    known = []
    for n in range(cuts):
        wait_for(lambda: acknowledged(system) > system.last_cut + 20)
        over.wait(system.dice.uniform(0, 0.7))
        before = promised(system)
        disk.cut(f'cut{n}')
        system.last_cut = acknowledged(system)
        known.append((before, {t: len(rows(system.folder / t)) for t in LINES}))
    over.set()
    for t in senders:
        t.join()
    system.kill()
    return known


def until_line(path, count):
    """Forgets the lines behind that one: nobody had written them yet."""
    lines = rows(path)[:count]
    path.unlink()
    for line in lines:
        append(path, *line)
    return lines


def another_boot(system, n):
    """What starts from now on sees the boot_id that a machine would have which was switched on again."""
    boot = system.folder / 'boot_id'
    boot.write_text(f'{n:08x}-0000-4000-8000-000000000000\n')
    system.wrap = ['unshare', '--mount', 'sh', '-c',
                   'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"', boot]


def cut_off(system, look):
    """Images in batches of which the disk has a part only: as many tries of what must not pass for an image."""
    return len([path for stage in ('incoming', 'routing') for path in (system.spool / stage).rglob('*.dcm')
                if not look.known([(sop_instance(path), hashed(data_set(path)))]) <= look.offered])


def check_journal(system, missing, verdict):
    """What lies in the tree the journal has told; of a connection only as much is missing as was lost."""
    done = subprocess.run([BIN / 'dcmspool-reconcile', '-j', '-c', system.conf], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        verdict.false.append(f'reconcile exits {done.returncode}: {done.stderr}')
        return
    found = json.loads(done.stdout)['differences']
    verdict.false += [f'reconcile: {one}' for one in found if 'job' in one]
    if sum(one['missing'] for one in found) > missing:
        verdict.false.append(f'reconcile: {found}, but {missing} images are missing')


def start_after(system, disk, n, known):
    """After cut n. Returns what is wrong."""
    before, counts = known
    another_boot(system, n)
    disk.repair(f'cut{n}')
    for name, whole in counts.items():
        shutil.copy(system.folder / f'whole.{name}', system.folder / name)
        until_line(system.folder / name, whole)
    look = oracle.Oracle(system, NOT_WHOLE)
    look.verdict.cut_off = cut_off(system, look)
    system.start()
    oracle.rest(system)
    resting = look.resting()
    there = {t: look.has(system.targets[t]) for t in ('archive', 'pacs')}
    for one in before:
        for name, images in there.items():
            if one not in images:
                look.verdict.lost.append(f'promised durable, but not in {name}: {one}; in error/: {one in resting[None]}')
    # what was sent ahead may be there although the cut took its batch: that is no job
    arrived = there['archive'] if system.ahead else there['archive'] | there['pacs']
    check_journal(system, len(look.offered - arrived), look.verdict)  # some were not acknowledged yet
    series = {}
    for *_, path in {tuple(r[2:]) for r in rows(system.folder / 'acknowledged')}:
        series.setdefault(os.path.dirname(path), []).append(path)
    for paths in series.values():
        system.deliver('all', paths)
    oracle.rest(system)
    after = oracle.Oracle(system, NOT_WHOLE)
    verdict = after.check(('fsck',))
    check_journal(system, len(look.offered - arrived), verdict)
    # what was sent again counts only where it belongs, not in error/
    for name in 'archive', 'pacs':
        for one in set(after.acknowledged) - after.has(system.targets[name]):
            verdict.lost.append(f'sent again, but not in {name}: {one}')
    for what in 'lost', 'stuck', 'false':
        getattr(verdict, what)[:0] = getattr(look.verdict, what)
    verdict.promised, verdict.cut_off = len(before), look.verdict.cut_off
    if not system.stop_up():
        verdict.stuck.append('still running')
    system.stop_target(system.targets['pacs'])
    disk.unmount()
    return verdict


def main(folder, kind, cuts, seed):
    folder, good, seen = Path(folder), True, 0
    print(f'power {kind}: seed {seed}', flush=True)
    targets = [Target('archive'), Target('pacs', '0000', 'order = none max_connections = 3')]
    with Disk(folder, kind) as disk, System(folder, targets, {'all': ['archive', 'pacs']}, seed,
                                            spool=disk.mounted / 'spool', grace='1s',
                                             ahead=seed % 2 == 1) as system:
        for name in LINES:
            (folder / name).touch()
        known = receive(system, disk, cuts)
        system.stop()
        disk.unmount()
        for name in LINES:
            shutil.copy(folder / name, folder / f'whole.{name}')
        for n in range(cuts):
            verdict = start_after(system, disk, n, known[n])
            seen += verdict.cut_off
            print(f'cut {n}: {verdict.promised} promised durable, {verdict.cut_off} cut off', flush=True)
            good &= oracle.result('system', f'power {kind}', 1, verdict)
    shown = seen or kind != 'ext4' or cuts < 10
    if not shown:
        print('no cut has left an image cut off, so nothing was shown of them', flush=True)
    return good and shown


if __name__ == '__main__':
    with_own_mounts()
    sys.exit(not main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())))
