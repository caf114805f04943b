"""points [-s STEP | -n N] [-w WORKERS] [-k] [-o FILE] [-p REGEX] [SCENARIO...]: attacks every program of bin/.

For each scenario (or those whose name begins so) the calls of a run are recorded by strace; then it is run once for
each fault: killed before and after each call that changes the tree, and every error that each call can give. All of
them, each STEPth, or about N of each scenario; -k: without the errors of calls that only look; -p: the points that
match. The rows go to FILE (build/torture.tsv), tests/harness/table prints them. Exits 1 when anything went wrong, and
when a program of bin/ has no scenario.
"""
import getopt
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from engine import Engine  # noqa: E402
from inventory import NO_STATE, SCENARIOS  # noqa: E402
from world import BIN, TOP, World  # noqa: E402


def uncovered():
    """The programs of bin/ that nobody attacks"""
    covered = {s.program for s in SCENARIOS} | set(NO_STATE)
    return sorted(p for p in os.listdir(BIN)
                  if os.access(f'{BIN}/{p}', os.X_OK) and not p.endswith('.so') and p not in covered)


def main():
    options, chosen = getopt.getopt(sys.argv[1:], 's:n:w:ko:p:l')
    value = dict(options)
    missing = uncovered()
    for program in missing:
        print(f'{program}: no scenario attacks it; add one, or why it has no state, in tests/harness/points')
    if '-l' in value:
        print('\n'.join(f'{s.program}\t{s.name}' for s in SCENARIOS))
        return 1 if missing else 0
    scenarios = [s for s in SCENARIOS if not chosen or any(s.name.startswith(c) for c in chosen)]
    # in memory where that is possible: how long a disk takes is not what is tried here
    top = tempfile.mkdtemp(prefix='points.', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)
    out = value.get('-o', os.environ.get('BUILD', TOP + '/build') + '/torture.tsv')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        engine = Engine(top, int(value.get('-w', 16)), int(value.get('-s', 0)), int(value.get('-n', 0)),
                        '-k' not in value, value.get('-p'))
        well = engine.run(scenarios)
    except (KeyboardInterrupt, SystemExit):  # the threads would go on
        World.stopping = True
        for w in list(World.alive):
            w.kill()
        shutil.rmtree(top, ignore_errors=True)
        engine.table.write(out)  # as far as it came
        os._exit(143)
    shutil.rmtree(top, ignore_errors=True)
    engine.table.write(out)
    subprocess.run([TOP + '/tests/harness/table', out], check=True)
    return 0 if well and not missing else 1


sys.exit(main())
