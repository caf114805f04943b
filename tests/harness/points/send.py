"""The dispatcher, every sender, and the cleaner."""
import contextlib
import glob
import json
import os
import shutil
import subprocess

from check import quarantined
from reader import Reader
from scenario import FOLDER, SERIES, Scenario, batch, complete, routed, sent, server, watch, write
from world import TOOLS, TOP, at_rest, before_queues, images, jobs, journal, known, names, queues_empty

RETRY = 'retry_min = 100ms retry_max = 300ms'
TO = 'rule "all" {{ match = "True" targets = {{ "{}" }} }}'
PICKY = '''#!/bin/sh
while read -r image; do
	if [ "$image" = "$(cat "$POINTS_WORLD/refused")" ]; then
		printf 'failed\\tC000\\t%s\\tcannot understand\\n' "$image"
	else
		printf 'stored\\t0000\\t%s\\tsuccess\\n' "$image"
	fi
done
exit 1
'''


class Dispatcher(Scenario):
    def __init__(self, what, **more):
        super().__init__('dcmspool-dispatcher, ' + what, 'dcmspool-dispatcher', **more)

    def make(self, w):
        routed(w)

    def done(self, w):
        return queues_empty(w)


class InOrder(Dispatcher):
    """Two series of a study: whatever fails, the older one goes first"""

    def make(self, w):
        for n in ('1', '2'):
            batch(w, folder='study' + n, uid=f'{SERIES}.{n}', study='1.2.3')
        if not watch(w, ['dcmspool-router'], lambda: before_queues(w)):
            raise RuntimeError('was not routed: ' + w.said())

    def known(self, w):
        return {**known(w.path + '/study1'), **known(w.path + '/study2')}

    def after(self, w):
        order = [e['job'] for e in journal(w) if e['event'] == 'sent' and not e.get('again')]
        if order != sorted(order):
            w.wrong.append(('false', f'sent in the order {order}'))


class Again(Dispatcher):
    """Sent, and moved into its queue again; or to be given up"""

    def make(self, w):
        sent(w)
        shutil.rmtree(w.path + '/archive')
        job = jobs(w, 'success')[0]
        os.rename(f'{w.spool}/success/{job}', f'{w.spool}/outgoing/archive/{job}')


class Cancelled(Dispatcher):
    discards = True

    def make(self, w):
        routed(w)
        job = jobs(w, 'outgoing/archive')[0]
        os.makedirs(w.spool + '/sending/archive', exist_ok=True)
        os.rename(f'{w.spool}/outgoing/archive/{job}', f'{w.spool}/sending/archive/{job}')
        with open(f'{w.spool}/sending/archive/{job}/cancelled', 'w'):
            pass


class Picky(Dispatcher):
    """A sender that refuses one image"""
    targets, has_errors = ('picky',), True
    conf = f'target "picky" {{ type = picky image_retries = 1 {RETRY} }}\n' + TO.format('picky')

    def programs(self, w):
        return {'send-picky': PICKY}

    def make(self, w):
        super().make(w)
        with open(w.path + '/refused', 'w') as f:
            f.write(min(known(w.path + '/study')) + '.dcm')

    def refused(self, w, target):
        return [min(w.acked)] if 'C000' in ''.join(r for many in quarantined(w).values() for r, _ in many) else ()

    def arrived(self, w, target):
        return images(w.spool + '/success')


class Chain(Dispatcher):
    """Three jobs of one image each, over one association"""
    targets = ('pacs',)
    conf = f'''target "pacs" {{ type = dicom host = "127.0.0.1" port = @PORT@ aec = "PACS" order = none {RETRY} }}
''' + TO.format('pacs')

    def make(self, w):
        batch(w)
        top = f'{w.spool}/incoming/{SERIES}'
        for n, name in enumerate(sorted(n for n in os.listdir(top) if n.endswith('.dcm'))):
            job = f'{w.spool}/outgoing/pacs/20261122T14030{n}.123456Z.3f9a1c2b.77d0aa1{n}'
            os.makedirs(job)
            os.rename(f'{top}/{name}', f'{job}/{name}')
            shutil.copy(top + '/series.json', job)
            with open(job + '/job.json', 'w') as f:
                json.dump({'job': os.path.basename(job), 'target': 'pacs', 'images': 1}, f)
        shutil.rmtree(top)
        os.mkdir(w.path + '/kept')

    def others(self, w):
        return server(w, ['python3', TOP + '/tests/tools/fakescp.py', str(w.port), '0000'], w.port)

    def arrived(self, w, target):
        return images(w.spool + '/success')


class Ahead(Chain):
    """A series that is still being received, and complete when two of its images were sent"""
    conf = Chain.conf.replace('"pacs" } }', '"pacs" } cut_through = yes }')
    router = 'association_grace = 0ms series_timeout = 24h'

    def make(self, w):
        batch(w, whole=False)
        if not watch(w, ['dcmspool-router'], lambda: glob.glob(w.spool + '/outgoing/pacs/*.ahead')):
            raise RuntimeError('was not decided early: ' + w.said())

    @contextlib.contextmanager
    def others(self, w):
        with super().others(w):
            router = w.start([w.program('dcmspool-router'), '-c', w.conf])
            yield
            w.stop(router)

    def done(self, w):
        ledgers = glob.glob(w.spool + '/*/pacs/*.ahead/sent.log')
        if sum(open(path).read().count('\n') for path in ledgers if os.path.exists(path)) >= 2:
            with contextlib.suppress(FileNotFoundError):
                complete(w)
        return at_rest(w)


class Sender(Scenario):
    """A sender that a healthy dispatcher starts; the first of them has the fault"""
    kind, type, settings = 'inside', None, ''

    def __init__(self, program, what='', **more):
        super().__init__(f'{program}, {what or "a job"}', program, **more)
        self.type = program.split('-')[1]
        self.conf = f'target "archive" {{ type = {self.type} {self.settings} {RETRY} }}\n' + TO.format('archive')

    def make(self, w):
        os.mkdir(w.path + '/archive')
        routed(w)

    def done(self, w):
        return queues_empty(w)


class BySender(Sender):
    """Whoever sent the images is in their path; a series.json that gives EIO is damaged"""
    settings = 'path = "archive" copy = yes marker = "complete" layout = "{SenderAET}/{SOPInstanceUID}.dcm"'

    def after(self, w):
        for many in images(w.path + '/archive').values():
            for _, path in many:
                if '/archive/CT1/' not in path and w.fault not in ('EIO', 'EACCES'):
                    w.wrong.append(('false', f'{path} is in the wrong place'))


class Dicom(Sender):
    settings = 'host = "127.0.0.1" port = @PORT@ aec = "PACS"'

    def others(self, w):
        w.environment['TCP_NODELAY'] = '1'
        return server(w, ['env', f'LD_PRELOAD={TOOLS}/loopback.so', 'storescp', '+B', '-od', w.path + '/archive',
                          str(w.port)], w.port)

    def folders(self, w):
        return []


class Dicomweb(Sender):
    settings = 'url = "http://127.0.0.1:@PORT@/dicom-web"'

    def others(self, w):
        return server(w, ['python3', TOP + '/tests/tools/fakestow.py', str(w.port), '--keep', w.path + '/archive'],
                      w.port)


class S3(Sender):
    settings = 'url = "http://127.0.0.1:@PORT@/archive" region = "eu-test-1" key_file = "key"'

    def make(self, w):
        with open(w.path + '/key', 'w') as f:
            f.write('AKIDEXAMPLE:se:cret/"\\+key\n')
        os.chmod(w.path + '/key', 0o600)
        super().make(w)

    def others(self, w):
        return server(w, ['python3', TOP + '/tests/tools/fakes3.py', str(w.port), w.path], w.port)


class Rsync(Sender):
    settings = 'destination = "@WORLD@/archive"'


class Command(Sender):
    settings = 'command = "@WORLD@/take @WORLD@/archive"'

    def make(self, w):
        write(w.path + '/take', '#!/bin/sh\nwhile read -r image; do cp "$image" "$1/$image.new" && '
                                'mv "$1/$image.new" "$1/$image" || exit 111; done\n')
        super().make(w)


class Sftp(Sender):
    settings = ('host = "127.0.0.1" port = @PORT@ username = "@USER@" key_file = "ssh/key" known_hosts = "ssh/known" '
                'folder = "@WORLD@/archive"')

    def __init__(self, program):
        super().__init__(program)
        user = subprocess.run(['id', '-un'], capture_output=True, text=True).stdout.strip()
        self.conf = self.conf.replace('@USER@', user)

    def make(self, w):
        ssh = w.path + '/ssh'
        os.mkdir(ssh)
        for key in ('host', 'key'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', f'{ssh}/{key}'], check=True)
        shutil.copy(ssh + '/key.pub', ssh + '/authorized')
        with open(ssh + '/known', 'w'):
            pass
        super().make(w)

    def others(self, w):
        ssh = w.path + '/ssh'
        if os.getuid() == 0:
            os.makedirs('/run/sshd', exist_ok=True)
        with open(ssh + '/config', 'w') as f:
            f.write(f'''Subsystem sftp internal-sftp
ListenAddress 127.0.0.1:{w.port}
HostKey {ssh}/host
AuthorizedKeysFile {ssh}/authorized
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
''')
        with open(ssh + '/host.pub') as f, open(ssh + '/known', 'w') as out:
            out.write(f'[127.0.0.1]:{w.port} {" ".join(f.read().split()[:2])}\n')
        return server(w, ['/usr/sbin/sshd', '-D', '-e', '-f', ssh + '/config'], w.port)


class Cleaner(Scenario):
    """Two jobs that have outlived their retention, one without its line in the journal, one half deleted; error stays"""
    conf = Scenario.conf + '\ncleaner { retention = 1s }'
    rest, discards = (), True
    balanced = False  # the journal has never heard of its jobs

    def make(self, w):
        sent(w)
        shutil.rmtree(w.path + '/archive')
        job = jobs(w, 'success')[0]
        old, top = job.replace('.archive', ''), f'{w.spool}/success/{job}'
        half = old[:-1] + ('0' if old[-1] != '0' else '1')
        os.unlink(top + '/.told')
        for place, name in ((f'discard/{old}', old), (f'error/{old}', old), (f'success/.deleting.{half}.archive', half)):
            shutil.copytree(top, f'{w.spool}/{place}')
            with open(f'{w.spool}/{place}/job.json', 'w') as f:
                json.dump({'job': name, 'target': 'archive', 'images': 3}, f)
        with open(f'{w.spool}/error/{old}/reason.txt', 'w') as f:
            f.write('it was refused\n')
        with open(w.path + '/jobs', 'w') as f:
            f.write(f'{old} {half}')

    def known(self, w):
        return {}

    def done(self, w):
        return not names(w.spool, 'success') and not names(w.spool, 'discard')

    has_errors = True

    def after(self, w):
        if len(images(w.spool + '/error')) != 3:
            w.wrong.append(('lost', 'what was in error/ is not whole'))
        told = {e['job'].replace('.archive', '') for e in journal(w) if e['event'] == 'deleted'}
        if told != set(open(w.path + '/jobs').read().split()):
            w.wrong.append(('false', f'the journal has the end of {told}'))


class Probe(Reader):
    """A sender that is asked whether its target can be used"""
    rest, keeps_nothing, argv = (), True, ('-p',)
    may_exit, healthy = {126}, (0, 111)  # dcmspool-sender(7): ours; nobody is there

    def __init__(self, program, **settings):
        super().__init__(program + ', is asked', program)
        self.settings = settings

    def make(self, w):
        os.mkdir(w.path + '/archive')
        with open(w.path + '/key', 'w') as f:
            f.write('access:secret\n')
        os.chmod(w.path + '/key', 0o600)

    def reader(self, w, strace, fault):
        w.environment.update({'DCMSPOOL_TARGET': 't', 'TARGET_TIMEOUT': '60',
                              'TARGET_LAYOUT': '{PatientID}/{SOPInstanceUID}.dcm',
                              **{'TARGET_' + k: v.format(w=w) for k, v in self.settings.items()}})
        super().reader(w, strace, fault)


HERE = {'HOST': '127.0.0.1', 'PORT': '1'}
PROBES = [
    Probe('send-folder', PATH='{w.path}/archive'),
    Probe('send-dicom', AEC='PACS', AET='ME', **HERE),
    Probe('send-dicomweb', URL='http://127.0.0.1:1/x'),
    Probe('send-s3', URL='http://127.0.0.1:1/x', KEY_FILE='{w.path}/key'),
    Probe('send-rsync', DESTINATION='{w.path}/archive'),
    Probe('send-command', COMMAND='/bin/true'),
    Probe('send-sftp', USERNAME='joe', KEY_FILE='{w.path}/key', KNOWN_HOSTS='{w.path}/key', FOLDER='/x', **HERE),
]
SCENARIOS = PROBES + [
    Dispatcher('a job'),
    Dispatcher('two targets', targets=('a', 'b'), conf=FOLDER.format('a') + '\n' + FOLDER.format('b') +
               '\nrule "all" { match = "True" targets = { "a", "b" } }'),
    InOrder('two series of a study'),
    Again('sent again'),
    Cancelled('cancelled while it was sent'),
    Picky('an image is refused'),
    Ahead('a series is sent ahead'),
    Chain('three jobs over one association'),
    Sender('send-folder', settings='path = "archive"'),
    BySender('send-folder', 'copies and a marker'),
    Dicom('send-dicom'), Dicomweb('send-dicomweb'), S3('send-s3'), Rsync('send-rsync'), Command('send-command'),
    Sftp('send-sftp'),
    Cleaner('dcmspool-cleaner'),
]
