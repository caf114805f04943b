"""caller.py: callers that do not behave.

caller.py PORT answer REQUEST...   what each request is answered, and that the connection is closed then
caller.py PORT keep PDUS           an association, then these bytes (hexadecimal); does not hang up: prints what comes,
                                   and after how many whole seconds it is closed
caller.py PORT silent COUNT [each] COUNT connections that say nothing, opened again when they are closed, from
                                   127.0.0.2 or each from an address of its own; "ready", then until standard input ends
"""
import selectors
import socket
import struct
import sys
import time


def item(kind, data):
    return struct.pack(">BxH", kind, len(data)) + data


APPLICATION = item(0x10, b"1.2.840.10008.3.1.1.1")
USER = item(0x50, item(0x51, b"\0\0\x40\0") + item(0x52, b"2.25.1"))
SYNTAX = item(0x40, b"1.2.840.10008.1.2.1")
ABSTRACT = item(0x30, b"1.2.840.10008.5.1.4.1.1.2")


def context(data):
    return item(0x20, b"\1\0\0\0" + data)


CONTEXT = context(ABSTRACT + SYNTAX)
REQUESTS = {
    "good": (1, APPLICATION + CONTEXT + USER),
    "no-contexts": (1, APPLICATION + USER),
    "no-syntax": (1, APPLICATION + CONTEXT + context(ABSTRACT) + USER),
    "no-abstract": (1, APPLICATION + context(SYNTAX) + USER),
    "no-user": (1, APPLICATION + CONTEXT),
    "no-application": (1, CONTEXT + USER),
    "other-application": (1, item(0x10, b"1.2.3") + CONTEXT + USER),
    "version-0": (0, APPLICATION + CONTEXT + USER),
    "cut-off": (1, APPLICATION + CONTEXT[:-1]),
    "nothing": (1, b""),
}


def request(name):
    version, items = REQUESTS[name]
    body = struct.pack(">HH", version, 0) + b"%-16s%-16s" % (b"DCMSPOOL", b"ODD") + bytes(32) + items
    return struct.pack(">BxL", 1, len(body)) + body


def call(port, source=None):
    return socket.create_connection(("127.0.0.1", port), 60, source and (source, 0))


def until_closed(s):
    data = b""
    try:
        while more := s.recv(65536):
            data += more
    except ConnectionResetError:
        data += b"reset"
    return data


def answer(port, names):
    for name in names:
        s = call(port)
        s.sendall(request(name))
        print(name, until_closed(s).hex())


def keep(port, pdus):
    s = call(port)
    s.sendall(request("good"))
    s.recv(65536)
    began = time.monotonic()
    s.sendall(bytes.fromhex(pdus))
    data = until_closed(s)
    print(data.hex(), int(time.monotonic() - began))


def silent(port, count, each):
    waiting = selectors.DefaultSelector()

    def open_one(source):
        s = call(port, source)
        waiting.register(s, selectors.EVENT_READ, source)

    for i in range(count):
        open_one("127.0.%d.%d" % (1 + i // 200, 2 + i % 200) if each else "127.0.0.2")
    waiting.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is sys.stdin:
                return
            waiting.unregister(key.fileobj)
            key.fileobj.close()
            open_one(key.data)


if sys.argv[2] == "answer":
    answer(int(sys.argv[1]), sys.argv[3:])
elif sys.argv[2] == "keep":
    keep(int(sys.argv[1]), sys.argv[3])
else:
    silent(int(sys.argv[1]), int(sys.argv[3]), len(sys.argv) > 4)
