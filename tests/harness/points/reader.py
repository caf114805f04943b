"""Programs that only look: they change nothing, and say what they say without a fault, or why they cannot."""
import os
import re

from check import fits
from engine import exits
from scenario import Scenario
from world import snapshot


class Reader(Scenario):
    kind, healthy, keeps_nothing = 'reader', (0, 1), False  # 1: what it looked at is not so

    def known(self, w):
        return {} if self.keeps_nothing else super().known(w)

    def said(self, w):
        with open(w.path + '/said', errors='replace') as f:
            return re.sub(rf'\b{w.port}\b', 'PORT', f.read().replace(w.path, ''))

    def reader(self, w, strace, fault):
        before = snapshot(w.spool)
        with open(w.path + '/said', 'wb') as out:
            p = w.start(self.arguments(w), strace, stdout=out, env=self.env)
            status = p.wait(60)
        if fault == 'none':
            self.right = (status, self.said(w))
            if status not in self.healthy:
                raise RuntimeError(f'exits {status}: {w.said()}')
        elif exits(w, status, fault, (self.right[0],)) and status == 0 and self.said(w) != self.right[1] and \
                not os.path.getsize(w.path + '/log') and not fits(' '.join(self.said(w).split()), fault):
            w.wrong.append(('false', f'exits {status} and says {self.said(w)!r} instead of {self.right[1]!r}'))
        elif status > 0 and status != self.right[0] and \
                not os.path.getsize(w.path + '/log') and self.said(w) in self.right[1]:
            w.wrong.append(('false', f'exits {status} without a word'))
        if snapshot(w.spool) != before:
            w.wrong.append(('false', 'has changed the spool'))
