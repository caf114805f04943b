#!/bin/sh
# bench-rules.sh: evaluations of rules a second: 100 rules, the examples of dcmspool-rules(5) over and
# over, on one series. Prints one line. usage: BUILD=build tests/bench/bench-rules.sh
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
rulebench=${BUILD:-$top/build}/tests/rulebench
[ -x "$rulebench" ] || {
	echo "bench-rules.sh: there is no $rulebench; make bench builds and runs it" >&2
	exit 1
}
rules=$(mktemp)
trap 'rm -f "$rules"' EXIT

# What mdoc writes for \, ' and ".
sed -n '/^\.Sh EXAMPLES/,$ s/^\.Dl //p' "$top/src/lib/rule/dcmspool-rules.5" |
	sed "s/\\\\e/\\\\/g; s/\\\\(aq/'/g; s/\\\\(dq/\"/g" |
	awk '{ line[NR] = $0 } END { for (i = 0; i < 100; i++) print line[i % NR + 1] }' >"$rules"
"$rulebench" "$rules" "${MILLISECONDS:-1000}" | {
	read -r rate rest
	echo "rules: $rate evaluations/s, $((rate / 100)) series/s with 100 rules ($rest)"
}
