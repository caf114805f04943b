# Idle means asleep: with nothing to do, no process of the router wakes (DESIGN.md, law 5).

load ../helper
load ../router

teardown() {
	stop_all
	kill_processes
	show_state || true # there may be no spool
}

# Short times, so that a timer left armed would go off while we look.
start_idle() {
	GRACE=200ms TIMEOUT=3s
	make_up "$@"
	start_up
	wait_for listens "$PORT"
	wait_for up_runs
	wait_for supervised
}
supervised() { [ "$(running s6-supervise | wc -l)" -eq 6 ]; }

# Name and context switches of both kinds of each thread of all our processes.
switches() {
	local pid
	for pid in $(processes); do
		grep -E '^Name|ctxt_switches' "/proc/$pid"/task/*/status /dev/null || true
	done | sort
}

pause() { read -r -t "$1" <> <(:) || true; }

is_quiet() {
	local before
	before=$(switches)
	pause 0.3
	[ "$before" = "$(switches)" ]
}

# nobody_wakes: not within ten seconds
nobody_wakes() {
	wait_for is_quiet
	switches >"$BATS_TEST_TMPDIR/before"
	pause 10
	switches >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

# armed PROGRAM: the timers of it that would go off some time (proc(5), fdinfo of a timerfd)
armed() {
	local pid
	for pid in $(running "$1"); do
		grep -h '^it_value' "/proc/$pid"/fdinfo/* | grep -v '(0, 0)' || true
	done
}

no_timer_is_armed() {
	local program
	for program in dcmspool-receiver dcmspool-router dcmspool-dispatcher; do
		[ -z "$(armed "$program")" ]
	done
}

@test "with nothing to do, nobody wakes" {
	start_idle
	nobody_wakes
	no_timer_is_armed
	# 6 programs, a storescp that waits, 6 s6-supervise, s6-svscan: a name and two numbers each
	[ "$(wc -l <"$BATS_TEST_TMPDIR/after")" -eq $((14 * 3)) ]
}

@test "after images were received, routed, sent, discarded and quarantined, nobody wakes" {
	start_idle 'target "archive" { type = folder path = "archive" }' \
		'rule "ct" { match = "tags.Modality == '"'CT'"'" targets = { "archive" } }'
	study "$BATS_TEST_TMPDIR/ct" -s 2 -n 5 -r 32 -c 32
	study "$BATS_TEST_TMPDIR/cut" -n 2 -r 32 -c 32
	study "$BATS_TEST_TMPDIR/mr" -n 2 -r 32 -c 32 -m MR
	send "$BATS_TEST_TMPDIR/ct"
	send "$BATS_TEST_TMPDIR/mr"
	echo text >"$SPOOL/incoming/notes.txt"
	"$TOOLS/rawsend" 127.0.0.1 "$PORT" -D 2 "$BATS_TEST_TMPDIR"/cut/*/* || true
	echoscu -aec DCMSPOOL 127.0.0.1 "$PORT"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 11
	wait_for has_jobs discard 1
	wait_for test -n "$(ls "$SPOOL/error")"
	wait_for at_rest
	nobody_wakes
	no_timer_is_armed
}

@test "a connection that is silent wakes nobody, once its images have gone" {
	start_idle
	study "$BATS_TEST_TMPDIR/study" -n 3 -r 32 -c 32
	stay_connected "$BATS_TEST_TMPDIR"/study/*/*
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 3
	[ -n "$(storescps)" ]
	nobody_wakes
	no_timer_is_armed
}

@test "while a target is down, only its next try wakes the dispatchers" {
	start_idle 'target "pacs" { type = dicom host = "127.0.0.1" port = 1 aec = "PACS" retry_min = 10m }' \
		'rule "all" { match = "True" targets = { "pacs" } }'
	study "$BATS_TEST_TMPDIR/study" -n 3 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study"
	wait_for test -e "$SPOOL/outgoing/pacs/paused.json"
	nobody_wakes
	[ -z "$(armed dcmspool-router)" ]
	[ -n "$(armed dcmspool-dispatcher)" ]
}
