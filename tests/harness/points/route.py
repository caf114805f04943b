"""The router, and what explains it."""
import contextlib
import glob
import json
import os
import re
import shutil

from reader import Reader
from scenario import ASSOCIATION, FOLDER, JOB, SERIES, Scenario, batch, complete, routed, sent, server, study
from world import TOP, before_queues, images, jobs, known, names

THREE = '\n'.join(map(FOLDER.format, 'abc')) + '''
rule "1" { match = "True" targets = { "a" } priority = offpeak }
rule "2" { match = "True" targets = { "b", "c" } }
rule "3" { match = "True" targets = { "c" } priority = urgent on = any }
rule "4" { match = "int(tags.PatientName) == 1" targets = { "a" } }'''


class Router(Scenario):
    named = {'archive': ''}

    def done(self, w):
        return before_queues(w)

    def watcher(self, w, strace, fault):
        super().watcher(w, strace, fault)
        if self.discards or w.wrong:
            return
        for target, suffix in self.named.items():  # its priority is behind its name, also in job.json
            queue = jobs(w, 'outgoing/' + target)
            if self.twice and fault != 'kill':
                continue
            if len(queue) != 1 or not re.search(r'\.[0-9a-f]{8}\.[0-9a-f]{8}' + re.escape(suffix) + '$', queue[0]):
                w.wrong.append(('stuck', f'outgoing/{target} has {queue}'))
                continue
            with open(f'{w.spool}/outgoing/{target}/{queue[0]}/job.json') as f:
                job = json.load(f)
            if (job['job'], job['target']) != (queue[0], target):
                w.wrong.append(('false', f'job.json of {queue[0]} says {job}'))


def moved_back(w):
    """Sent to `old`, moved back; the rules of now say `archive`"""
    with open(w.conf) as f:
        now = f.read()
    with open(w.conf, 'w') as f:
        f.write(now.replace('targets = { "archive" }', 'targets = { "old" }') + FOLDER.format('old'))
    sent(w)
    with open(w.conf, 'w') as f:
        f.write(now)
    job = jobs(w, 'success')[0]
    shutil.rmtree(w.path + '/old')
    shutil.rmtree(w.spool + '/outgoing/old')
    shutil.rmtree(w.spool + '/sending/old')
    os.rename(f'{w.spool}/success/{job}', f'{w.spool}/incoming/{job}')


def moved_back_two(w):
    sent(w)
    for job in jobs(w, 'success'):
        os.rename(f'{w.spool}/success/{job}', f'{w.spool}/incoming/{job}')
    for t in 'ab':
        shutil.rmtree(f'{w.path}/{t}')


def not_whole(w):
    batch(w)
    os.unlink(f'{w.spool}/incoming/{SERIES}/filed')
    with open(w.path + '/study/SE0001/IM00001.dcm', 'rb') as f:
        data = f.read(700)
    with open(f'{w.spool}/incoming/{SERIES}/cut.dcm', 'wb') as f:
        f.write(data)


def lies_in_error(self, w):
    found = [r for d in names(w.spool, 'error') for r in [open(f'{w.spool}/error/{d}/reason.txt').read()]]
    if not any('cut.dcm: ' in r for r in found):
        w.wrong.append(('lost', f'cut.dcm is not in error/: {found}'))


def dead_association(w, drop=None):
    """What a dead dcmspool-association leaves"""
    top = f'{w.spool}/receiving/{ASSOCIATION}'
    os.mkdir(top)
    for path in study(w):
        shutil.copy(path, f'{top}/{os.path.basename(path)}' + ('' if drop else '.ok'))
    with open(top + '/association.json', 'w') as f:
        json.dump({'association': ASSOCIATION, 'peer': '127.0.0.1', **({'dropped': drop} if drop else {'ok': True})}, f)


def dropped_folder(w):
    os.makedirs(f'{w.spool}/incoming/from a stick/empty')
    for path in study(w):
        shutil.copy(path, f'{w.spool}/incoming/from a stick/')


def dropped_files(w):
    for path in study(w):
        shutil.copy(path, f'{w.spool}/incoming/')


def claimed(w):
    batch(w)
    os.rename(f'{w.spool}/incoming/{SERIES}', f'{w.spool}/routing/{JOB}')


def three_batches(w):
    for n in '123':
        batch(w, folder='study' + n, uid=f'{SERIES}.{n}', study='1.2.3')


def known_of_three(self, w):
    return {uid: data for n in '123' for uid, data in known(f'{w.path}/study{n}').items()}


def two(**more):
    return {'targets': ('a', 'b'), 'named': {'a': '', 'b': ''},
            'conf': FOLDER.format('a') + '\n' + FOLDER.format('b') +
            '\nrule "all" { match = "True" targets = { "a", "b" } }', **more}


class RouterAhead(Router):
    """A series that is still being received, and complete when it was decided early"""
    targets, named, router = ('pacs',), {}, 'association_grace = 0ms series_timeout = 24h'
    conf = 'target "pacs" { type = dicom host = "127.0.0.1" port = @PORT@ aec = "PACS" ' \
           'retry_min = 100ms retry_max = 300ms }\n' \
           'rule "all" { match = "True" targets = { "pacs" } cut_through = yes }'

    def make(self, w):
        batch(w, whole=False)

    def done(self, w):
        early = glob.glob(w.spool + '/incoming/*/ahead.json')
        if early and glob.glob(w.spool + '/outgoing/pacs/*.ahead/job.json'):
            with contextlib.suppress(FileNotFoundError):  # it is routed just now
                complete(w)
        return before_queues(w)

    def others(self, w):
        return server(w, ['python3', TOP + '/tests/tools/fakescp.py', str(w.port), '0000'], w.port)

    def arrived(self, w, target):
        return images(w.spool + '/success')


def router(what, make, **more):
    class One(Router):
        def make(self, w):
            make(w)
    for name in ('after', 'known'):
        if name in more:
            setattr(One, name, more.pop(name))
    return One('dcmspool-router, ' + what, 'dcmspool-router', **more)


def queue_folder(program, what, argv, **more):
    class One(Reader):
        def make(self, w):
            routed(w)
    return One(f'{program}, {what}', program, argv=argv, **more)


def explained(what, make, argv, program='dcmspool-explain', **more):
    class One(Reader):
        def make(self, w):
            make(w)
    return One(f'{program}, {what}', program, argv=argv, **more)


SCENARIOS = [
    router('one target', batch, named={'archive': '.urgent'},
           conf=Scenario.conf.replace('{ "archive" } }', '{ "archive" } priority = urgent }')),
    router('three targets', batch, targets=('a', 'b', 'c'), named={'a': '.offpeak', 'b': '', 'c': '.urgent'},
           conf=THREE.replace('retry_min', 'offpeak_hours = "00:00-24:00" retry_min')),
    router('no rule', batch, discards=True, conf=FOLDER.format('archive') +
           '\nrule "no" { match = "False" targets = { "archive" } }'),
    router('moved back', moved_back),
    router('moved back from two targets', moved_back_two, **two(twice=True)),
    router('an image that is not whole', not_whole, has_errors=True, after=lies_in_error),
    router('a dead association', dead_association),
    router('a folder dropped', dropped_folder, named={}),
    router('files dropped', dropped_files, named={}),
    router('a drop of before', lambda w: dead_association(w, 'stick')),
    router('claimed before', claimed),
    RouterAhead('dcmspool-router, sent ahead', 'dcmspool-router'),
    router('three batches together', three_batches, named={}, known=known_of_three),
    router('three batches for two targets', three_batches, known=known_of_three, **two(named={})),
    explained('a batch', batch, ('-c', '{w.conf}', '{w.spool}/incoming/' + SERIES)),
    explained('a queue', routed, ('-c', '{w.conf}', '{w.spool}/outgoing/archive')),
    explained('of late', sent, ('-c', '{w.conf}'), 'dcmspool-what-if'),
    explained('an expression', study, ('tags.Modality == "CT"', '{w.path}/study/SE0001/IM00001.dcm'), 'dcmspool-rule',
              healthy=(0, 1), rest=(), keeps_nothing=True),
]
