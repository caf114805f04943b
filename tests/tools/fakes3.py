#!/usr/bin/env python3
"""fakes3.py PORT DIRECTORY ANSWER... - an S3 server that believes nobody, and plays faults.

Buckets are the directories in DIRECTORY, objects the files in these. Every request must be signed with
AWS Signature Version 4 (access key AKIDEXAMPLE, secret se:cret/"\\+key, region eu-test-1): the signature is
computed here from the request as it came, by the documents of AWS, and compared.
The n-th PUT of its life gets the n-th ANSWER, later ones the last:
  ok            it is stored
  STATUS:CODE   refused with an XML error of that code: 403:AccessDenied
  STATUS        the same without a body; 200: no ETag, as from a server that is none of S3
  close         the connection is closed in the middle of the request
  hang          no answer, ever
  flood         200 and a body without end
  drip          200 and a body that comes a byte at a time, for 20 seconds
  dripheader    the same with a header
  early         200 and an ETag before the image is read; the connection is closed then
  spa           200, an ETag and a page, as from a portal that answers everything so
TEXT=ANSWER, whatever the number, is for keys in which TEXT occurs, and LIST=ANSWER for listing a bucket.
Each request is one line on standard output: METHOD STATUS PATH.
"""
import datetime
import hashlib
import hmac
import http.server
import os
import socket
import sys
import tempfile
import threading
import urllib.parse

KEY, SECRET, REGION = 'AKIDEXAMPLE', 'se:cret/"\\+key', 'eu-test-1'
top = sys.argv[2]
plain = [a for a in sys.argv[3:] if '=' not in a] or ['ok']
by_text = dict(a.split('=') for a in sys.argv[3:] if '=' in a)
lock = threading.Lock()
puts = 0


class Refused(Exception):
    """status, code"""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def encode(text, safe):
    return urllib.parse.quote(text, safe='-_.~' + safe)


def check_signature(request, body):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
    headers = {k.lower(): ' '.join(v.split()) for k, v in request.headers.items()}
    algorithm, _, rest = headers.get('authorization', '').partition(' ')
    if algorithm != 'AWS4-HMAC-SHA256':
        raise Refused(403, 'AccessDenied')
    part = dict(p.strip().split('=', 1) for p in rest.split(','))
    access, date, region, service, end = part['Credential'].split('/')
    signed = part['SignedHeaders'].split(';')
    if access != KEY:
        raise Refused(403, 'InvalidAccessKeyId')
    if region != REGION:
        raise Refused(400, 'AuthorizationHeaderMalformed')
    if (service, end) != ('s3', 'aws4_request') or signed != sorted(signed):
        raise Refused(403, 'SignatureDoesNotMatch')
    must = {'host', 'content-type'} | {h for h in headers if h.startswith('x-amz-')}
    if not must & set(headers) <= set(signed):
        raise Refused(403, 'AccessDenied')
    when = datetime.datetime.strptime(headers['x-amz-date'] + '+0000', '%Y%m%dT%H%M%SZ%z')
    if abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) > 900:
        raise Refused(403, 'RequestTimeTooSkewed')
    url = urllib.parse.urlsplit(request.path)
    query = sorted((encode(k, ''), encode(v, ''))
                   for k, v in urllib.parse.parse_qsl(url.query, keep_blank_values=True))
    canonical = '\n'.join([
        request.command, encode(urllib.parse.unquote(url.path), '/'),
        '&'.join(k + '=' + v for k, v in query),
        ''.join(h + ':' + headers[h] + '\n' for h in signed), ';'.join(signed),
        headers['x-amz-content-sha256']])
    to_sign = '\n'.join(['AWS4-HMAC-SHA256', headers['x-amz-date'],
                         '/'.join([date, region, service, end]), sha256(canonical.encode())])
    key = ('AWS4' + SECRET).encode()
    for text in (date, region, service, end):
        key = sign(key, text)
    if not hmac.compare_digest(sign(key, to_sign).hex(), part['Signature']):
        raise Refused(403, 'SignatureDoesNotMatch')
    if headers['x-amz-content-sha256'] != sha256(body):
        raise Refused(400, 'XAmzContentSHA256Mismatch')


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self, status, body=b'', headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print(self.command, status, self.path, flush=True)

    def refuse(self, status, code):
        self.answer(status, (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>It is %s.\n'
            'So there.</Message><Resource>x</Resource></Error>' % (code, code)).encode() if code else b'')

    def fault(self, name):
        """Plays it. True: that was all."""
        if name == 'hang':
            threading.Event().wait()
        elif name == 'close':
            self.rfile.read(10)
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif name == 'flood':
            self.send_response(200)
            self.send_header('ETag', '"x"')
            self.end_headers()
            while True:
                self.wfile.write(b'x' * 65536)
        elif name in ('drip', 'dripheader'):
            self.rfile.read(int(self.headers['Content-Length'] or 0))
            self.wfile.write(b'HTTP/1.1 200 OK\r\nETag: "x"\r\n')
            self.wfile.write(b'X: ' if name == 'dripheader' else b'Content-Length: 200\r\n\r\n')
            for _ in range(200):
                self.wfile.write(b'x')
                threading.Event().wait(0.1)
            self.close_connection = True
        elif name == 'early':
            self.rfile.read(100)
            self.answer(200, headers=[('ETag', '"x"'), ('Connection', 'close')])
        elif name == 'spa':
            self.rfile.read(int(self.headers['Content-Length'] or 0))
            self.answer(200, b'<!doctype html><html></html>', [('ETag', 'W/"3e-abc"')])
        elif name != 'ok':
            self.rfile.read(int(self.headers['Content-Length'] or 0))
            status, _, code = name.partition(':')
            self.refuse(int(status), code)
        return name != 'ok'

    def place(self):
        """The bucket's directory and the key."""
        _, bucket, *rest = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).split('/', 2)
        if not bucket or not os.path.isdir(os.path.join(top, bucket)):
            raise Refused(404, 'NoSuchBucket')
        return os.path.join(top, bucket), (rest or [''])[0]

    def store(self, body):
        bucket, key = self.place()
        path = os.path.normpath(os.path.join(bucket, key))
        if not path.startswith(bucket + '/') or path != os.path.join(bucket, key):
            raise Refused(400, 'InvalidURI')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=top, delete=False) as file:
            file.write(body)
        os.rename(file.name, path)
        self.answer(200, headers=[('ETag', '"%s"' % hashlib.md5(body).hexdigest())])

    def do_PUT(self):
        global puts
        with lock:
            name = plain[min(puts, len(plain) - 1)]
            puts += 1
        path = urllib.parse.unquote(self.path)
        for text, answer in by_text.items():
            name = answer if text in path else name
        if self.fault(name):
            return
        if self.headers['Content-Length'] is None:
            self.refuse(411, 'MissingContentLength')
            return
        body = self.rfile.read(int(self.headers['Content-Length']))
        try:
            check_signature(self, body)
            self.store(body)
        except Refused as e:
            self.refuse(*e.args)

    def do_GET(self):
        if self.fault(by_text.get('LIST', 'ok')):
            return
        try:
            check_signature(self, b'')
            self.place()
            self.answer(200, b'<ListBucketResult></ListBucketResult>')
        except Refused as e:
            self.refuse(*e.args)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


Server(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
