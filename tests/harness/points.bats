# points.bats: every call of every program that changes the tree is a crash point, and every call fails in every way
# that it can; see points/__main__.py.

bats_require_minimum_version 1.5.0
load ../helper

setup() {
	command -v strace >/dev/null || skip "strace is missing"
	export BIN BUILD
}

# points [OPTION...] [SCENARIO...]
points() { /usr/bin/python3 "$TOP/tests/harness/points" -o "${TORTURE_TABLE:-$BATS_TEST_TMPDIR/rows}" "$@"; }

# bats test_tags=sweep
@test "points: no program loses, holds up or misreports an image, wherever it is killed and whatever fails" {
	if [ -n "${SWEEP-}" ]; then
		points -w 24 -s "$SWEEP"
	else
		points -w 24 -n 3
	fi
}

@test "points: every program of bin/ has a scenario, or a reason why it needs none; one that has none is named" {
	points -l
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp -a "$BIN/." "$BATS_TEST_TMPDIR/bin"
	cp "$BIN/dcmspool" "$BATS_TEST_TMPDIR/bin/dcmspool-new"
	BIN=$BATS_TEST_TMPDIR/bin run -1 points -l
	[[ $output == *"dcmspool-new: no scenario attacks it"* ]]
}

@test "points: a success that is none is found; the table sums, and fails when anything went wrong" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp -a "$BIN/." "$BATS_TEST_TMPDIR/bin"
	ln -s "$TOP/spool-layout" "$BATS_TEST_TMPDIR/spool-layout"
	printf '%s\n' '#!/bin/sh' 'while read -r image; do printf "stored\t-\t%s\tstored\n" "$image"; done' \
		>"$BATS_TEST_TMPDIR/bin/send-folder"
	BIN=$BATS_TEST_TMPDIR/bin run -1 points 'dcmspool-dispatcher, a job'
	[[ $output == *" lies in success/ and archive does not have it"* ]]
	printf 'a\tkill\t5\t0\t0\t0\na\tkill\t7\t0\t1\t0\n' >"$BATS_TEST_TMPDIR/rows"
	run -1 "$TOP/tests/harness/table" -e "$BATS_TEST_TMPDIR/rows"
	[[ $output == *"a "*" kill "*" 12 "*" 0 "*" 1 "*" 0"* ]]
	printf 'a\tkill\t5\t0\t0\t0\n' >"$BATS_TEST_TMPDIR/rows"
	"$TOP/tests/harness/table" -e "$BATS_TEST_TMPDIR/rows"
}
