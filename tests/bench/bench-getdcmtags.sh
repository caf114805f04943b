#!/bin/bash
# bench-getdcmtags.sh: part of `make bench`. What reading one header costs as a program, beside the floor
# (a C program that opens the file, reads 4 KiB and exits) and `dcmdump +P` of the same tags; and what
# an image costs inside the watcher. ROUNDS interleaved rounds, medians; ratios of the same round.
# Figures never make it fail. Works in a directory of its own below TMPDIR (default: the build folder).
set -u
export LC_ALL=C
TOP=$(cd "$(dirname "$0")/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=5}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
IMAGES=1000 CALLS=200
WORK=$(mktemp -d "${TMPDIR:-$BUILD}/bench.XXXXXX") || exit 111

# shellcheck source=tests/bench/bench.bash
. "$TOP/tests/bench/bench.bash"
trap clean_up EXIT
trap 'exit 130' INT TERM

# call NAME COUNT COMMAND...: notes NAME (wall) and NAME.cpu, microseconds per call
call() {
	local name=$1 wall cpu
	shift
	read -r wall cpu < <("$TOOLS/calltime" "$@") || die "unable to measure $name"
	note "$name" "$wall"
	note "$name.cpu" "$cpu"
}

# watch_images: $IMAGES images lie in an association that has ended cleanly; getdcmtags files them.
watch_images() {
	local a=$SPOOL/receiving/a$1
	mkdir "$a"
	cp -r "$WORK"/ct/SE*/*.dcm "$a"
	echo '{ "association": "a", "peer": "127.0.0.1", "calling_aet": "A", "called_aet": "B" }' \
		>"$a/association.json"
	sync -f "$a"
	call watch 1 "$BIN/getdcmtags" -c "$WORK/conf" -w "receiving/a$1" < <(printf c)
	[ "$(find "$SPOOL/incoming" -name '*.dcm' | wc -l)" = "$IMAGES" ] || die "not all images were filed"
	rm -r "$SPOOL"/incoming/*
}

make_files() {
	"$TOOLS/makestudy" "$WORK/one" -s 1 -n 1 -r 512 -c 512 &&
		"$TOOLS/makestudy" "$WORK/ct" -n "$IMAGES" -r 16 -c 16 &&
		"$TOOLS/makeenhanced" "$WORK/multi" 200 512 512 &&
		"$TOOLS/makeenhanced" "$WORK/enhanced" 2000 64 64
}

SPOOL=$WORK/spool
echo "spool = \"$SPOOL\"" >"$WORK/conf"
"$BIN/dcmspool-layout" "$SPOOL" || die "unable to make a spool"
make_files || die "unable to make images"
mv "$WORK/one/SE0001/IM00001.dcm" "$WORK/single"
wanted=$("$BIN/getdcmtags" -p "$WORK/single" | tr ',' '\n' | sed -n 's/^{*"\([A-Za-z]*\)":.*/+P \1/p')

for ((round = 1; round <= ROUNDS; round++)); do
	for file in single multi enhanced; do
		call "$file.floor" "$CALLS" -r "$WORK/$file"
		call "$file.ours" "$CALLS" "$BIN/getdcmtags" -p "$WORK/$file"
		# shellcheck disable=SC2086 # each keyword is a word
		call "$file.dcmdump" 10 dcmdump -q $wanted "$WORK/$file"
		note "$file.ratio" "${last[$file.ours]} / ${last[$file.floor]}"
	done
	watch_images "$round"
	call start 20 "$BIN/getdcmtags" -c "$WORK/conf" -n
	note image "(${last[watch.cpu]} - ${last[start.cpu]}) / $IMAGES"
done

echo "getdcmtags: medians of $ROUNDS rounds (lowest .. highest)"
titles=("single:CT, 525 KB" "multi:multi-frame, 105 MB" "enhanced:enhanced, 2,000 frames")
for title in "${titles[@]}"; do
	file=${title%%:*}
	row "${title#*:}: getdcmtags -p" "$file.ours" %.0f us
	row "    the floor" "$file.floor" %.0f us
	row "    dcmdump +P, the same tags" "$file.dcmdump" %.0f us
	row "    getdcmtags / floor" "$file.ratio" %.2f x '<=' 2 x
done
row "one image inside the watcher, CPU" image %.0f us '<=' 100 us
