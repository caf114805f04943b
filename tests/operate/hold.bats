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

@test "hold and release say what else is held; reception, too" {
	make_two
	verb hold a
	run verb hold --receiver
	[[ ${lines[0]} == "reception: held" && ${lines[1]} == "a: held as well (since "* && ${#lines[@]} -eq 2 ]]
	run verb hold b all
	[[ ${lines[0]} == "b: held" && ${lines[1]} == "all: held" ]]
	[[ ${lines[2]} == "reception: held as well (since "* && ${lines[3]} == "a: held as well (since "* && ${#lines[@]} -eq 4 ]]
	run verb release all
	[[ ${lines[0]} == "all: released" && ${lines[1]} == "reception: still held (since "*"dcmspool release --receiver" ]]
	[[ ${lines[2]} == "a: still held"* && ${lines[3]} == "b: still held (since "*"dcmspool release b" ]]
	run verb release a b --receiver
	[ "$status" -eq 100 ] # an option that comes too late
	verb release a b
	run verb release --receiver
	[ "$output" = "reception: released" ]
	run "$BIN/dcmspool-log" -c "$CONF"
	[[ $output == *"reception: held by "*"reception: released by "* ]]
}

# told_held N PATTERN: so many lines of the dispatchers
told_held() { [ "$(cat "$BATS_TEST_TMPDIR"/dispatcher*.log | grep -c "$2")" -eq "$1" ]; }
ready_all() { [ "$(cat "$BATS_TEST_TMPDIR"/dispatcher*.log | grep -c 'info: ready')" -ge "$1" ]; }

@test "what is held is in the log: at the start, when it begins, and when the first job waits; a line, not one of each" {
	local told="type = told settings = { \"home=$BATS_TEST_TMPDIR\" }"
	make_sender
	make_router "target \"a\" { $told }" "target \"b\" { $told }" 'rule "all" { match = "True" targets = { "a", "b" } }'
	SUDO_USER=alice verb hold -r moving a
	start_dispatchers 3
	wait_for told_held 1 'warning: target a is held (since .* by alice: moving); end that with: dcmspool release a'
	wait_for ready_all 3
	hand_made a 1
	wait_for told_held 1 'target a is held (since .* by alice: moving), and jobs wait; end that with: dcmspool release a'
	hand_made a 2 3 4
	hand_made b 5
	wait_for has_jobs success 1 # so all have looked
	told_held 2 'target a is held'
	verb release a
	wait_for has_jobs success 5
	verb hold all
	wait_for told_held 1 'target all is held'
	hand_made b 6
	hand_made a 7
	wait_for told_held 1 'target all is held (.*), and jobs wait; end that with: dcmspool release all'
	told_held 2 'target all is held'
	told_held 2 'target a is held'
	signal "$pid_dispatcher1" KILL # who had told it may be this one
	signal "$pid_dispatcher2" KILL
	verb release all
	wait_for has_jobs success 7
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
