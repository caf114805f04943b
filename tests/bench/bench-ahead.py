#!/usr/bin/env python3
"""bench-ahead.py: sending ahead (cut_through). Part of `make bench`.

How long after it was acknowledged is an image at the target, when one comes every 50 ms? And at full speed: how many
images a second are at the target, beside the same run with a folder that gets the series when it is complete? ROUNDS
interleaved rounds, medians. A folder of its own below TMPDIR (default: the build folder), which it removes.
"""
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

TOP = os.path.realpath(os.path.dirname(__file__) + '/../..')
BIN = os.path.realpath(os.environ.get('BIN', TOP + '/bin'))
BUILD = os.path.realpath(os.environ.get('BUILD', TOP + '/build'))
ROUNDS = int(os.environ.get('ROUNDS', 5))
PACED, EVERY_MS, FULL, SOON_S, PATIENCE_S = 100, 50, 400, 0.2, 60


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_until(what):
    end = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > end:
            raise SystemExit('bench: fatal: not within a minute')
        time.sleep(0.005)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


class Lines(threading.Thread):
    """When each line of a process came"""

    def __init__(self, p):
        super().__init__(daemon=True)
        self.p, self.came = p, []
        self.start()

    def run(self):
        for line in self.p.stdout:
            self.came.append((time.monotonic(), line.split()))


class Router:
    def __init__(self, top, target, cut_through):
        self.top, self.port, self.sink = tempfile.mkdtemp(dir=top), free_port(), free_port()
        self.running = []
        spool, conf = self.top + '/spool', self.top + '/dcmspool.conf'
        os.mkdir(self.top + '/folder')
        with open(conf, 'w') as f:
            f.write(f'spool = "{spool}"\nreceiver {{ port = {self.port} listen = {{ "127.0.0.1" }} min_free = 1 }}\n'
                    'router { association_grace = 0s }\n' + target.format(r=self) +
                    f'rule "all" {{ match = "True" targets = {{ "t" }} cut_through = {cut_through} }}\n')
        subprocess.run([BIN + '/dcmspool-layout', spool], check=True)
        self.sunk = Lines(self.start('python3', TOP + '/tests/tools/fakescp.py', str(self.sink), '0000'))
        for program in ('receiver', 'router', 'dispatcher'):
            self.start(f'{BIN}/dcmspool-{program}', '-c', conf)
        wait_until(lambda: listens(self.port) and listens(self.sink))

    def start(self, *argv):
        with open(self.top + '/log', 'ab') as log:
            p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log, text=True)
        self.running.append(p)
        return p

    def send(self, files, *options):
        """The lines of the sender, when it has ended"""
        p = self.start(BUILD + '/tests/rawsend', '127.0.0.1', str(self.port), '-c', 'DCMSPOOL', *options, *files)
        lines = Lines(p)
        if p.wait() != 0:
            raise SystemExit('bench: fatal: the sender has failed')
        lines.join()
        return {words[0]: at for at, words in lines.came if len(words) == 2 and words[1] == '0000'}

    def has_sunk(self, count):
        return len([1 for _, words in self.sunk.came if words[-1] == '0000']) >= count

    def has_filed(self, count):
        return sum(name.endswith('.dcm') for _, _, names in os.walk(self.top + '/folder') for name in names) >= count

    def end(self):
        for p in self.running:
            if p.poll() is None:
                p.terminate()
            p.wait()
        shutil.rmtree(self.top)


DICOM = 'target "t" {{ type = dicom host = "127.0.0.1" port = {r.sink} aec = "T" }}\n'
FOLDER = 'target "t" {{ type = folder path = "{r.top}/folder" }}\n'


def study(top, name, count):
    made = subprocess.run([BUILD + '/tests/makestudy', f'{top}/{name}', '-v', '-s', '1', '-n', str(count), '-r', '256', '-c',
                           '256'], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {line.split('\t')[0]: line.split('\t')[3] for line in made.splitlines()}


def paced(top, uids):
    """How late each image is"""
    router = Router(top, DICOM, 'yes')
    acked = router.send(sorted(uids), '-w', str(EVERY_MS))
    wait_until(lambda: router.has_sunk(len(uids)))
    sunk = {words[0]: at for at, words in router.sunk.came}
    router.end()
    return [max(0, sunk[uids[file]] - at) for file, at in acked.items()]


def full(top, uids, target, cut_through, done):
    """Images a second, from the first that was acknowledged to the last at the target"""
    router = Router(top, target, cut_through)
    acked = router.send(sorted(uids))
    wait_until(lambda: done(router, len(uids)))
    took = time.monotonic() - min(acked.values())
    router.end()
    return len(uids) / took


def main():
    top = tempfile.mkdtemp(prefix='bench.', dir=os.environ.get('TMPDIR', BUILD))
    late, ahead, folder = [], [], []
    try:
        slow, fast = study(top, 'slow', PACED), study(top, 'fast', FULL)
        for _ in range(ROUNDS):
            late += paced(top, slow)
            ahead.append(full(top, fast, DICOM, 'yes', Router.has_sunk))
            folder.append(full(top, fast, FOLDER, 'no', Router.has_filed))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    late.sort()
    soon = 100 * sum(t < SOON_S for t in late) / len(late)
    print(f'sent ahead, an image every {EVERY_MS} ms: {soon:.1f} % at the target within {SOON_S:.1f} s, '
          f'median {1000 * statistics.median(late):.0f} ms, 99 % {1000 * late[int(len(late) * .99) - 1]:.0f} ms, '
          f'last {1000 * late[-1]:.0f} ms')
    a, f = statistics.median(ahead), statistics.median(folder)
    print(f'at full speed, images/s at the target: sent ahead {a:.0f}, folder {f:.0f}, ratio {a / f:.2f}')


main()
