#!/usr/bin/python3
"""dcmdump_diff GETDCMTAGS: compares what getdcmtags prints with what dcmdump does, for every element of
the top level, for the files named on standard input. Only values that dcmdump prints whole, as numbers or
as ASCII text without escape sequences; a file that dcmdump reads must be readable by us.
Writes each difference; exits 1 if there was one, or if there was nothing to compare."""
import json
import re
import subprocess
import sys

LINE = re.compile(r"\(([0-9a-f]{4},[0-9a-f]{4})\) (\w\w) (.*?) +# +\S+, *\d+ \S+$")
TEXT = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split()
NUMBERS = "US UL UV SS SL SV FL FD AT".split()
AT_ONCE = 60  # getdcmtags takes 64


def ours(path, tags):
    """None when we cannot read the file."""
    values = {}
    for i in range(0, max(len(tags), 1), AT_ONCE):
        more = ["-t", ",".join(tags[i:i + AT_ONCE])] if tags else []
        done = subprocess.run([sys.argv[1], "-p", *more, path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=20, check=False)
        if done.returncode != 0:
            return None
        values.update(json.loads(done.stdout))
    return values


def text_of(value):
    if value.startswith("["):
        return value[1:value.rindex("]")].rstrip(" \0") if "]" in value else "..."
    return "" if value.startswith("(no value") else value.rstrip(" \0")


def theirs(path):
    """None when dcmdump cannot read the file; else the values that can be compared."""
    done = subprocess.run(["dcmdump", "-q", "-Un", "+L", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        return None
    values = {}
    for line in done.stdout.decode("latin-1").split("\n"):
        match = LINE.match(line)
        if not match:
            continue
        tag, vr, value = match.groups()
        value = text_of(value)
        if vr in TEXT + NUMBERS and value.isascii() and "\x1b" not in value and value != "...":
            values.setdefault(tag, (vr, value))
    return values


def same(vr, got, expected):
    if vr == "AT":
        expected = re.sub("[(),]", "", expected)
    if vr not in ("FL", "FD") or not expected:
        return got == expected
    pairs = list(zip(got.split("\\"), expected.split("\\"), strict=True))
    return all(a == b or abs(float(a) - float(b)) <= 1e-6 * abs(float(b)) for a, b in pairs)


def main():
    compared = different = 0
    for path in sys.stdin.read().splitlines():
        expected = theirs(path)
        if expected is None:
            continue
        got = ours(path, list(expected))
        if got is None:
            print(path, "is read by dcmdump only")
            different += 1
            continue
        for tag, (vr, value) in expected.items():
            compared += 1
            if not same(vr, got[tag], value):
                print(path, tag, vr, repr(got[tag]), repr(value))
                different += 1
    print(compared, "values compared,", different, "different")
    return 1 if different or not compared else 0


sys.exit(main())
