# byhand.bash: what the tests share that put things into incoming/ by hand.
# shellcheck shell=bash

teardown() {
	exec 5>&- # a slow writer that a failed test has left
	stop_all
	show_state || true # a skipped test has no spool
}

# routes N: N images are in the archive in all, and nothing is on its way
routes() {
	wait_for has_images "$BATS_TEST_TMPDIR/archive" "$1"
	wait_for at_rest
}

# identical DIR: the archive holds exactly these images
identical() { "$TOOLS/dicomcmp" -d "$1" "$BATS_TEST_TMPDIR/archive"; }

# Only what is in error/ without the reasons; names may hold anything.
quarantined() {
	find "$SPOOL/error" -mindepth 2 ! -name reason.txt ! -name .told ! -type d -printf . | wc -c
}
has_quarantined() { [ "$(quarantined)" -eq "$1" ]; }

# Every directory in error/ explains itself.
reasons() {
	local d
	for d in "$SPOOL"/error/*/; do test -s "$d/reason.txt"; done
	cat "$SPOOL"/error/*/reason.txt
}

pause() { read -r -t "$1" <> <(:) || true; }

small() { study "$BATS_TEST_TMPDIR/$1" -r 32 -c 32 "${@:2}"; }
one_file() { find "$BATS_TEST_TMPDIR/$1" -name '*.dcm' | sort | head -n 1; }

# start_plain_router: one that may do no more than its own user, also where the tests run as root; nobody's
# files are another user's then. Skips where there is no root to give them away.
start_plain_router() {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to make files of another user"
	local rights=-fowner,-dac_override,-dac_read_search
	start router1 setpriv --bounding-set=$rights --inh-caps=$rights "$BIN/dcmspool-router" -c "$CONF"
}
others() { chown -R nobody "$@"; }
nothing_before_queues() { [ -z "$(ls -A "$SPOOL/incoming")$(ls -A "$SPOOL/receiving")$(ls -A "$SPOOL/routing")" ]; }
