#!/usr/bin/python3
"""network_seeds.py FOLDER - what fuzz_network begins with: an acceptance and responses as real targets send them."""
import os
import struct
import sys


def pdu(kind, body):
    return struct.pack('>BxI', kind, len(body)) + body


def item(kind, body):
    return struct.pack('>BxH', kind, len(body)) + body


def element(number, value):
    return struct.pack('<HHI', 0, number, len(value)) + value


def response(command, message, more=b''):
    body = element(2, b'1.2.840.10008.5.1.4.1.1.2\0') + element(0x100, struct.pack('<H', command))
    body += element(0x120, struct.pack('<H', message)) + element(0x800, b'\1\1') + element(0x900, b'\0\0') + more
    body = element(0, struct.pack('<I', len(body))) + body
    return pdu(4, struct.pack('>IBB', len(body) + 2, 1 if command == 0x8001 else 3, 3) + body)


results = b''.join(item(0x21, bytes([n, 0, 0, 0]) + item(0x40, uid)) for n, uid in
                   ((1, b'1.2.840.10008.1.2'), (3, b'1.2.840.10008.1.2.1')))
user = item(0x50, item(0x51, b'\0\0\x40\0') + item(0x52, b'1.2.3'))
accept = b'\0\1\0\0' + b'A'.ljust(16) + b'B'.ljust(16) + bytes(32) + item(0x10, b'1.2.840.10008.3.1.1.1') + results + user
request = accept.replace(results, item(0x20, b'\1\0\0\0' + item(0x30, b'1.2') + item(0x40, b'1.2.840.10008.1.2.1')))
uid = element(0x1000, b'1.2.3\0')
comment = element(0x901, b'\x10\0\x10\0') + element(0x902, b'no room') + uid
seeds = [
    b'\0' + accept, b'\0' + pdu(1, request), b'\0' + response(0x8001, 1)[12:], b'\0' + response(0x8001, 1)[6:],
    b'\2' + pdu(2, accept), b'\2' + pdu(3, b'\0\1\1\7'), b'\2' + pdu(7, b'\0\0\2\1'),
    b'\1' + response(0x8001, 1, uid) + response(0x8030, 2), b'\1' + response(0x8001, 1, comment) + pdu(5, bytes(4)),
    b'\1' + pdu(7, bytes(4)), b'\1' + response(0x8001, 1) + response(0x8030, 2) + pdu(6, bytes(4)),
]
for n, seed in enumerate(seeds):
    with open(os.path.join(sys.argv[1], str(n)), 'wb') as f:
        f.write(seed)
