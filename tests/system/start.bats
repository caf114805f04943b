# A configuration that cannot be read for a moment keeps nothing down; what else fails at a start is tests/harness/points.

bats_require_minimum_version 1.5.0
load ../helper
load ../router

setup() {
	command -v strace >/dev/null || skip "strace is missing"
	make_router
	cd "$BATS_TEST_TMPDIR" || return
}

@test "start: a configuration that cannot be read now is read later; one that is wrong is not" {
	local status=0
	strace -qq -o /dev/null -P "$CONF" -e inject=openat:error=EMFILE "$BIN/dcmspool-router" -n -c "$CONF" >log 2>&1 || status=$?
	cat log
	[ "$status" -eq 111 ]
	grep -q "unable to read configuration: Too many open files" log
	echo 'odd = 1' >>"$CONF"
	run -100 "$BIN/dcmspool-router" -n -c "$CONF"
}
