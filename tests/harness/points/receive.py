"""What receives: receiver, association, storescp under its preloaded library, getdcmtags."""
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from engine import exits, supervise
from reader import Reader
from scenario import ASSOCIATION, SERIES, Scenario, study, write
from world import TOOLS, image, images, known, names, syntax, wait_until

STAND_INS = {'1.2.840.10008.1.2.4.70': '1.2.840.10008.1.2.4.201'}


def received(w):
    return not names(w.spool, 'receiving')


class Dead(Scenario):
    """What a dead association has left: three images"""
    kind, ok, stand_ins = 'command', True, None

    def make(self, w):
        top = f'{w.spool}/receiving/{ASSOCIATION}'
        os.mkdir(top)
        options = ['-P', list(STAND_INS)[0]] if self.stand_ins else []
        for path in study(w, *options):
            shutil.copy(path, f'{top}/{os.path.basename(path)}' + ('.ok' if self.ok else ''))
        said = {'association': ASSOCIATION, 'peer': '127.0.0.1', 'calling_aet': 'CT1', 'called_aet': 'DCMSPOOL'}
        if self.ok:
            said['ok'] = True
            shutil.copy(path, f'{top}/CT.X.9')  # was not acknowledged
        if self.stand_ins:
            said['stand_ins'] = self.stand_ins
        with open(top + '/association.json', 'w') as f:
            json.dump(said, f)

    def done(self, w):
        mine = names(w.spool, 'receiving/' + ASSOCIATION)
        return not [n for n in mine if n not in ('association.json', '.reading')]

    def command(self, w, strace, fault):
        """`filed` says of every image of the batch that it is whole"""
        super().command(w, strace, fault)
        with open('/proc/sys/kernel/random/boot_id') as f:
            boot = f.read(8)
        filed = {}
        for line in open(f'{w.spool}/incoming/{SERIES}/filed') if names(w.spool, 'incoming/' + SERIES) else []:
            boot_then, size, name, *_ = line.split()
            filed[name] = (boot_then, int(size))
        for name in names(w.spool, 'incoming/' + SERIES):
            path = f'{w.spool}/incoming/{SERIES}/{name}'
            if name.endswith('.dcm') and filed.get(name) != (boot, os.path.getsize(path)):
                w.wrong.append(('stuck', f'filed says {filed.get(name)} of {name}'))

    def after(self, w):
        for many in images(w.spool + '/success').values():
            for _, path in many:
                # who may read a file does not change from one call to the next, but here
                if self.stand_ins and w.fault != 'EACCES' and syntax(path) not in self.stand_ins.values():
                    w.wrong.append(('false', f'{path} has the transfer syntax {syntax(path)}'))


class Recovered(Dead):
    def done(self, w):
        return received(w)


class FileOne(Scenario):
    """getdcmtags as a command: one image is filed"""
    kind = 'command'
    argv = ('-c', '{w.conf}', '{w.path}/one.dcm', '127.0.0.1', 'CT1', 'DCMSPOOL')
    router = 'association_grace = 0ms series_timeout = 100ms'

    def make(self, w):
        shutil.copy(study(w, count=1)[0], w.path + '/one.dcm')

    def done(self, w):
        return not os.path.exists(w.path + '/one.dcm')


class Reception(Scenario):
    """A sender sends three images; what was not acknowledged it sends again, without the fault"""
    kind = 'inside'

    def make(self, w):
        study(w)

    def known(self, w):
        return {}

    def send(self, w, name):
        out = f'{w.path}/{name}'
        files = [f'{w.path}/study/SE0001/{n}' for n in names(w.path, 'study/SE0001')]
        with open(out, 'w') as f:
            p = w.start([TOOLS + '/rawsend', '127.0.0.1', str(w.port), '-c', 'DCMSPOOL', *files], stdout=f)
            p.wait(60)
        with open(out) as f:
            acknowledged = [m[1] for m in re.finditer(r'^(\S.*) 0000$', f.read(), re.M)]
        for path in acknowledged:
            uid, digest = image(path)
            w.acked[uid] = digest
        return len(acknowledged) == len(files)

    def recover(self, w):
        """What is not the receiver's to recover"""

    def lives(self, w):
        """What is started again when it has ended, is now"""
        return True

    def attack(self, w):
        self.send(w, 'answers')
        self.recover(w)
        if not wait_until(lambda: self.lives(w) and received(w)):
            w.wrong.append(('stuck', f'receiving/ has {names(w.spool, "receiving")}'))
        if not wait_until(lambda: self.lives(w) and self.send(w, 'answers again')):
            w.wrong.append(('stuck', 'the sender cannot send again'))
        wait_until(lambda: self.lives(w) and received(w))

    def inside(self, w, strace, fault):
        w.environment['POINTS_STRACE'] = ' '.join(strace)
        w.environment['PATH'] = w.path + '/bin:' + w.environment['PATH']
        receiver = w.start([w.program('dcmspool-receiver'), '-c', w.conf])
        if not wait_until(lambda: ' listening on ' in w.said()):  # a connection would be its first
            raise RuntimeError('nobody listens')
        self.attack(w)
        if w.stop(receiver) != 0:
            w.wrong.append(('stuck', 'the receiver did not stop well'))

    def after(self, w):
        # what was filed and not acknowledged may be there as well, whole
        sent = known(w.path + '/study')
        for uid, many in images(w.spool).items():
            for digest, path in many:
                if sent.get(uid) != digest:
                    w.wrong.append(('false', f'{path} was never sent'))


class Own(Reception):
    """The first storescp, which is to wait, ends: the second is for the connection"""

    def put_inside(self, w):
        super().put_inside(w)
        with open(w.path + '/bin/storescp') as f:
            shim = f.read()
        write(w.path + '/bin/storescp', shim.replace(
            '#!/bin/sh\n', '#!/bin/sh\ncase "$*" in *" /dcmspool/profile "*) exit 7 ;; esac\n'))


class Forked(Reception):
    """As above; strace is attached to a running process, and follows what it forks until the fault has struck"""
    kind, follow, twice = 'forked', ('-f',), True

    def victim(self, w, receiver):
        return receiver.pid

    def attach(self, w, pid, strace):
        tracer = w.start(['strace', '-qq', '-o', w.path + '/trace', '-p', str(pid), *strace])

        def traced():
            try:
                with open(f'/proc/{pid}/status') as f:
                    return 'TracerPid:\t0\n' not in f.read()
            except FileNotFoundError:  # the call in which it slept has failed
                return True
        if not wait_until(traced):
            raise RuntimeError('strace does not attach')
        threading.Thread(target=self.once, args=(w, tracer), daemon=True).start()
        return tracer

    def once(self, w, tracer):
        """Each process would get the fault at its own call of that number"""
        while tracer.poll() is None:
            with open(w.path + '/trace', errors='replace') as f:
                if re.search(r'\(INJECTED\)|killed by SIGKILL', f.read()):
                    tracer.terminate()
            time.sleep(0.002)

    def forked(self, w, strace, fault):
        receiver = w.start([w.program('dcmspool-receiver'), '-c', w.conf])
        if not wait_until(lambda: 'a storescp waits for connections' in w.said()):
            raise RuntimeError('no storescp waits')
        w.receiver, w.ends = receiver, []
        tracer = self.attach(w, self.victim(w, receiver), strace)
        self.attack(w)
        tracer.terminate()
        tracer.wait()
        w.ends.append(w.stop(w.receiver))
        if w.ends[0] != 0 and not exits(w, w.ends[0], fault, ()) and any(w.ends[1:]):
            w.wrong.append(('stuck', f'the receiver ended with {w.ends}'))

    def lives(self, w):
        """As s6 does"""
        if w.receiver.poll() is not None:
            w.ends.append(w.receiver.returncode)
            w.receiver = w.start([w.program('dcmspool-receiver'), '-c', w.conf])
            return False
        return True


class Behind(Reception):
    """dcmspool-association as another server starts it, the first time with the fault"""
    kind = 'behind'

    def recover(self, w):
        for name in names(w.spool, 'receiving'):
            w.start([w.program('dcmspool-association'), '-c', w.conf, '-r', name]).wait(60)

    def behind(self, w, strace, fault):
        argv, faults = [w.program('dcmspool-association'), '-c', w.conf], [strace]
        with socket.create_server(('127.0.0.1', w.port)) as server:
            def serve():
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:  # it is closed
                        return
                    with connection:
                        w.start(argv, faults.pop() if faults else None, stdin=connection)
            threading.Thread(target=serve, daemon=True).start()
            self.attack(w)
            server.shutdown(socket.SHUT_RDWR)


class Waiting(Forked):
    """The storescp that waits, and its children"""

    def victim(self, w, receiver):
        found = subprocess.run(['pgrep', '-x', 'storescp', '-P', str(receiver.pid)], capture_output=True, text=True)
        return int(found.stdout)


class Receiver(Reception):
    kind = 'receiver'

    def receiver(self, w, strace, fault):
        did = []

        def done():
            if not did and ' listening on ' in w.said():
                did.append(self.attack(w))
            return bool(did)
        supervise(w, self.arguments(w), strace, fault, done, 60)


def print_tags(what, argv, **more):
    class One(Reader):
        rest, keeps_nothing = (), True

        def make(self, w):
            study(w, count=1)
    return One('getdcmtags, ' + what, 'getdcmtags', argv=argv, **more)


WATCH = ('-c', '{w.conf}', '-w', 'receiving/' + ASSOCIATION)
RECOVER = ('-c', '{w.conf}', '-r', ASSOCIATION)
IMAGE = '{w.path}/study/SE0001/IM00001.dcm'
SCENARIOS = [
    Dead('getdcmtags, acknowledged images', 'getdcmtags', argv=WATCH),
    Dead('getdcmtags, images of before', 'getdcmtags', argv=WATCH, ok=False),
    Dead('getdcmtags, corrected images', 'getdcmtags', argv=WATCH, stand_ins=STAND_INS),
    Recovered('dcmspool-association, recovery', 'dcmspool-association', argv=RECOVER),
    Recovered('dcmspool-association, recovery of images of before', 'dcmspool-association', argv=RECOVER, ok=False),
    Recovered('dcmspool-fsck, repair of an association', 'dcmspool-fsck', argv=('-r', '-c', '{w.conf}')),
    FileOne('getdcmtags, one image'),
    print_tags('prints', ('-p', IMAGE)),
    print_tags('is it whole', ('-k', IMAGE)),
    Receiver('dcmspool-receiver, three images', 'dcmspool-receiver'),
    Forked('dcmspool-receiver, its children', 'dcmspool-receiver'),
    Behind('dcmspool-association, three images', 'dcmspool-association'),
    Waiting('storescp, three images', 'storescp'),
    Own('storescp, one of its own', 'storescp'),
]
