"""A world: a directory with a configuration, a spool, and the programs that work in it. It has one fault at most."""
import glob
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

TOP = os.path.realpath(os.path.dirname(__file__) + '/../../..')
BIN = os.path.realpath(os.environ.get('BIN', TOP + '/bin'))
TOOLS = os.path.realpath(os.environ.get('BUILD', TOP + '/build')) + '/tests'
PATIENCE_S = 45  # what failed is looked at again within 30 s
ENDING_S = 20

_ports = itertools.cycle(random.sample(range(10000, 20000), 10000))  # not those of the other tests
_ports_lock = threading.Lock()


def free_port():
    with _ports_lock:
        for port in _ports:
            with socket.socket() as s:
                try:
                    s.bind(('127.0.0.1', port))
                    return port
                except OSError:
                    continue
    raise RuntimeError('no port is free')


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


def wait_until(what, seconds=PATIENCE_S):
    """Is it so within that time?"""
    end, pause = time.monotonic() + seconds, 0.01
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(pause * 1.3, 0.25)
    return True


class World:
    """wrong: what went against the laws, as (lost, stuck or false, in words)"""
    alive = set()

    def __init__(self, path, template=None, port=None):
        self.path, self.spool, self.conf = path, path + '/spool', path + '/conf'
        self.port, self.acked, self.wrong, self.running = port or free_port(), {}, [], []
        self.may_exit = set()  # besides what a failure that may pass exits with
        World.alive.add(self)
        if template:
            subprocess.run(['cp', '-a', template, path], check=True)
            self.configure()
        else:
            os.mkdir(path)
        self.log = open(path + '/log', 'ab')
        self.environment = {**os.environ, 'POINTS_WORLD': path, 'ASAN_OPTIONS': 'detect_leaks=0'}
        for name in ('DCMSPOOL_CONF', 'POINTS_STRACE'):
            self.environment.pop(name, None)

    def configure(self):
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, 'w') as f:
            f.write(text.replace('@PORT@', str(self.port)).replace('@WORLD@', self.path))

    def program(self, name):
        """Of this world, when its scenario has one of its own"""
        own = self.path + '/bin/' + name
        return own if os.path.exists(own) else f'{BIN}/{name}'

    stopping = False

    def start(self, argv, strace=None, **more):
        """strace -D: the program itself is our child, and strace its tracer only"""
        if strace:
            argv = ['strace', '-D', '-qq', '-o', self.path + '/trace', *strace, *argv]
        if World.stopping:
            raise SystemExit
        more.setdefault('stdin', subprocess.DEVNULL)
        more.setdefault('stdout', self.log)
        p = subprocess.Popen(argv, stderr=self.log, cwd=more.pop('cwd', self.path), start_new_session=True,
                             env={**self.environment, **more.pop('env', {})}, **more)
        self.running.append(p)
        return p

    def stop(self, p):
        """Its exit status; what does not end when it is told to is stuck"""
        if p.poll() is None:
            p.terminate()
        try:
            return p.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self.wrong.append(('stuck', f'{p.args[-3:]} did not end by SIGTERM'))
            p.kill()
            return p.wait()

    def end(self):
        for p in self.running:
            if p.poll() is None:
                p.terminate()
        for p in self.running:
            try:
                p.wait(ENDING_S)
            except subprocess.TimeoutExpired:
                pass
        self.kill()  # what outlives its parent: recoveries
        for p in self.running:
            p.wait()
        self.log.close()
        World.alive.discard(self)

    def kill(self):
        for p in self.running:
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def remove(self):
        for _ in range(5):
            shutil.rmtree(self.path, ignore_errors=True)
            if not os.path.exists(self.path):
                return

    def said(self):
        with open(self.path + '/log', errors='replace') as f:
            return f.read()


def names(*parts):
    try:
        return sorted(os.listdir('/'.join(parts)))
    except (FileNotFoundError, NotADirectoryError):
        return []


def jobs(w, stage):
    """The directories of a stage, or of a target in it"""
    return [n for n in names(w.spool, stage) if os.path.isdir(f'{w.spool}/{stage}/{n}') and n[0] != '.']


def before_queues(w):
    return not any(names(w.spool, d) for d in ('receiving', 'incoming', 'routing'))


def queues_empty(w):
    return not any(jobs(w, f'{d}/{t}') for d in ('outgoing', 'sending') for t in names(w.spool, d))


def at_rest(w):
    return before_queues(w) and queues_empty(w)


def meta(data):
    """The elements of a file's meta header as text, and where the data set begins; None: no image"""
    if data[128:132] != b'DICM' or data[132:136] != b'\2\0\0\0':
        return None
    at, end, found = 144, 144 + int.from_bytes(data[140:144], 'little'), {}
    while at + 8 <= end:
        long = data[at + 4:at + 6] in (b'OB', b'UN', b'UT', b'OW', b'SQ')
        size = int.from_bytes(data[at + 8:at + 12] if long else data[at + 6:at + 8], 'little')
        value = at + (12 if long else 8)
        found[data[at:at + 4]] = data[value:value + size].rstrip(b'\0 ').decode(errors='replace')
        at = value + size
    return found, end


SOP, SYNTAX = b'\2\0\3\0', b'\2\0\x10\0'


def read_meta(path):
    try:
        if not os.path.isfile(path):  # the pipes of a supervisor
            return None, b''
        with open(path, 'rb') as f:
            data = f.read()
    except FileNotFoundError:
        return None, b''
    return meta(data), data


def image(path):
    """(SOP Instance UID, hash of the data set), or None: no image"""
    found, data = read_meta(path)
    return found and (found[0].get(SOP), hashlib.sha256(data[found[1]:]).hexdigest())


def syntax(path):
    """The transfer syntax of an image"""
    return read_meta(path)[0][0][SYNTAX]


def images(top):
    """{UID: [(hash, path)]} of every image below"""
    found = {}
    for directory, _, files in os.walk(top):
        for name in files:
            one = image(f'{directory}/{name}')
            if one:
                found.setdefault(one[0], []).append((one[1], f'{directory}/{name}'))
    return found


def known(top):
    """{UID: hash}, where each is there once"""
    return {uid: many[0][0] for uid, many in images(top).items()}


def snapshot(top):
    """Every name below, and what is in it"""
    found = {}
    for directory, folders, files in os.walk(top):
        for name in folders:
            found[f'{directory}/{name}/'] = ''
        for name in files:
            with open(f'{directory}/{name}', 'rb') as f:
                found[f'{directory}/{name}'] = hashlib.sha256(f.read()).hexdigest()
    return found


def journal(w):
    lines = []
    for path in sorted(glob.glob(w.spool + '/journal/*.jsonl')):
        with open(path, errors='replace') as f:
            lines += f.read().splitlines()
    events = []
    for line in lines:
        try:
            events.append(json.loads(line))
        except ValueError:
            events.append({'event': 'unreadable', 'line': line})
    return events
