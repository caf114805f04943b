#!/usr/bin/env python3
"""overtake.py SPOOL COUNT - pairs of series, made by hand: the first of each study lies in incoming/, and a moment
later the second one, which arrived after it, comes into the queue outgoing/archive/. Ends with one more job, of a
study of its own.
"""
import json
import os
import sys
import time

spool, count = sys.argv[1], int(sys.argv[2])


def name_hash(uid):  # FNV-1a, as in the names of jobs
    value = 2166136261
    for byte in uid.encode():
        value = (value ^ byte) * 16777619 & 0xffffffff
    return '%08x' % value


def stamp(seconds):
    return time.strftime('%Y%m%dT%H%M%S', time.gmtime(seconds)) + '.%06dZ' % (seconds % 1 * 1e6)


def write(path, content):
    with open(path, 'w') as f:
        json.dump(content, f)


def make(directory, arrived, study, series):
    os.makedirs(directory)
    write(directory + '/1.dcm', {})
    write(directory + '/series.json', {'received': stamp(arrived), 'association': {}, 'tags': {
        'StudyInstanceUID': study, 'SeriesInstanceUID': series}})


def queue(arrived, study, series):
    made = spool + '/.new'
    make(made, arrived, study, series)
    write(made + '/job.json', {})
    os.rename(made, '%s/outgoing/archive/%s.%s.%s' % (spool, stamp(arrived), name_hash(study), name_hash(series)))


os.makedirs(spool + '/outgoing/archive', exist_ok=True)
queue(time.time() - 10, '1.1', '1.1.1')  # so that there is always something to look for
write(spool + '/outgoing/archive/held', {})
for i in range(100):  # so that a look takes a while
    make('%s/incoming/9.%d' % (spool, i), time.time() - 3000, '9.%d' % i, '9.%d.1' % i)
os.remove(spool + '/outgoing/archive/held')
for i in range(count):
    study = '1.5.%d' % i
    make('%s/incoming/%s.1' % (spool, study), time.time(), study, study + '.1')
    queue(time.time() + 2e-6, study, study + '.2')
queue(time.time(), '1.2', '1.2.1')
