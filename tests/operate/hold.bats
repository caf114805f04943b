# hold.bats: dcmspool hold and release.

load ../helper
load ../router
load verbs

@test "hold: nothing goes to the target until it is released; the file says who and why" {
	make_two
	SUDO_USER=alice verb hold -r "a new
building" a >"$BATS_TEST_TMPDIR/said"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "a: held" ]
	[[ $(cat "$SPOOL/outgoing/a/held") =~ ^since\ [0-9T.]+Z\ by\ alice:\ a\ new\ building$ ]]
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_images "$BATS_TEST_TMPDIR/b" 2
	has_jobs outgoing/a 1
	run verb hold a # the first who holds it stays
	[ "$status" -eq 0 ]
	[[ $output == "a: held already (since "*" by alice: a new building)" ]]
	verb release a
	wait_for has_jobs success 2
	[ ! -e "$SPOOL/outgoing/a/held" ]
	[ "$(journal held | jq -r '.target + " " + .by + " " + .reason')" = "a alice a new building" ]
	[ "$(journal released | wc -l)" -eq 1 ]
	run verb release a
	[ "$status" -eq 0 ]
	[ "$output" = "a: not held" ]
	[ "$(journal released | wc -l)" -eq 1 ]
}

@test "hold all: every target; each of the two ways to hold says that the other goes on" {
	make_two
	verb hold all b
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_jobs outgoing/a 1
	wait_for has_jobs outgoing/b 1
	run verb release a
	[[ $output == "a: not held"*"all: still held (since "*"dcmspool release all"* ]]
	run verb release all
	[[ $output == "all: released"*"b: still held (since "*"dcmspool release b"* ]]
	wait_for has_jobs success 1
	has_jobs outgoing/b 1
	verb release b
	wait_for has_jobs success 2
}

@test "hold: an unknown target is told the nearest, and nothing is done at all" {
	make_router 'target "archive" { type = folder path = "a" }' 'rule "r" { match = "True" targets = { "archive" } }'
	run verb hold archive archvie
	[ "$status" -eq 100 ]
	[[ $output == *"no target archvie in $CONF; did you mean archive?; the targets are: archive"* ]]
	[ ! -e "$SPOOL/outgoing/archive/held" ]
	run verb release archive ../archive
	[ "$status" -eq 100 ]
	run verb hold all -r weekend
	[ "$status" -eq 100 ]
	[[ $output == *"options come before operands: -r"*"usage: dcmspool-hold"* ]]
	[ ! -e "$SPOOL/outgoing/held" ]
	run verb hold
	[ "$status" -eq 100 ]
	[[ $output == *"usage: dcmspool-hold"* ]]
	mkdir "$SPOOL/outgoing/gone" # held once, and since then no longer configured
	touch "$SPOOL/outgoing/gone/held"
	verb release gone
	[ ! -e "$SPOOL/outgoing/gone/held" ]
}

@test "hold: a disk that has no room for the reason does not unmake it" {
	command -v strace >/dev/null || skip "strace is missing"
	export ASAN_OPTIONS=detect_leaks=0
	make_router
	verb release archive # the first to open a new spool writes its .format
	run strace -qq -o /dev/null -e trace=write -e inject=write:error=ENOSPC:when=1 \
		"$BIN/dcmspool-hold" -c "$CONF" archive
	[ "$status" -eq 0 ]
	[ -e "$SPOOL/outgoing/archive/held" ]
	run verb hold archive
	[ "$output" = "archive: held already" ]
}

# bats test_tags=both
@test "whoever is not the owner of the spool is told whom to be" {
	local name
	make_router
	hand_made archive 1
	if [ "$(id -u)" -eq 0 ]; then
		chown nobody "$SPOOL"
	else
		sed -i 's|^spool = .*|spool = "/usr"|' "$CONF" # root's
	fi
	for name in hold release retry cancel; do
		run verb "$name" archive
		[ "$status" -eq 100 ]
		[[ $output == *"unable to change the spool "*" as $(id -un): it belongs to "*"sudo -u '"*"' dcmspool $name"* ]]
	done
	[ "$(ls "$SPOOL/outgoing/archive")" = "$(name_of 1)" ]
}
