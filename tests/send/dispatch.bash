# dispatch.bash: what the tests of dispatchers share.
# shellcheck shell=bash

# images N: a series of N images; uid[0], uid[1] ... are their SOP Instance UIDs in the order of sending
images() {
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -v -s 1 -n "$1" -r 16 -c 16 >"$BATS_TEST_TMPDIR/made"
	mapfile -t uid < <(cut -f4 "$BATS_TEST_TMPDIR/made" | sort)
}

# ledger UID: the answers to that image, as "result status try", one a line
ledger() { grep -hF "$1.dcm" "$SPOOL"/*/*/sent.log | cut -f 3,4,6 | tr '\t' ' ' | sort -u; }
sent_and_given_up() { has_jobs success "$1" && has_jobs error "$2"; }
