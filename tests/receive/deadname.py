"""deadname.py COMMAND...: runs COMMAND where no name server answers, in a network of its own (unshare -rmn), and
prints "queries N" at the end. As the first query shows that it would be seen, N is at least 1."""
import fcntl
import socket
import struct
import subprocess
import sys
import tempfile

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0x49))  # SIOCSIFFLAGS: up, loopback, running
s.bind(("127.0.0.1", 53))
with tempfile.TemporaryDirectory() as d:
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"), ("hosts", ""), ("nsswitch.conf", "hosts: dns\n")):
        with open(d + "/" + name, "w") as f:
            f.write(text)
        subprocess.run(["mount", "--bind", d + "/" + name, "/etc/" + name], check=True)
    try:
        subprocess.run(["getent", "hosts", socket.gethostname()], timeout=0.5)
    except subprocess.TimeoutExpired:
        pass
    status = subprocess.run(sys.argv[1:]).returncode
queries = set()
s.setblocking(False)
try:
    while data := s.recv(512):
        queries.add(data[:2])
except BlockingIOError:
    pass
print("queries", len(queries))
sys.exit(status)
