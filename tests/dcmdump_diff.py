#!/usr/bin/python3
"""dcmdump_diff GETDCMTAGS: compares what getdcmtags prints with what dcmdump does, for every tag that
both know, for the files named on standard input. Only top-level elements, only values that dcmdump
prints whole, as ASCII text without escape sequences; a file that dcmdump reads must be readable by us.
Writes each difference; exits 1 if there was one, or if there was nothing to compare."""
import json
import re
import subprocess
import sys

LINE = re.compile(r"\([0-9a-f]{4},[0-9a-f]{4}\) (\w\w) (.*?) +# +\S+, *\d+ (\w+)$")


def ours(path):
    done = subprocess.run([sys.argv[1], "-p", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          timeout=20, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def theirs(path):
    """None when dcmdump cannot read the file; else the values that can be compared."""
    done = subprocess.run(["dcmdump", "-q", "-Un", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        return None
    values = {}
    for line in done.stdout.decode("latin-1").split("\n"):
        match = LINE.match(line)
        if not match:
            continue
        vr, value, keyword = match.groups()
        if value.startswith("["):
            value = value[1:value.rindex("]")] if "]" in value else "..."
        elif value.startswith("(no value"):
            value = ""
        if vr != "UN" and value.isascii() and "\x1b" not in value and not value.endswith("..."):
            values.setdefault(keyword, value)
    return values


def main():
    compared = different = 0
    for path in sys.stdin.read().splitlines():
        expected = theirs(path)
        if expected is None:
            continue
        got = ours(path)
        if got is None:
            print(path, "is read by dcmdump only")
            different += 1
            continue
        for keyword in got.keys() & expected.keys():
            compared += 1
            if got[keyword] != expected[keyword].rstrip(" \0"):
                print(path, keyword, repr(got[keyword]), repr(expected[keyword]))
                different += 1
    print(compared, "values compared,", different, "different")
    return 1 if different or not compared else 0


sys.exit(main())
