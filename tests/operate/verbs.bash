# verbs.bash: what the tests of the operator's verbs share: the verbs themselves, jobs made by hand, a sender that
# does as it is told.
# shellcheck shell=bash

teardown() {
	stop_all
	show_state || true # there may be no program that has written a log
}

# verb NAME ARGUMENT...
verb() {
	local name=$1
	shift
	"$BIN/dcmspool-$name" -c "$CONF" "$@"
}

# make_two: targets a and b, everything goes to both
make_two() {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
}

# hand_made TARGET N...: jobs of different studies, with one file that counts as an image
name_of() { printf '20260101T000000.%06dZ.%08x.%08x' "$1" "$1" "$1"; }
hand_made() {
	local target=$1 n
	shift
	for n in "$@"; do
		mkdir -p "$SPOOL/outgoing/$target/$(name_of "$n")"
		echo "$n" >"$SPOOL/outgoing/$target/$(name_of "$n")/1.dcm"
	done
}

# A target that tells no answer while the file "wait" exists, and only one when "once" does; it is down while
# "down" exists, and refuses every image while "refuse" does.
make_sender() {
	own_sender told <<-'END'
		#!/bin/sh
		cd "$TARGET_HOME" || exit 100
		if [ -e down ]; then
			printf 'target\t-\t-\tit is down\n'
			exit 111
		fi
		[ "$1" = -p ] && exit 0
		while read -r image; do
			until [ ! -e wait ]; do :; done
			[ ! -e once ] || mv once wait
			if [ -e refuse ]; then
				printf 'failed\t0110\t%s\tnot this one\n' "$image"
			else
				printf 'stored\t0000\t%s\tfine\n' "$image"
			fi
		done
	END
	make_router "target \"told\" { type = told settings = { \"home=$BATS_TEST_TMPDIR\" }
		retry_min = 1h retry_max = 2h }" 'target "other" { type = folder path = "other" }' \
		'rule "all" { match = "True" targets = { "told" } }'
}

# waits_for JOB: it is to be tried again, in an hour
waits_for() { [ -e "$SPOOL/outgoing/told/$1/retry.json" ]; }
