"""driver: the whole system under `dcmspool up`, real senders that write down what was acknowledged, and targets.

A scenario is a folder of its own. What happens is written down as it happens, by one write of O_APPEND a line:

  offered        SOP instance, hash of the data set, the rest as in acknowledged: before it is sent
  acknowledged   SOP instance, hash, kind, file: after the answer came that says success
  NAME.answers   SOP instance, hash, answer: what the DICOM target NAME is about to answer (tools/fakescp.py)

The kind of a series is its SeriesDescription; by it the rules of the configuration choose, and so does oracle.py.
"""
import hashlib
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get('BIN', TOP / 'bin')).resolve()
TOOLS = Path(os.environ.get('BUILD', TOP / 'build')).resolve() / 'tests'
PYTHON = '/usr/bin/python3'

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started and mounted goes


def data_set(path):
    """The bytes behind preamble and file meta header."""
    data = Path(path).read_bytes()
    if data[128:132] != b'DICM':
        return data
    return data[144 + struct.unpack_from('<I', data, 140)[0]:]


def sop_instance(path):
    """(0002,0003), as dicomcmp has it; empty without one."""
    with open(path, 'rb') as f:
        head = f.read(1024)
    at = head.find(b'\2\0\3\0UI')
    if at < 0:
        return ''
    length = struct.unpack_from('<H', head, at + 6)[0]
    return head[at + 8:at + 8 + length].rstrip(b'\0 ').decode('latin-1')


def hashed(data):
    return hashlib.sha256(data).hexdigest()[:32]


def wait_for(condition, seconds=60, pause=0.1):
    """Until condition() is true; what it was at last, after the deadline."""
    deadline = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < deadline:
        select.select([], [], [], pause)
    return result


def with_own_mounts():
    """What we mount is nobody else's: others' mount namespaces would hold it, and it goes with us."""
    if os.environ.get('OWN_MOUNTS') != str(os.getpid()):
        os.environ['OWN_MOUNTS'] = str(os.getpid())
        os.execvp('unshare', ['unshare', '--mount', sys.executable, *sys.argv])


def free_port():
    """Scenarios run at the same time, with the same seed perhaps."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as s:
            if s.connect_ex(('127.0.0.1', port)):
                return port


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


def append(path, *fields):
    line = ('\t'.join(str(f) for f in fields) + '\n').encode()
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, line)
    finally:
        os.close(fd)


def rows(path):
    """The whole lines of a file of such lines."""
    try:
        text = Path(path).read_text('latin-1')
    except FileNotFoundError:
        return []
    return [line.split('\t') for line in text.split('\n')[:-1]]


class Target:
    """A place that images go to. `answers` are those of fakescp.py; None is a folder, nothing a port where nobody is.
    `honest`: what it says is so, so nothing may end in error/."""

    def __init__(self, name, answers=None, settings='', honest=True):
        self.name, self.answers, self.settings, self.honest = name, answers, settings, honest
        self.port, self.process = None, None

    def section(self, folder):
        if self.answers is None:
            kind = f'type = folder path = "{folder}"'
        else:
            kind = f'type = dicom host = "127.0.0.1" port = {self.port} aec = "T" timeout = 2s'
        return (f'target "{self.name}" {{ {kind} retry_min = 100ms retry_max = 1s image_retries = 3 '
                f'{self.settings} }}\n')


class System:
    """One scenario. rules: kind of series ("*": any) -> names of its targets; an empty list: it is discarded.
    ahead: series are sent while they are being received."""

    def __init__(self, folder, targets, rules, seed, spool=None, grace='200ms', wrap=(), ahead=False):
        self.folder, self.seed, self.dice = Path(folder), seed, random.Random(seed)
        self.targets, self.rules, self.wrap = {t.name: t for t in targets}, rules, list(wrap)
        self.spool = Path(spool or self.folder / 'spool')
        self.archives = Path(spool).parent if spool else self.folder
        self.conf, self.up, self.made = self.folder / 'dcmspool.conf', None, 0
        self.lock = threading.Lock()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        for t in targets:
            t.port = free_port()
        self.grace, self.ahead = grace, ahead
        self.configure()

    def configure(self):
        text = [f'spool = "{self.spool}"\n',
                f'receiver {{ port = {self.port} listen = {{ "127.0.0.1" }} min_free = 0 request_timeout = 5s '
                'dimse_timeout = 20s max_associations = 300 max_associations_per_peer = 300 }\n',
                f'router {{ instances = 2 association_grace = {self.grace} series_timeout = 2s }}\n'
                'dispatcher { instances = %d }\n' % max(3, len(self.targets))]
        text += [t.section(self.archive(t)) for t in self.targets.values()]
        for kind, names in self.rules.items():
            what = 'targets = { %s }' % ', '.join(f'"{n}"' for n in names) if names else 'action = discard'
            what += ' cut_through = yes' if names and self.ahead else ''
            match = 'True' if kind == '*' else f"tags.SeriesDescription == '{kind}'"
            text.append(f'rule "{kind.replace("*", "any")}" {{ match = "{match}" {what} }}\n')
        self.conf.write_text(''.join(text))

    def archive(self, target):
        return self.archives / f'folder.{target.name}'

    def answers(self, target):
        return self.folder / f'{target.name}.answers'

    # ---- running ----

    def start_target(self, target, answers=None):
        answers = target.answers if answers is None else answers
        if not answers:
            return
        with open(self.folder / f'{target.name}.log', 'a') as log:
            target.process = subprocess.Popen(
                [PYTHON, TOP / 'tests/tools/fakescp.py', str(target.port), f'log={self.answers(target)}',
                 f'seed={self.seed}', *answers.split()], stdout=subprocess.DEVNULL, stderr=log)
        if not wait_for(lambda: listens(target.port)):
            sys.exit(f'the target {target.name} does not listen')

    def stop_target(self, target):
        if target.process:
            target.process.kill()
            target.process.wait()
            target.process = None

    def start(self):
        self.start_up()
        for t in self.targets.values():
            if not t.process:
                self.start_target(t)

    def start_up(self):
        with open(self.folder / 'up.log', 'a') as log:
            self.up = subprocess.Popen([*self.wrap, BIN / 'dcmspool', 'up', '--root', '-c', self.conf],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if not wait_for(lambda: listens(self.port) or self.up.poll() is not None) or self.up.poll() is not None:
            raise RuntimeError('dcmspool up does not start:\n' + (self.folder / 'up.log').read_text()[-2000:])

    def processes(self):
        """pid -> name of all that work in the spool, supervisors too: each has its directory in it."""
        found, spool = {}, str(self.spool)
        for entry in os.scandir('/proc'):
            if not entry.name.isdigit():
                continue
            try:
                where = os.readlink(f'/proc/{entry.name}/cwd')
                if where == spool or where.startswith(spool + '/'):
                    found[int(entry.name)] = os.path.basename(os.readlink(f'/proc/{entry.name}/exe'))
            except OSError:
                continue
        return found

    def signal(self, number, names=('',)):
        """To all whose name begins with one of these; their pids."""
        told = [pid for pid, name in self.processes().items() if name.startswith(tuple(names))]
        for pid in told:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return told

    def stop_up(self):
        if self.up:
            self.signal(signal.SIGCONT)
            if self.up.poll() is None:
                self.up.terminate()
            try:
                self.up.wait(60)
            except subprocess.TimeoutExpired:
                self.up.kill()
                self.up.wait()
            self.up = None
        return wait_for(lambda: not self.processes(), 30)

    def kill(self):
        """As a power cut ends everything."""
        if self.up:
            self.up.kill()
            self.up.wait()
            self.up = None
        while self.processes():
            self.signal(signal.SIGKILL)

    def stop(self):
        try:
            ended = self.stop_up()
        finally:
            self.kill()
            for t in self.targets.values():
                self.stop_target(t)
        return ended

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def verb(self, *words):
        return subprocess.run([BIN / 'dcmspool', words[0], '-c', self.conf, *words[1:]], capture_output=True, text=True)

    # ---- sending ----

    def series(self, kind, images=4, series=1, **options):
        """Makes a study; the paths of its images."""
        with self.lock:
            self.made += 1
            where = self.folder / 'made' / f'{self.made}'
        size = self.dice.choice(['16', '32', '64', '100', '200'])
        command = [TOOLS / 'makestudy', where, '-s', str(series), '-n', str(images), '-r', size, '-c', size,
                   '-d', kind]
        for letter, value in options.items():
            command += [f'-{letter}', str(value)]
        where.parent.mkdir(exist_ok=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return sorted(str(p) for p in where.rglob('*.dcm'))

    def note(self, what, kind, path):
        append(self.folder / what, sop_instance(path), hashed(data_set(path)), kind, path)

    def send(self, kind, paths, tool='rawsend', options=()):
        """Sends them over one connection; returns those that were not acknowledged."""
        for path in paths:
            self.note('offered', kind, path)
        host = ['127.0.0.1', str(self.port)]
        command = {'rawsend': [TOOLS / 'rawsend', *host, '-c', 'DCMSPOOL', '-T', '30', *options],
                   'storescu': ['storescu', '-v', '-aec', 'DCMSPOOL', '-td', '30', '-ta', '30', *host],
                   'dcmsend': ['dcmsend', '-d', '-nuc', '-aec', 'DCMSPOOL', '-td', '30', '-ta', '30', *host]}[tool]
        waiting, at = list(paths), None
        with subprocess.Popen([*command, *paths], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, env=dict(os.environ, TCP_NODELAY='1'),
                              text=True, errors='replace') as process:
            for line in process.stdout:
                if tool == 'rawsend':
                    at, _, status = line.rstrip().rpartition(' ')
                    stored = status == '0000'
                elif match := re.search(r'(?:Sending file|sending SOP instance from file): (.*)', line):
                    at, stored = match[1], False
                else:
                    stored = re.search(r'DIMSE Status  *: 0x0000|Store Response \(Success', line)
                if stored and at in waiting:
                    self.note('acknowledged', kind, at)
                    waiting.remove(at)
        return waiting

    def deliver(self, kind, paths, tool='rawsend', until=None):
        """As a modality does: what was not acknowledged is sent again. False: `until` was over before all was."""
        while paths:
            before = len(paths)
            paths = self.send(kind, paths, tool)
            if not paths or (until is not None and time.monotonic() > until):
                break
            if len(paths) == before:
                select.select([], [], [], 0.1)
        return not paths
