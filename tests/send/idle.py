#!/usr/bin/env python3
"""idle.py SPOOL TARGET hold|locked - the bytes of SPOOL/.idle (STATES.md, 2) that stand for a target.

hold: locks one, as a dispatcher whose sender waits does, until it is killed; locked: how many are locked."""
import fcntl
import signal
import sys

PLACES = 64
spool, target, verb = sys.argv[1:]
number = 2166136261  # FNV-1a
for byte in target.encode():
    number = (number ^ byte) * 16777619 % 2**32
first, locked = PLACES * number, 0
with open(spool + '/.idle', 'a+b') as idle:
    if verb == 'hold':
        fcntl.lockf(idle, fcntl.LOCK_EX, 1, first + 5)
        print('held', flush=True)
        signal.pause()
    for place in range(first, first + PLACES):
        try:
            fcntl.lockf(idle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except BlockingIOError:
            locked += 1
print(locked)
