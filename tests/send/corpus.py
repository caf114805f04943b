#!/usr/bin/python3
"""corpus.py make CORPUS JOB - every file of CORPUS/INDEX.tsv with a SOP class and instance UID, copied into JOB
   corpus.py check CORPUS KEPT - what fakescp.py kept of them, compared byte for byte; prints the number
   corpus.py values CORPUS KEPT - the same data sets in implicit little endian, compared by pydicom

Where a data set begins is found here anew: behind the last element of group 0002, whatever its length says.
"""
import collections
import csv
import hashlib
import io
import json
import os
import shutil
import struct
import sys
import warnings

import pydicom

warnings.simplefilter('ignore')  # half of the corpus is wrong on purpose
IMPLICIT, EXPLICIT, BIG = '1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'


def begin(data):
    """Offset of the data set, and the transfer syntax of the meta header."""
    at, syntax = 132 if data[128:132] == b'DICM' else 4 if data[:4] == b'DICM' else 0, ''
    if data[at:at + 2] != b'\2\0':
        return at, syntax
    while data[at:at + 2] == b'\2\0':
        element, vr = struct.unpack_from('<H2s', data, at + 2)
        if not vr.isalpha():
            head, length = 8, struct.unpack_from('<I', data, at + 4)[0]
        elif vr in (b'OB', b'UN', b'OW', b'SQ', b'UT', b'UC', b'UR'):
            head, length = 12, struct.unpack_from('<I', data, at + 8)[0]
        else:
            head, length = 8, struct.unpack_from('<H', data, at + 6)[0]
        if element == 0x10:
            syntax = data[at + head:at + head + length].decode('latin-1').strip(' \0')
        at += head + length
    return at, syntax


def clean(uid):
    return str(uid).strip(' \0')


def rows(corpus):
    with open(os.path.join(corpus, 'INDEX.tsv'), newline='') as f:
        yield from csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE)


def objects(corpus):
    """(path, SOP class, SOP instance, data set, transfer syntax of the meta header) of each."""
    for row in rows(corpus):
        path = os.path.join(corpus, row['path'])
        if not row['sop_class']:
            continue
        with open(path, 'rb') as f:
            data = f.read()
        try:
            d = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=['SOPInstanceUID'])
            instance = clean(d.get('SOPInstanceUID') or d.file_meta.get('MediaStorageSOPInstanceUID') or '')
        except Exception:  # what pydicom does not take is compared all the same
            instance = None
        if instance == '':
            continue
        at, syntax = begin(data)
        yield path, clean(row['sop_class']), instance, data[at:], syntax


def make(corpus, job):
    for n, (path, *_) in enumerate(objects(corpus), 1):
        shutil.copyfile(path, os.path.join(job, f'{n}.dcm'))


def kept_files(kept):
    for name in os.listdir(kept):
        if name.endswith('.json'):
            with open(os.path.join(kept, name)) as f:
                names = json.load(f)
            with open(os.path.join(kept, name[:-5]), 'rb') as f:
                yield (*names, f.read())


def digest(data, syntax):
    if len(data) % 2 and syntax == '1.2.840.10008.1.2.1.99':
        data += b'\0'
    return hashlib.sha256(data).hexdigest()


def check(corpus, kept):
    there = collections.Counter()
    for sop_class, instance, syntax, data in kept_files(kept):
        there[hashlib.sha256(data).hexdigest()] += 1
    names = {hashlib.sha256(data).hexdigest(): (sop_class, instance, syntax)
             for sop_class, instance, syntax, data in kept_files(kept)}
    bad = same = 0
    for path, sop_class, instance, data, syntax in objects(corpus):
        wanted = digest(data, syntax)
        if not there[wanted]:
            print('not byte for byte:', path)
            bad += 1
            continue
        there[wanted] -= 1
        same += 1
        got = names[wanted]
        if got[0] != sop_class or (instance and got[1] != instance):
            print('names differ:', path, got, repr(instance))
        if syntax and got[2] != syntax:
            print('sent as', got[2], 'though the meta header says', syntax + ':', path)
    print(same, 'byte for byte')
    return bad + sum(there.values())


def implicit(data):
    """What pydicom reads of an implicit little endian data set, by tag."""
    return {e.tag: e.value for e in pydicom.dcmread(io.BytesIO(data), force=True)
            if e.tag.element != 0 and e.tag not in (0xfffcfffc, 0x7fe00010)}


def values(corpus, kept):
    """pydicom writes each file in implicit little endian and reads it again, so that both sides have the same VRs.
    Pixel data is compared where it is uncompressed and little endian, which pydicom does not swap."""
    there = collections.defaultdict(list)
    for sop_class, instance, syntax, data in kept_files(kept):
        assert syntax == IMPLICIT
        there[instance].append(data)
    bad = same = skipped = 0
    for path, _, instance, data, _ in objects(corpus):
        if not there.get(instance):
            continue
        try:
            d = pydicom.dcmread(path, force=True)
            encapsulated = not (d.is_implicit_VR or d.file_meta.get('TransferSyntaxUID', EXPLICIT)
                                in (EXPLICIT, BIG, '1.2.840.10008.1.2.1.99'))
            out = io.BytesIO()
            big = not d.is_little_endian
            pixels = None if encapsulated or big or 'PixelData' not in d else bytes(d.PixelData)
            if 'PixelData' in d:
                del d.PixelData
            d.is_implicit_VR, d.is_little_endian = True, True
            d.preamble, d.file_meta = None, pydicom.dataset.FileMetaDataset()
            d.save_as(out)
            wanted = implicit(out.getvalue())
        except Exception as problem:  # pydicom itself cannot
            skipped += 1
            print('pydicom cannot write it:', path, str(problem).splitlines()[0])
            continue
        found = [g for g in there[instance] if implicit(g) == wanted and (pixels is None or pixels in g)]
        if found:
            same += 1
        else:
            bad += 1
            got = implicit(there[instance][0])
            print('other values:', path, [str(t) for t in sorted(set(got) | set(wanted)) if got.get(t) != wanted.get(t)][:5])
    print(same, 'of the same values,', skipped, 'not compared')
    return bad


def main():
    what, corpus, *rest = sys.argv[1:]
    if what == 'make':
        make(corpus, *rest)
    elif what == 'check':
        sys.exit(check(corpus, *rest) > 0)
    elif what == 'values':
        sys.exit(values(corpus, *rest) > 0)


if __name__ == '__main__':
    main()
