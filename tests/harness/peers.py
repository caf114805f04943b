"""peers.py FOLDER CASE COUNT [SEED]: what is at the other ends of the connections.

  cut, flip, lie, garbage   COUNT associations of three images that are played from bytes: the connection is cut at a
                            PDU's boundary or inside it, a bit is flipped, a length lies, a PDU is garbage
  callers                   COUNT callers at once, each with an image of its own
  series                    one series on eight connections, COUNT times
  same                      the same image on eight connections at the same time, COUNT times
  claim                     COUNT images of one series, each over a connection of its own, around its claim
  targets                   targets that answer late, twice, wrongly, in doubt, never; COUNT series for each
"""
import socket
import struct
import sys
import threading
import time

import oracle
from driver import System, Target, append, data_set, hashed, sop_instance, wait_for

CT, EXPLICIT = b'1.2.840.10008.5.1.4.1.1.2', b'1.2.840.10008.1.2.1'
ANSWERS = ['slow', 'twice', 'b000', 'a700', '0122', 'wrongid', 'nostatus', 'abort', 'hang']


def item(kind, data):
    return struct.pack('>BxH', kind, len(data)) + data


def pdu(kind, body):
    return bytearray(struct.pack('>BxL', kind, len(body)) + body)


def request():
    context = item(0x20, b'\1\0\0\0' + item(0x30, CT) + item(0x40, EXPLICIT))
    body = b'\0\1\0\0' + b'%-16s%-16s' % (b'DCMSPOOL', b'PEER') + bytes(32)
    body += item(0x10, b'1.2.840.10008.3.1.1.1') + context
    return pdu(1, body + item(0x50, item(0x51, b'\0\0\x40\0') + item(0x52, b'2.25.1')))


def element(number, value):
    return struct.pack('<HHI', 0, number, len(value)) + value


def even(text):
    return text.encode() + b'\0' * (len(text) % 2)


def store(path, message):
    """The PDUs of one C-STORE."""
    command = b''.join(element(*e) for e in (
        (2, CT + b'\0'), (0x100, b'\1\0'), (0x110, struct.pack('<H', message)), (0x700, b'\0\0'),
        (0x800, b'\1\0'), (0x1000, even(sop_instance(path)))))
    command = element(0, struct.pack('<I', len(command))) + command
    data = data_set(path)
    yield pdu(4, struct.pack('>IBB', len(command) + 2, 1, 3) + command)
    for at in range(0, len(data), 8000):
        piece = data[at:at + 8000]
        yield pdu(4, struct.pack('>IBB', len(piece) + 2, 1, 2 if at + 8000 >= len(data) else 0) + piece)


def take(connection, length):
    data = b''
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def receive(connection):
    kind, length = struct.unpack('>BxL', take(connection, 6))
    return kind, take(connection, length)


def is_success(body):
    at = body.find(b'\0\0\0\x09\2\0\0\0')
    return at >= 0 and body[at + 8:at + 10] == b'\0\0'


class Play:
    """An association as a list of PDUs, one of which a fault changes."""

    def __init__(self, system, paths):
        self.system, self.dice = system, system.dice
        self.pdus, self.ends = [request()], {}
        for n, path in enumerate(paths):
            self.pdus += store(path, n + 1)
            self.ends[len(self.pdus) - 1] = path
        self.pdus.append(pdu(5, bytes(4)))
        self.data = {path: data_set(path) for path in paths}
        self.patience = 60

    def note(self, what, path):
        append(self.system.folder / what, sop_instance(path), hashed(self.data[path]), 'all', path)

    def spoil(self, how):
        """Returns (PDU, byte) at which the connection is cut, if it is."""
        n, self.patience = self.dice.randrange(len(self.pdus)), 8
        at = self.dice.randrange(len(self.pdus[n]))
        if how == 'cut':
            return n, self.dice.choice([0, 1, 6, at])
        if how == 'flip':
            self.pdus[n][at] ^= 1 << self.dice.randrange(8)
        elif how == 'lie':
            at = 2 if n in (0, len(self.pdus) - 1) else self.dice.choice([2, 6])
            length = self.dice.choice([0, 1, 5, 0xffff, 0x7fffffff, 0xffffffff, self.dice.randrange(1 << 16)])
            self.pdus[n][at:at + 4] = struct.pack('>I', length)
        elif how == 'garbage':
            self.pdus[n] = bytearray(self.dice.randbytes(self.dice.randrange(1, 2000)))
        self.reread(n)
        return None

    def reread(self, n):
        """What is offered is what goes out, however wrong it is."""
        first = 1
        for end, path in self.ends.items():
            if first <= n <= end:
                self.data[path] = b''.join(bytes(p[12:]) for p in self.pdus[first + 1:end + 1])
            first = end + 1

    def run(self, cut=None):
        for path in self.data:
            self.note('offered', path)
        try:
            with socket.create_connection(('127.0.0.1', self.system.port), 20) as connection:
                connection.settimeout(self.patience)
                self.talk(connection, cut)
        except OSError:
            pass

    def talk(self, connection, cut):
        for n, one in enumerate(self.pdus):
            if cut and cut[0] == n:
                connection.sendall(one[:cut[1]])
                if self.dice.random() < 0.3:  # with a reset
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                return
            connection.sendall(one)
            if n == 0 and receive(connection)[0] != 2:
                return
            if n in self.ends:
                kind, body = receive(connection)
                if kind != 4:
                    return
                if is_success(body):
                    self.note('acknowledged', self.ends[n])
        receive(connection)


def spoiled(how):
    def play(system, count):
        series = [system.series('all', images=3, series=1) for _ in range(count)]
        plays = [Play(system, paths) for paths in series]
        cuts = [p.spoil(how) for p in plays]
        at_once([lambda p=p, c=c: p.run(c) for p, c in zip(plays, cuts)], 16)
    return play


def at_once(calls, most=300):
    room = threading.Semaphore(most)

    def one(call):
        with room:
            call()
    threads = [threading.Thread(target=one, args=(c,)) for c in calls]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def callers(system, count):
    paths = system.series('all', images=1, series=count)
    at_once([Play(system, [path]).run for path in paths])


def series(system, count):
    for _ in range(count):
        paths = system.series('all', images=40)
        at_once([lambda i=i: system.deliver('all', paths[i::8]) for i in range(8)])


def same(system, count):
    for _ in range(count):
        path = system.series('all', images=1)[0]
        at_once([Play(system, [path]).run for _ in range(8)])


def claim(system, count):
    """association_grace is 0.2 s."""
    for path in system.series('all', images=count):
        Play(system, [path]).run()
        wait_for(lambda: False, system.dice.choice([0, 0.01, 0.19, 0.2, 0.21, 0.23, 0.26, 0.3]) , 0.005)


def targets(system, count):
    for answer in ANSWERS:
        for _ in range(count):
            system.deliver(answer, system.series(answer, images=3))
    oracle.rest(system, apart=[a for a in ANSWERS if a not in ('slow', 'twice', 'b000')], seconds=20)
    for target in system.targets.values():
        if target.answers not in ('slow', 'twice', 'b000'):
            queue = system.spool / 'outgoing' / target.name
            assert wait_for(lambda: (queue / 'paused.json').exists() or not list(queue.glob('2*')) or
                            all((j / 'retry.json').exists() for j in queue.glob('2*'))), target.name
            system.stop_target(target)
            system.start_target(target, '0000')
            system.verb('retry', target.name)


CASES = {how: spoiled(how) for how in ('cut', 'flip', 'lie', 'garbage')}
CASES |= {f.__name__: f for f in (callers, series, same, claim, targets)}


def main(folder, case, count, seed):
    print(f'peers {case}: seed {seed}', flush=True)
    if case == 'targets':
        system = System(folder, [Target(a, a, honest=False) for a in ANSWERS], {a: [a] for a in ANSWERS}, seed)
    else:
        system = System(folder, [Target('archive')], {'*': ['archive'], 'all': ['archive']}, seed)
    system.start()
    try:
        CASES[case](system, count)
        oracle.rest(system)
        # A file that was spoiled on its way may be no image any more, and be called otherwise.
        verdict = oracle.Oracle(system, ['.'] if case in ('flip', 'lie', 'garbage') else [], by_hash=case == 'flip').check()
        return oracle.result('system', f'peer {case}', count, verdict)
    finally:
        system.stop()


if __name__ == '__main__':
    sys.exit(not main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())))
