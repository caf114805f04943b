#!/usr/bin/env python3
"""playnext.py SEND-DICOM JOB... - a dispatcher that hands one sender job after job, as dcmspool-sender(7) has it.

Each JOB is a folder; "wait" instead of one lets the target's log be looked at until a line comes on standard input.
Prints what the sender says, and its exit status.
"""
import os
import socket
import subprocess
import sys
import tempfile


def names(job):
    return ''.join(sorted(f'{n}\n' for n in os.listdir(job) if n.endswith('.dcm')))


def main():
    program, first, *rest = sys.argv[1:]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = dict(os.environ, DCMSPOOL_NEXT=str(theirs.fileno()))
    sender = subprocess.Popen([program], cwd=first, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, pass_fds=[theirs.fileno()])
    theirs.close()
    sender.stdin.write(names(first))
    sender.stdin.close()
    for line in sender.stdout:
        print(line, end='', flush=True)
        if line != 'ready\n':
            continue
        while rest and rest[0] == 'wait':
            rest.pop(0)
            sys.stdin.readline()
        if not rest:
            ours.close()
            continue
        job = rest.pop(0)
        with tempfile.TemporaryFile() as listing:
            listing.write(names(job).encode())
            listing.flush()
            folder = os.open(job, os.O_RDONLY | os.O_DIRECTORY)
            socket.send_fds(ours, [os.path.basename(job).encode()], [listing.fileno(), folder])
            os.close(folder)
    print('exit', sender.wait())


main()
