# status.bash: what the tests of dcmspool status share.
# shellcheck shell=bash

teardown() {
	stop_all
	[ -z "${SPOOL-}" ] || kill_processes
	show_state || true # there may be no spool
}

# json [FILTER]: of the status, whatever its exit code
json() { verb status --json >"$BATS_TEST_TMPDIR/json" || true; jq -er "$@" "$BATS_TEST_TMPDIR/json"; }

is_well() { verb status >"$BATS_TEST_TMPDIR/said" 2>&1; }

says() {
	verb status >"$BATS_TEST_TMPDIR/said" 2>&1 || true
	grep -qE "$1" "$BATS_TEST_TMPDIR/said"
}

signal_of_service() { kill -"$1" "$(s6-svstat -o pid "$SPOOL/.service/$2")"; }
