"""oracle: where each acknowledged image is, and what is where it should not be.

  lost    an acknowledged image that a place asked for by the rules has not, byte for byte, and that is neither on its
          way there nor in error/ or discard/ for a reason that fits
  stuck   what is on its way though nothing holds it back: no paused.json or retry.json of its target, no held; or
          lies where STATES.md has nothing
  false   an image in success/ of which its target was not told, or did not say so; a file in a place that is no
          image that anybody sent
"""
import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import driver

JOB = r'\d{8}T\d{6}\.\d{6}Z\.[0-9a-f]{8}\.[0-9a-f]{8}'
SUCCESS = re.compile(r'(0000|[bB].{3}|slow|twice|meet)$')
IN_JOB = re.compile(r'(.*\.dcm|(series|plan|job|retry)\.json|sent\.log|cancelled|reason\.txt|\.told)$')


def images(folder, quarantined=False):
    """(SOP instance, hash) of each image below it -> one of the paths. Quarantined files have any name."""
    found = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith('.dcmspool.')]
        for name in names:
            path = os.path.join(where, name)
            try:
                if name.endswith('.dcm') or (quarantined and driver.sop_instance(path)):
                    found[driver.sop_instance(path), driver.hashed(driver.data_set(path))] = path
            except FileNotFoundError:  # it has gone on
                continue
    return found


class Verdict:
    def __init__(self):
        self.lost, self.stuck, self.false = [], [], []
        self.acknowledged = 0

    def __bool__(self):
        return not (self.lost or self.stuck or self.false)

    def numbers(self):
        return len(self.lost), len(self.stuck), len(self.false)

    def __str__(self):
        lines = [f'{self.acknowledged} images acknowledged; lost, stuck, false: {self.numbers()}']
        for what in 'lost', 'stuck', 'false':
            lines += [f'{what}: {one}' for one in getattr(self, what)[:20]]
        return '\n'.join(lines)


class Oracle:
    """reasons: patterns of what may stand in reason.txt. Of a dishonest target any may. by_hash: a SOP instance may
    have become another one on the way."""

    def __init__(self, system, reasons=(), by_hash=False):
        self.by_hash = by_hash
        self.system, self.reasons, self.verdict = system, [re.compile(r) for r in reasons], Verdict()
        self.offered = self.known({(sop, data) for sop, data, *_ in driver.rows(system.folder / 'offered')})
        self.acknowledged = {one: (kind, path) for sop, data, kind, path in
                             driver.rows(system.folder / 'acknowledged') for one in self.known([(sop, data)])}
        self.verdict.acknowledged = len(self.acknowledged)

    def has(self, target):
        """What the target has, by its own account."""
        if target.answers is None:
            return self.known(images(self.system.archive(target)))
        return self.known((sop, data) for sop, data, answer in driver.rows(self.system.answers(target))
                          if SUCCESS.match(answer))

    def known(self, images):
        return {(None if self.by_hash else sop, data) for sop, data in images}

    # ---- where it is ----

    def target_of(self, name):
        """Of a directory in success/, error/ or discard/: (what stands before, target)."""
        job, _, target = name.rpartition('.')
        target = target.partition('~')[0]
        return (job, target) if target in self.system.targets else (name, None)

    def fits(self, reason, target):
        if target and not self.system.targets[target].honest:
            return True
        return any(r.search(reason) for r in self.reasons)

    def resting(self):
        """target (None: all of them) -> images in error/ and discard/ that lie there for a reason."""
        found = defaultdict(set)
        for place in sorted((self.system.spool / 'error').iterdir()):
            try:
                reason = (place / 'reason.txt').read_text(errors='replace')
            except OSError as e:
                self.verdict.stuck.append(f'{place}: no reason: {e}')
                continue
            target = self.target_of(place.name)[1]
            if self.fits(reason, target):
                found[target] |= self.known(images(place, quarantined=True))
            else:
                self.verdict.false.append(f'{place}: does not fit: {reason}')
        for place in (self.system.spool / 'discard').iterdir():
            found['discard'] |= self.known(images(place))
        return found

    def add_on_its_way(self, found):
        """The images that have not come to rest yet: what is late is not lost."""
        for stage in 'receiving', 'incoming', 'routing':
            found[None] |= self.known(images(self.system.spool / stage, quarantined=True))
        for stage in 'outgoing', 'sending':
            for name in self.system.targets:
                found[name] |= self.known(images(self.system.spool / stage / name))

    def check_lost(self):
        resting = self.resting()
        self.add_on_its_way(resting)
        has = {name: self.has(t) for name, t in self.system.targets.items()}
        for one, (kind, path) in self.acknowledged.items():
            wanted = self.system.rules.get(kind, [])
            if not wanted and one not in resting['discard'] | resting[None]:
                self.verdict.lost.append(f'{path} {one} is not in discard/')
            for name in wanted:
                if one not in has[name] | resting[name] | resting[None]:
                    self.verdict.lost.append(f'{path} {one} is not in {name}')

    # ---- what was said ----

    def check_false(self):
        told = {name: self.has(t) for name, t in self.system.targets.items()}
        for place in (self.system.spool / 'success').iterdir():
            target = self.target_of(place.name)[1]
            for one, path in images(place).items():
                if target is None or not self.known([one]) <= told[target]:
                    self.verdict.false.append(f'{path} {one}: {target} does not have it')
        told['discard'] = self.known(images(self.system.spool / 'discard'))
        for name, there in told.items():
            for one in there - self.offered:
                self.verdict.false.append(f'{name} has {one}, which nobody has sent')

    # ---- what is left ----

    def held_back(self, queue, job):
        spool = self.system.spool / 'outgoing'
        return ((queue / 'paused.json').exists() or (queue / 'held').exists() or (spool / 'held').exists() or
                (job / 'retry.json').exists())

    def check_stuck(self):
        spool, stuck = self.system.spool, self.verdict.stuck
        for stage in 'receiving', 'incoming', 'routing':
            stuck += [f'{p}' for p in (spool / stage).iterdir()]
        for queue in (spool / 'sending').iterdir():
            stuck += [f'{p}' for p in queue.iterdir()]
        for queue in (spool / 'outgoing').iterdir():
            if not queue.is_dir():
                continue
            for one in queue.iterdir():
                if one.name in ('paused.json', 'held'):
                    continue
                if not re.match(JOB, one.name) or not self.held_back(queue, one):
                    stuck.append(f'{one}')
        for stage in 'success', 'discard', 'error':
            for one in (spool / stage).iterdir():
                strange = [p.name for p in one.iterdir() if stage != 'error' and not IN_JOB.match(p.name)]
                if strange or one.name.startswith('.'):
                    stuck.append(f'{one}: {strange or "by its name"}')

    def check_verb(self, verb, found):
        said = subprocess.run([driver.BIN / f'dcmspool-{verb}', '-c', self.system.conf], capture_output=True, text=True)
        if said.returncode:
            found.append(f'{verb} exits {said.returncode}: {said.stdout[-2000:]} {said.stderr[-500:]}')

    def check(self, verbs=('fsck', 'reconcile')):
        """verbs: those that must agree; what fsck finds is told as stuck, what reconcile finds as false"""
        self.check_lost()
        self.check_false()
        self.check_stuck()
        if 'fsck' in verbs:
            self.check_verb('fsck', self.verdict.stuck)
        if 'reconcile' in verbs:
            self.check_verb('reconcile', self.verdict.false)
        return self.verdict


def on_its_way(system, apart=()):
    """How much is not at rest; jobs of the targets in `apart` may wait."""
    def there(path):
        try:
            return [n for n in os.listdir(path) if n not in ('paused.json', 'held')]
        except (FileNotFoundError, NotADirectoryError):
            return []
    spool = system.spool
    found = [f'{stage}/{n}' for stage in ('receiving', 'incoming', 'routing') for n in there(spool / stage)]
    for stage in 'outgoing', 'sending':
        for queue in there(spool / stage):
            if queue not in apart or stage == 'sending':
                found += [f'{stage}/{queue}/{n}' for n in there(spool / stage / queue)]
    return found


def rest(system, apart=(), seconds=float(os.environ.get('REST', '60'))):
    """Until nothing is on its way any more: what still is when there was no progress for so long."""
    last = None
    while (left := on_its_way(system, apart)) and left != last:
        last = left
        driver.wait_for(lambda: (now := on_its_way(system, apart)) != last or not now, seconds)
        # what is busy for a whole deadline without any end is stuck as well
    return left


def row(program, fault, tries, verdict):
    """Of the table (harness/table)."""
    try:
        driver.append(driver.TOOLS.parent / 'torture.tsv', program, fault, tries, *verdict.numbers())
    except PermissionError:  # of another user's clone
        pass


def result(program, fault, tries, verdict):
    """A row, and what it says in words; is all well?"""
    row(program, fault, tries, verdict)
    print(f'{program} {fault}: {tries} tries; {verdict}', flush=True)
    return bool(verdict)
