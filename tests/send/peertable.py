#!/usr/bin/env python3
"""peertable.py SEND-DICOM JOB [ODD...] - plays a peer that goes wrong at every point of the protocol, in every way.

For each row send-dicom sends the three images of JOB; on every association of the row the peer does the same at the
same point. Printed for each: POINT WAY exit=STATUS stored=NAMES failed=NAMES doubt=NAMES, and the reasons.
"""
import concurrent.futures
import os
import socket
import struct
import subprocess
import sys
import threading

POINTS = ['connected', 'requested', 'half-accept', 'accepted', 'command', 'data', 'sent', 'half-answer', 'answered',
          'second-command', 'second-sent', 'last-answered', 'release', 'half-release']
WAYS = ['cut', 'silence', 'abort-user', 'abort-provider', 'garbage', 'huge', 'split']
# besides these: answers that are odd, or none
ODD = ['other-id', 'other-uid', 'twice', 'bare', 'long', 'no-status', 'with-data', 'other-context', 'other-command',
       'slow', 'fragments', 'never-offered', 'unknown-context', 'all-refused', 'padded', 'release-first', 'comment',
       'other-application', 'status-twice', 'status-long', 'release-both', 'late-data']
# by their names only: the images must be larger than what the kernel takes at once
EARLY = ['early', 'early-refusal']
IMAGES = 3
RACES = ['accepted', 'answered']
CLOSED = 'the target closes the connection'


class Over(Exception):
    pass


def pdu(kind, body):
    return struct.pack('>BxI', kind, len(body)) + body


def item(kind, body):
    return struct.pack('>BxH', kind, len(body)) + body


def element(number, value):
    return struct.pack('<HHI', 0, number, len(value)) + value


def elements(data):
    found, at = {}, 0
    while at < len(data):
        _, number, length = struct.unpack_from('<HHI', data, at)
        found[number] = data[at + 8:at + 8 + length]
        at += 8 + length
    return found


class Peer:
    def __init__(self, connection, point, way, notes):
        self.c, self.point, self.way, self.notes, self.split = connection, point, way, notes, False
        connection.settimeout(30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def at(self, point):
        if point != self.point:
            return
        if self.way == 'split':
            self.split = True
            return
        if self.way == 'cut':
            raise Over
        send = {'silence': b'', 'abort-user': pdu(7, b'\0\0\0\0'), 'abort-provider': pdu(7, b'\0\0\2\6'),
                'garbage': b'HTTP/1.1 400 Bad Request\r\n\r\n', 'huge': b'\4\0\xff\xff\xff\xff'}[self.way]
        self.c.sendall(send)
        while self.c.recv(65536):
            pass
        raise Over

    def send(self, data, half=None):
        if half and half == self.point and self.way != 'split':
            self.c.sendall(data[:len(data) // 2])
            self.at(half)
        if half:
            self.at(half)
        for i in range(len(data)) if self.split else []:
            self.c.sendall(data[i:i + 1])
        if not self.split:
            self.c.sendall(data)

    def take(self, n):
        data = b''
        while len(data) < n:
            more = self.c.recv(n - len(data))
            if not more:
                raise Over
            data += more
        return data

    def read(self):
        kind, length = struct.unpack('>BxI', self.take(6))
        return kind, self.take(length)

    def accept(self, request):
        application = b'1.2.840.10008.3.1.1.' + (b'2' if self.way == 'other-application' else b'1')
        answer, at = request[:68] + item(0x10, application), 68
        while at < len(request):
            kind, length = struct.unpack_from('>BxH', request, at)
            body = request[at + 4:at + 4 + length]
            at += 4 + length
            if kind == 0x20:
                first = 8 + struct.unpack_from('>H', body, 6)[0]
                syntax = body[first + 4:]
                number, result = body[:1], b'\0'
                if self.way == 'never-offered':
                    syntax = b'1.2.840.10008.1.2.4.50'
                elif self.way == 'unknown-context':
                    number = b'\xf1'
                elif self.way == 'all-refused':
                    result, syntax = b'\4', None
                elif self.way == 'padded':
                    syntax += b'\0'
                answer += item(0x21, number + b'\0' + result + b'\0' + (item(0x40, syntax) if syntax else b''))
        return pdu(2, answer + item(0x50, item(0x51, struct.pack('>I', 4096)) + item(0x52, b'1.2.3')))

    def response(self, context, request):
        status = struct.pack('<H', {'comment': 0xb000, 'early-refusal': 0xa700, 'status-twice': 0xa700}.get(self.way, 0))
        number = struct.pack('<H', struct.unpack('<H', request[0x110])[0] + (self.way == 'other-id'))
        uid = b'1.2.3\0' if self.way == 'other-uid' else request[0x1000]
        body = element(2, request[2]) if self.way != 'bare' else b''
        body += element(0x100, struct.pack('<H', 0x8030 if self.way == 'other-command' else 0x8001))
        body += element(0x120, number)
        body += element(0x800, struct.pack('<H', 1 if self.way == 'with-data' else 0x101))
        if self.way != 'no-status':
            body += element(0x900, status + (b'\0\xa7' if self.way == 'status-long' else b''))
        if self.way == 'status-twice':
            body += element(0x900, b'\0\0')
        if self.way == 'comment':
            body += element(0x901, struct.pack('<HHHH', 0x10, 0x10, 0x8, 0x60)) + element(0x902, b'bad\x1b[1m\tname')
        if self.way != 'bare':
            body += element(0x1000, uid)
            body = element(0, struct.pack('<I', 7 if self.way == 'padded' else len(body))) + body
        if self.way == 'long':
            body += element(0xffff, bytes(70000))
        if self.way == 'other-context':
            context += 2
        parts = [body[i:i + 7] for i in range(0, len(body), 7)] if self.way == 'fragments' else [body]
        parts += [b''] if self.way == 'fragments' else []
        out = b''.join(pdu(4, struct.pack('>IBB', len(p) + 2, context, 3 if i == len(parts) - 1 else 1) + p)
                       for i, p in enumerate(parts))
        return out * 2 if self.way == 'twice' else out

    def image(self, n):
        command = b''
        while True:
            kind, body = self.read()
            if kind == 5:
                return False
            if kind != 4:
                raise Over
            context, flags = body[4], body[5]
            if flags & 1:
                command += body[6:]
                self.at('command' if n == 0 else 'second-command' if n == 1 else '')
                if self.way in EARLY:
                    self.send(self.response(context, elements(command)))
                    threading.Event().wait(0.1)
            elif not flags & 2:
                self.at('data' if n == 0 else '')
            else:
                self.at('sent' if n == 0 else 'second-sent' if n == 1 else '')
                if self.way in EARLY:
                    return True
                if self.way == 'slow':
                    threading.Event().wait(0.1)
                if self.way == 'release-first' and n == 1:
                    self.c.sendall(pdu(5, b'\0\0\0\0'))
                    self.read()
                    raise Over
                self.send(self.response(context, elements(command)), 'half-answer' if n == 0 else None)
                self.at('answered' if n == 0 else '')
                return True

    def play(self):
        self.at('connected')
        kind, body = self.read()
        self.at('requested')
        self.send(self.accept(body), 'half-accept')
        self.at('accepted')
        n = 0
        while self.image(n):
            n += 1
            self.at('last-answered' if n == IMAGES else '')
        self.at('release')
        if self.way == 'late-data':
            self.c.sendall(pdu(4, struct.pack('>IBB', 2, 1, 1)))
        if self.way == 'release-both':  # PS3.8 9.2.3: whoever called answers first
            self.c.sendall(pdu(5, b'\0\0\0\0'))
            self.notes.append('our request is answered' if self.read()[0] == 6 else 'our request is not answered')
        self.send(pdu(6, b'\0\0\0\0'), 'half-release')


def serve(listener, point, way, notes):
    while True:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        with connection:
            try:
                Peer(connection, point, way, notes).play()
            except (Over, OSError):
                pass


def row(program, job, point, way):
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port, notes = listener.getsockname()[1], []
        threading.Thread(target=serve, args=(listener, point, way, notes), daemon=True).start()
        environment = dict(os.environ, TARGET_HOST='127.0.0.1', TARGET_PORT=str(port), TARGET_AEC='P',
                           TARGET_TIMEOUT='1')
        done = subprocess.run([program], input=''.join(f'{n}.dcm\n' for n in range(1, IMAGES + 1)), cwd=job,
                              env=environment, capture_output=True, text=True, timeout=60)
        listener.shutdown(socket.SHUT_RDWR)
    lines = [line.split('\t') for line in done.stdout.splitlines()]
    names = {kind: ','.join(sorted(name[:-4] for what, _, name, _ in lines if what == kind))
             for kind in ('stored', 'failed', 'doubt')}
    texts = [text.split(': ', 1)[-1] for what, _, _, text in lines if what == 'target']
    texts += sorted({text for what, _, _, text in lines if what in ('failed', 'doubt') or (what == 'stored' and text != 'success')})
    # A close is seen as one or the other, depending on who is faster.
    texts = [t.replace('Connection reset by peer', CLOSED).replace('Broken pipe', CLOSED) for t in texts]
    if point in RACES and way != 'split':  # the next image may have been begun by then, or not
        names['either'] = ','.join(sorted((names['stored'] + ',' + names['doubt']).strip(',').split(',')))
        names['either'] = names['either'] if point == 'answered' else ''
        return f'{point} {way} failed={names["failed"] or "-"} stored or doubt={names["either"] or "none or the first"}'
    return (f'{point} {way} exit={done.returncode} stored={names["stored"] or "-"} failed={names["failed"] or "-"} '
            + f'doubt={names["doubt"] or "-"} '
            + '; '.join(texts + notes)).rstrip()


def main():
    rows = [(p, w) for p in POINTS for w in WAYS] + [('-', w) for w in ODD]
    rows = [('-', w) for w in sys.argv[3:]] or rows
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for line in pool.map(lambda r: row(*sys.argv[1:3], *r), rows):
            print(line)


main()
