"""What an operator sends, and what goes again."""
import shutil

from engine import accepted
from scenario import FOLDER, SERIES, Scenario, sent, study
from world import jobs, known, names, snapshot

JOURNEY = FOLDER.format('archive') + '\n' + FOLDER.format('other') + '\n'


def send_first(w, *targets):
    """Once, and what the targets got is taken away: what is there afterwards, came again"""
    sent(w)
    for target in targets:
        shutil.rmtree(f'{w.path}/{target}')


class Made(Scenario):
    """A job is made of images that stay where they are and as they are. twice: what was refused by itself, as it
    could not be read, goes with the others the next time."""
    kind, to = 'command', 'archive'
    balanced = False  # killed between making and telling: dcmspool-reconcile(8), BUGS

    def source(self, w):
        return w.path + '/study'

    def made(self, w):
        return [known(f'{w.spool}/outgoing/{self.to}/{j}') for j in jobs(w, 'outgoing/' + self.to)]

    def done(self, w):
        return w.acked in self.made(w)

    def run(self, w, strace, fault):
        source = self.source(w)
        before = snapshot(source)
        super().run(w, strace, fault)
        if snapshot(source) != before:
            w.wrong.append(('lost', f'{source} is not what it was'))

    def between(self, w, fault):
        if fault != 'kill':
            return
        accepted(w)
        if self.made(w) not in ([], [w.acked]):
            w.wrong.append(('lost', 'half of it is sent'))


class Send(Made):
    twice = True
    argv = ('-c', '{w.conf}', '--to', 'archive', '{w.path}/study')

    def make(self, w):
        study(w)


class To(Made):
    targets, to = ('archive', 'other'), 'other'
    conf = JOURNEY + 'rule "all" { match = "True" targets = { "archive" } }'
    argv = ('-y', '-c', '{w.conf}', '--to', 'other', SERIES)

    def make(self, w):
        sent(w)

    def source(self, w):
        return f'{w.spool}/success/{names(w.spool, "success")[0]}'


class Back(Scenario):
    """What lies in two places is moved to incoming/, by a rename each"""
    kind, targets = 'command', ('archive', 'other')
    conf = JOURNEY + 'rule "all" { match = "True" targets = { "archive", "other" } }'
    argv = ('-y', '-c', '{w.conf}', SERIES)

    def make(self, w):
        send_first(w, *self.targets)

    def done(self, w):
        return not jobs(w, 'success')

    def between(self, w, fault):
        if fault == 'kill':
            accepted(w)
        if len(jobs(w, 'success') + jobs(w, 'incoming')) != len(self.targets):
            w.wrong.append(('lost', f'{jobs(w, "success")} and {jobs(w, "incoming")} are not both of them'))


SCENARIOS = [
    Send('dcmspool-send, a study'),
    Back('dcmspool-resend, by the rules'),
    To('dcmspool-resend, to another target'),
]
