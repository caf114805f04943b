#!/usr/bin/env python3
"""fakescp.py PORT ANSWER... - a storage target that plays faults which storescp cannot play.

It accepts every presentation context in its first transfer syntax and throws the images away. The
n-th C-STORE request of its life gets the n-th ANSWER, later ones the last ANSWER:
  0000, a700, ...   that status                hang     no answer, ever
  abort             A-ABORT                    wrongid  success, for another message ID
  nostatus          a response without status      slow     success, after a second
  meet              success, when two requests wait for that
  twice             success, two times
UID=ANSWER,ANSWER... is for the SOP instance of that UID, whatever the number of the request: its n-th
request gets the n-th of these. Each request is one line on standard output: its SOP Instance UID and
the answer.

  echo=ANSWER       a C-ECHO gets that (default: 0000)
  delay=SECONDS     it thinks for so long before each answer
  limit=N           more associations at the same time are rejected
  per=N             it aborts at the image after the N-th of an association
  show=1            "association CALLING CALLED" is written for each association
  only=AET          associations of other callers are rejected for good: calling AE title not recognised
  verify=ANSWER     one that proposes only Verification is answered so: reject, busy (transient), abort, close
  tls=KEY,CERT,CA   TLS with client certificates
  keep=FOLDER       the n-th data set that came whole is kept there, byte for byte, as n, and in n.json its SOP
                    class, SOP instance and the transfer syntax of its context
  log=FILE          SOP instance, hash of the data set and the answer are appended to it before the answer goes out
  seed=N            a request gets any of the ANSWERs, not the n-th
  syntax=UID        only presentation contexts with that transfer syntax are accepted
  takes=N           the longest PDU that it says to take (default: 131072)
  pdus=1            "takes N" is written for what the sender takes, "pdu N" for the length of each PDU of data
"""
import hashlib
import json
import os
import random
import socketserver
import ssl
import struct
import sys
import threading
import time

plain = [a for a in sys.argv[2:] if '=' not in a] or ['0000']
by_uid = {a.split('=')[0]: a.split('=')[1].split(',') for a in sys.argv[2:] if '=' in a}
echo = by_uid.pop('echo', ['0000'])[0]
per = int(by_uid.pop('per', ['0'])[0])
show = by_uid.pop('show', None)
delay = float(by_uid.pop('delay', ['0'])[0])
limit = threading.Semaphore(int(by_uid.pop('limit', ['1000'])[0]))
only = by_uid.pop('only', [''])[0].encode()
verify = by_uid.pop('verify', [''])[0]
tls = by_uid.pop('tls', None)
takes = int(by_uid.pop('takes', ['131072'])[0])
pdus = by_uid.pop('pdus', None)
keep = by_uid.pop('keep', [None])[0]
log = by_uid.pop('log', [None])[0]
seed = by_uid.pop('seed', [None])[0]
dice = random.Random(seed)
only_syntax = by_uid.pop('syntax', [''])[0].encode()
kept = 0
requests = 0
printing = threading.Lock()
meeting = threading.Barrier(2)


def take(f, n):
    data = f.read(n)
    if len(data) < n:
        raise EOFError
    return data


def pdu(kind, body):
    return struct.pack('>BxI', kind, len(body)) + body


REFUSALS = {'reject': pdu(3, b'\0\1\1\1'), 'busy': pdu(3, b'\0\2\3\1'), 'abort': pdu(7, b'\0\0\2\0'),
            'close': b''}


def item(kind, body):
    return struct.pack('>BxH', kind, len(body)) + body


def accept(request, syntaxes):
    """The A-ASSOCIATE-AC for an A-ASSOCIATE-RQ (PS3.8 9.3.2, 9.3.3); syntaxes gets those accepted, by context."""
    answer, at = request[:68] + item(0x10, b'1.2.840.10008.3.1.1.1'), 68
    while at < len(request):
        kind, length = struct.unpack_from('>BxH', request, at)
        body = request[at + 4:at + 4 + length]
        at += 4 + length
        if kind == 0x20:
            first = 4 + 4 + struct.unpack_from('>H', body, 6)[0]  # behind the abstract syntax
            size = struct.unpack_from('>H', body, first + 2)[0]
            syntax = body[first + 4:first + 4 + size]
            good = not only_syntax or syntax == only_syntax
            syntaxes[body[0]] = syntax.decode()
            answer += item(0x21, body[:1] + (b'\0\0\0' if good else b'\0\4\0') + item(0x40, syntax))
    user = item(0x51, struct.pack('>I', takes)) + item(0x52, b'1.2.3') + item(0x55, b'FAKE')
    return pdu(2, answer + item(0x50, user))


def element(group, number, value):
    return struct.pack('<HHI', group, number, len(value)) + value


def response(request, status, message):
    command = struct.unpack('<H', request[0x100])[0] | 0x8000
    body = element(0, 2, request[2]) + element(0, 0x100, struct.pack('<H', command))
    body += element(0, 0x120, struct.pack('<H', message))
    body += element(0, 0x800, struct.pack('<H', 0x101))
    if status is not None:
        body += element(0, 0x900, struct.pack('<H', status))
    if 0x1000 in request:
        body += element(0, 0x1000, request[0x1000])
    return element(0, 0, struct.pack('<I', len(body))) + body


def elements(data):
    found, at = {}, 0
    while at < len(data):
        _, number, length = struct.unpack_from('<HHI', data, at)
        found[number] = data[at + 8:at + 8 + length]
        at += 8 + length
    return found


class Handler(socketserver.StreamRequestHandler):
    def next_answer(self, uid):
        global requests
        with printing:
            own = by_uid.get(uid)
            what = dice.choice(plain) if seed else plain[min(requests, len(plain) - 1)]
            what = own[0] if own else what
            if own and len(own) > 1:
                del own[0]
            requests += 1
            print(uid, what, flush=True)
        return what

    def keep(self, request, data, syntax):
        global kept
        with printing:
            kept += 1
            names = [request[n].decode().rstrip('\0') for n in (2, 0x1000)]
            with open(os.path.join(keep, str(kept)), 'wb') as f:
                f.write(data)
            with open(os.path.join(keep, f'{kept}.json'), 'w') as f:
                json.dump([*names, syntax], f)

    def note(self, request, data, what):
        line = '\t'.join([request[0x1000].decode('latin-1').rstrip('\0 '), hashlib.sha256(data).hexdigest()[:32], what])
        with printing, open(log, 'ab', buffering=0) as f:
            f.write(line.encode('latin-1') + b'\n')

    def answer(self, context, request, data):
        if 0x1000 in request:
            self.images = getattr(self, 'images', 0) + 1
            what = self.next_answer(request[0x1000].decode('latin-1').rstrip('\0'))
            if per and self.images > per:
                what = 'abort'
            if log:
                self.note(request, data, what)
        else:
            what = echo
        message = struct.unpack('<H', request[0x110])[0]
        if what == 'hang':
            self.rfile.read()  # until the other side gives up
            raise EOFError
        if what == 'abort':
            self.wfile.write(pdu(7, b'\0\0\0\0'))
            raise EOFError
        time.sleep(1 if what == 'slow' else delay)
        if what == 'meet':
            meeting.wait(30)
        status = {'wrongid': 0, 'slow': 0, 'meet': 0, 'twice': 0, 'nostatus': None}.get(what, what)
        status = int(status, 16) if isinstance(status, str) else status
        body = response(request, status, message + (what == 'wrongid'))
        self.wfile.write(pdu(4, struct.pack('>IBB', len(body) + 2, context, 3) + body) * (2 if what == 'twice' else 1))

    def handle(self):
        command, data, syntaxes, limited = b'', [], {}, False
        try:
            while True:
                kind, length = struct.unpack('>BxI', take(self.rfile, 6))
                body = take(self.rfile, length)
                if kind == 1 and not limited and not limit.acquire(blocking=False):
                    self.wfile.write(pdu(3, b'\0\2\3\2'))  # transient, local limit exceeded
                elif kind == 1 and only and body[20:36].strip() != only:
                    self.wfile.write(pdu(3, b'\0\1\1\3'))
                elif kind == 1 and verify and b'1.2.840.10008.5.1.4.1.1' not in body:
                    self.wfile.write(REFUSALS[verify])
                    raise EOFError
                elif kind == 1:
                    limited = True
                    if show:
                        with printing:
                            print('association', body[20:36].decode(), body[4:20].decode(), flush=True)
                    if pdus:
                        at = body.rindex(b'\x51\0\0\4')
                        print('takes', struct.unpack_from('>I', body, at + 4)[0], flush=True)
                    self.wfile.write(accept(body, syntaxes))
                elif kind == 5:
                    self.wfile.write(pdu(6, b'\0\0\0\0'))
                if kind == 4 and pdus:
                    print('pdu', length, flush=True)
                while kind == 4 and body:
                    size, context, flags = struct.unpack_from('>IBB', body)
                    if flags & 1:
                        command += body[6:4 + size]
                    elif keep or log:
                        data.append(body[6:4 + size])
                    if flags == 2 or (flags == 3 and 0x1000 not in elements(command)):
                        if keep and flags == 2:
                            self.keep(elements(command), b''.join(data), syntaxes[context])
                        self.answer(context, elements(command), b''.join(data))
                        command, data = b'', []
                    body = body[4 + size:]
        except (EOFError, ConnectionError):
            pass
        finally:
            if limited:
                limit.release()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def finish_request(self, request, client_address):
        if tls:
            key, certificate, authority = tls
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
            try:
                request = context.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)


with Server(('127.0.0.1', int(sys.argv[1])), Handler) as server:
    server.serve_forever()
