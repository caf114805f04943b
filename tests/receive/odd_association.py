"""odd_association.py PORT BYTES: an association for CT in implicit VR, then these bytes (PDUs in hexadecimal)."""
import socket
import struct
import sys


def item(kind, data):
    return struct.pack(">BxH", kind, len(data)) + data


context = item(0x20, b"\1\0\0\0" + item(0x30, b"1.2.840.10008.5.1.4.1.1.2") + item(0x40, b"1.2.840.10008.1.2"))
body = b"\0\1\0\0" + b"%-16s%-16s" % (b"DCMSPOOL", b"ODD") + bytes(32)
body += item(0x10, b"1.2.840.10008.3.1.1.1") + context
body += item(0x50, item(0x51, b"\0\0\x40\0") + item(0x52, b"2.25.1"))
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(struct.pack(">BxL", 1, len(body)) + body)
s.recv(65536)
s.sendall(bytes.fromhex(sys.argv[2]))
if sys.argv[2][1] != "7":  # then we close first: storescp would wait for that
    s.recv(65536)
