#!/usr/bin/env python3
"""A STOW-RS server that plays faults, for tests/send/send-dicomweb.bats.

usage: fakestow.py PORT [--tls CERT KEY] [--max N] [--keep FOLDER] [UID=ACTION ...] [ANSWER ...]

One ANSWER per POST request, the last one for all that follow; "ok" without any. UID=ACTION is for the image
with this SOP instance UID, in whatever request it comes. For each request a line goes to standard output:
METHOD PATH AUTHORIZATION parts=N length=N expect=YES|NO.

ACTION  fHHHH     in Failed SOP Sequence with this reason; f without a reason
        wHHHH     stored with this warning          rHHHH   stored, and yet with this failure reason
        omit      not mentioned       both    stored and failed      class   stored, with another SOP class
        other     in Other Failures Sequence (no UID)
        break     the connection is closed when this image comes      NNN     the whole request gets this status
ANSWER  ok        200 for all stored, 202 for some, 409 for none
        NNN       this status, an empty body        NNN+    this status, with the body of ok
        list      ok, inside of a JSON list         bare    ok, without SOP classes
        hang      reads, never answers              stall   never reads
        close     reads, closes                     cut     closes in the middle of the body of ok
        garbage   {"00081199": [                    html    a page of HTML
        xml       ok, in XML                        cutxml  ok, in XML that ends before its time
        nobody    {} for JSON                       liar    stored: images that were not sent
        huge      JSON without end                  drip    a byte of a header, again and again
        slow      a byte of the body, again and again
        moved     308 to another path of this host, where it is ok
        early     200 and all stored, without reading more than the first images
"""
import email.parser
import email.policy
import json
import re
import socketserver
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

SCAN_FROM = 50_000_000  # larger requests are not kept in memory
TAG = re.compile(rb"\x08\x00(\x16|\x18)\x00UI(..)", re.S)


def uids(data):
    """(class, instance) of each image in explicit little endian, in order."""
    found, sop_class = [], None
    for match in TAG.finditer(data):
        value = data[match.end():match.end() + int.from_bytes(match[2], "little")]
        text = value.rstrip(b"\0").decode("ascii", "replace")
        if match[1] == b"\x16":
            sop_class = text
        elif sop_class:
            found.append((sop_class, text))
            sop_class = None
    return found


def sequence(items):
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


def item(sop_class, instance, **reasons):
    result = {"00081155": {"vr": "UI", "Value": [instance]}}
    if sop_class:
        result["00081150"] = {"vr": "UI", "Value": [sop_class]}
    for tag, value in reasons.items():
        result[tag[1:]] = {"vr": "US", "Value": [value]} if value is not None else {"vr": "US"}
    return result


def native(data_set):
    """DICOM JSON as the Native DICOM Model of PS3.19 has it."""
    out = []
    for tag, element in data_set.items():
        out.append(f'<DicomAttribute tag="{tag}" vr="{element["vr"]}" keyword="K">')
        for number, value in enumerate(element.get("Value", []), 1):
            if isinstance(value, dict):
                out.append(f'<Item number="{number}">{native(value).decode()}</Item>')
            else:
                out.append(f'<Value number="{number}">{value}</Value>')
        out.append("</DicomAttribute>")
    return "".join(out).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def tell(self, parts, length):
        print(self.command, self.path, self.headers.get("Authorization", "-"), f"parts={parts}", f"length={length}",
              "expect=" + ("YES" if self.headers.get("Expect") else "NO"), flush=True)

    def handle_expect_100(self):
        with self.server.lock:
            word = self.server.answers[0]
        if word == "413" or (word == "stall"):
            return True  # do_POST says it, before anything has come
        return super().handle_expect_100()

    def answer(self, status, body=b"", kind="application/dicom+json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.tell(0, 0)
        word = self.server.answers[0]
        if word in ("hang", "stall"):
            time.sleep(60)
        elif word == "slow":
            self.drip("Content-Length: 9999\r\n\r\n")
        elif word[:3].isdigit():
            self.answer(int(word[:3]), headers=[("Location", "/elsewhere")])
        else:
            self.answer(204)

    def drip(self, head):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + head.encode())
        while True:
            self.wfile.write(b" " if head else b"X-Drip: 1\r\n")
            self.wfile.flush()
            time.sleep(0.2)

    def read_images(self):
        """Reads the body; returns the UIDs of its images, after a check that it is what was promised."""
        length = int(self.headers["Content-Length"])
        assert "Transfer-Encoding" not in self.headers
        if length > SCAN_FROM:
            return length, self.scan(length)
        body = self.rfile.read(length)
        assert len(body) == length
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        assert message.get_content_type() == "multipart/related" and message.get_param("type") == "application/dicom"
        assert body.endswith(f"\r\n--{message.get_boundary()}--\r\n".encode())
        parts = body.split(f"--{message.get_boundary()}".encode())[1:-1]
        assert len(parts) == len(message.get_payload())
        found = []
        for part in parts:
            head, data = part.split(b"\r\n\r\n", 1)
            assert head == b"\r\nContent-Type: application/dicom" and data.endswith(b"\r\n")
            assert data[128:132] == b"DICM"
            found += uids(data)
            if self.server.keep:
                with open(f"{self.server.keep}/{found[-1][1]}", "wb") as kept:
                    kept.write(data[:-2])
        assert len(found) == len(parts), (len(found), len(parts))
        return length, found

    def scan(self, length):
        left, tail, found = length, b"", []
        while left > 0:
            data = self.rfile.read(min(left, 1 << 20))
            assert data
            left -= len(data)
            for pair in uids(tail + data):
                if pair not in found:
                    found.append(pair)
            tail = data[-500:]
        return found

    def response(self, images, word):
        """Status and content of an ordinary answer."""
        stored, failed, others = [], [], []
        for sop_class, instance in images:
            action = self.server.actions.get(instance, "")
            if word == "bare":
                sop_class = None
            if action == "omit":
                continue
            if action == "other":
                others.append({"00081197": {"vr": "US", "Value": [0xC000]}})
            elif action == "class":
                stored.append(item("1.2.3", instance))
            elif action[:1] == "w":
                stored.append(item(sop_class, instance, _00081196=int(action[1:], 16)))
            elif action[:1] == "r":
                stored.append(item(sop_class, instance, _00081197=int(action[1:], 16)))
            elif action[:1] == "f" or action == "both":
                reason = int(action[1:], 16) if len(action) == 5 else None
                failed.append(item(sop_class, instance, _00081197=reason))
            if action in ("", "both"):
                stored.append(item(sop_class, instance))
        result = {"00081198": sequence(failed), "00081199": sequence(stored)}
        if others:
            result["0008119A"] = sequence(others)
        if word == "list":
            result = [result]
        if not failed and not others:
            return 200, json.dumps(result).encode()
        return (202 if stored else 409), json.dumps(result).encode()

    def huge(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n\r\n[0")
        while True:
            self.wfile.write(b",0" * 65536)

    def do_POST(self):
        with self.server.lock:
            word = self.server.answers[0]
            if len(self.server.answers) > 1:
                self.server.answers.pop(0)
        self.close_connection = True
        if word == "stall":
            time.sleep(60)
            return
        if word == "413" and self.headers.get("Expect"):
            self.tell(0, 0)
            self.answer(413)
            return
        if word == "early":
            images = uids(self.rfile.read(1 << 16))
            self.answer(200, self.response(images, word)[1])
            return
        length, images = self.read_images()
        self.tell(len(images), length)
        if self.server.most and len(images) > self.server.most:
            self.answer(413)
            return
        for _, instance in images:
            action = self.server.actions.get(instance, "")
            if action == "break":
                return
            if action.isdigit():
                self.answer(int(action))
                return
        if word == "moved" and not self.path.startswith("/new/"):
            self.answer(308, headers=[("Location", "/new/studies")])
            return
        self.play(word, images)

    def play(self, word, images):
        status, body = self.response(images, word)
        if word == "hang":
            time.sleep(60)
        elif word == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
        elif word == "garbage":
            self.answer(200, b'{"00081199": [')
        elif word == "html":
            self.answer(200, b"<html><body>200 stored</body></html>", "text/html")
        elif word in ("xml", "cutxml"):
            body = (b'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xml:space="preserve">'
                    + native(json.loads(body)) + b"<!-- > --></NativeDicomModel>\n")
            self.answer(status, body[:-30] if word == "cutxml" else body, "application/dicom+xml")
        elif word == "nobody":
            self.answer(200, b"{}")
        elif word == "liar":
            self.answer(200, self.response([("1.2.840.10008.5.1.4.1.1.2", "1.2.3." + str(i)) for i in range(3)], word)[1])
        elif word == "huge":
            self.huge()
        elif word == "drip":
            self.drip("")
        elif word == "slow":
            self.drip("Content-Type: application/dicom+json\r\n\r\n")
        elif word[:3].isdigit():
            self.answer(int(word[:3]), body if word.endswith("+") else b"",
                        headers=[("Location", "http://elsewhere.example/dicom-web"), ("Retry-After", "120")])
        elif word != "close":
            self.answer(status, body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # the client may leave whenever it likes
            print("ERROR", repr(error), flush=True)


def main():
    words = sys.argv[2:]
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    server.lock = threading.Lock()
    server.most = 0
    if words[:1] == ["--tls"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(words[1], words[2])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        words = words[3:]
    if words[:1] == ["--max"]:
        server.most = int(words[1])
        words = words[2:]
    server.keep = ""
    if words[:1] == ["--keep"]:
        server.keep = words[1]
        words = words[2:]
    server.actions = dict(word.split("=") for word in words if "=" in word)
    server.answers = [word for word in words if "=" not in word] or ["ok"]
    server.serve_forever()


main()
