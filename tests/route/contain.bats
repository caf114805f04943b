# One bad thing harms nothing beside it: names, files and senders that are not as they should be.

load ../helper
load ../router

teardown() {
	stop_all
	show_state
}

two_targets() {
	make_router "target \"odd\" { type = $1 retry_min = 100ms retry_max = 200ms image_retries = 2 }" \
		'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "odd", "archive" } }'
	study "$BATS_TEST_TMPDIR/study" -s 3 -n 2 -r 32 -c 32
}

@test "a directory of a very long name in a queue is no job, and no reason to fall" {
	make_router
	start_all
	mkdir -p "$SPOOL/outgoing/archive/$(printf 'a%.0s' {1..180})" "$SPOOL/sending/archive/$(printf 'b%.0s' {1..180})"
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	kill -0 "$pid_dispatcher1"
}

@test "a file that lies in sending/ takes no connection of the target's" {
	make_router
	mkdir "$SPOOL/sending/archive"
	touch "$SPOOL/sending/archive/note.txt"
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
}

@test "a queue that is put aside while the dispatcher runs: the new one is watched" {
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	mv "$SPOOL/outgoing/archive" "$BATS_TEST_TMPDIR/aside"
	study "$BATS_TEST_TMPDIR/second" -s 1 -n 2 -r 32 -c 32
	wait_for test -d "$SPOOL/outgoing/archive" # the dispatcher has noticed
	send "$BATS_TEST_TMPDIR/second"
	wait_for has_jobs success 2
}

@test "mkdir .complete instead of touch: the series goes all the same" {
	TIMEOUT=2s
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -r 32 -c 32 -u 1.2.3.4
	stay_connected "$BATS_TEST_TMPDIR/study/SE0001/"*
	wait_for has_images "$SPOOL/incoming/1.2.3.4" 2
	mkdir "$SPOOL/incoming/1.2.3.4/.complete"
	wait_for has_jobs success 1
}

@test "a sender that cannot be started keeps its target waiting, not the others" {
	own_sender odd <<<'#!/nonexistent'
	two_targets odd
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 6
	wait_for grep -q 'unable to send to odd: unable to start send-odd' "$BATS_TEST_TMPDIR/dispatcher1.log"
	[ ! -e "$SPOOL/outgoing/odd/paused.json" ]
}

@test "a sender whose text has tabs and more: its answers count" {
	own_sender odd <<-'END'
		#!/bin/sh
		read -r first
		printf 'failed\tA700\t%s\ttoo\tmany\ttabs\a\n' "$first"
		while read -r image; do printf 'stored\t0000\t%s\tfine\tand\tdandy\n' "$image"; done
		echo rubbish
		exit 1
	END
	two_targets odd
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs error 3
	wait_for has_jobs success 6
	[ "$(cat "$SPOOL"/error/*/sent.log | grep -c stored)" -eq 3 ]
	[ "$(cat "$SPOOL"/error/*/sent.log | grep -c failed)" -eq 6 ]
}

@test "a sender that leaves a child behind, or closes its output and hangs, holds nobody" {
	own_sender odd <<-'END'
		#!/bin/sh
		sleep 1000 &
		echo $! >>"$TARGET_PIDS"
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	own_sender hang <<-'END'
		#!/bin/sh
		exec >&-
		exec sleep 1000
	END
	make_router "target \"odd\" { type = odd settings = { \"pids=$BATS_TEST_TMPDIR/pids\" } }" 'target "hang" { type = hang }' \
		'rule "odd" { match = "tags.Modality == '"'CT'"'" targets = { "odd" } }' \
		'rule "hang" { match = "tags.Modality == '"'MR'"'" targets = { "hang" } }'
	start_all
	study "$BATS_TEST_TMPDIR/ct" -s 2 -n 2 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/ct"
	wait_for has_jobs success 2
	study "$BATS_TEST_TMPDIR/mr" -s 1 -n 2 -r 32 -c 32 -m MR
	send "$BATS_TEST_TMPDIR/mr"
	wait_for has_jobs sending/hang 1
	kill -TERM "$pid_dispatcher1"
	wait_for -t 30 ended "$pid_dispatcher1"
	has_jobs outgoing/hang 1
	xargs kill <"$BATS_TEST_TMPDIR/pids"
}

@test "a sender that is killed costs its images nothing" {
	own_sender odd <<-'END'
		#!/bin/sh
		if [ "$(wc -l <"$TARGET_COUNT")" -lt 4 ]; then
			echo >>"$TARGET_COUNT"
			kill -KILL $$
		fi
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	: >"$BATS_TEST_TMPDIR/count"
	make_router "target \"odd\" { type = odd retry_min = 100ms retry_max = 200ms image_retries = 2 settings = { \"count=$BATS_TEST_TMPDIR/count\" } }" \
		'rule "all" { match = "True" targets = { "odd" } }'
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	has_jobs error 0
}

@test "many files dropped at once are read by a few processes, all of them" {
	local most=0 now
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 60 -r 16 -c 16
	mv "$BATS_TEST_TMPDIR"/study/SE0001/* "$SPOOL/incoming/"
	until has_images "$BATS_TEST_TMPDIR/archive" 60; do
		now=$(pgrep -c -P "$pid_router1" || true)
		[ "$now" -le "$most" ] || most=$now
		[ "$SECONDS" -lt 60 ]
	done
	echo "at most $most readers"
	[ "$most" -le 4 ]
	wait_for at_rest
}

@test "a configuration that somebody is editing harms nothing that runs" {
	make_up
	start_up
	wait_for listens "$PORT"
	echo 'tpye = x' >>"$CONF"
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 2
	press_ctrl_c
	wait_for ended "$pid_up"
}

@test "a reason that is no UTF-8 pauses the target all the same" {
	own_sender bad <<-'END'
		#!/bin/sh
		printf 'target\t-\t-\tver\374ckt %s\n' "$(printf 'ü%.0s' $(seq 200))"
		exit 111
	END
	make_router 'target "bad" { type = bad }' 'rule "all" { match = "True" targets = { "bad" } }'
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for test -e "$SPOOL/outgoing/bad/paused.json"
	jq -e '.reason | test("ver.ckt ü")' "$SPOOL/outgoing/bad/paused.json"
	[ "$(journal retried | wc -l)" -eq 1 ]
}

@test "a sender that is killed each time is tried less and less often, and the journal tells" {
	own_sender killed <<-'END'
		#!/bin/sh
		kill -KILL $$
	END
	make_router 'target "killed" { type = killed retry_min = 100ms retry_max = 1h give_up = 2s }' \
		'rule "all" { match = "True" targets = { "killed" } }'
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_jobs error 1
	grep -q 'could not be used.*killed by signal 9' "$SPOOL"/error/*/reason.txt
	[ "$(journal retried | wc -l)" -lt 12 ]
}

@test "a sender that says what is in no contract: the first answer counts, other words are none" {
	own_sender odd <<-'END'
		#!/bin/sh
		read -r first
		printf 'ok\t-\t%s\tdone\n' "$first"
		printf 'stored\t0000\t%s\tfine\nfailed\tA700\t%s\tno\n' "$first" "$first"
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	make_router 'target "odd" { type = odd }' 'rule "all" { match = "True" targets = { "odd" } }'
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_jobs success 1
	[ "$(cut -f3 "$SPOOL"/success/*/sent.log | sort | uniq -c | tr -s ' ')" = " 2 stored" ]
	grep -q 'none of dcmspool-sender(7): ok' "$BATS_TEST_TMPDIR/dispatcher1.log"
	grep -q 'answered an image twice' "$BATS_TEST_TMPDIR/dispatcher1.log"
}

@test "a batch that getdcmtags is just making, and is stopped at, is no thing dropped by hand" {
	make_router
	mkdir "$SPOOL/incoming/1.2.3.4"
	mkfifo "$BATS_TEST_TMPDIR/go"
	# as getdcmtags has it between its mkdir and series.json
	start maker flock --shared "$SPOOL/incoming/1.2.3.4" sh -c 'read -r _ <"$0"' "$BATS_TEST_TMPDIR/go"
	wait_for sh -c '! flock --exclusive --nonblock "$0" true' "$SPOOL/incoming/1.2.3.4"
	start_all
	for n in 1 2; do # the second is taken long after the first would have been, had it been a drop
		study "$BATS_TEST_TMPDIR/study$n" -s 1 -n 1 -r 32 -c 32
		cp -r "$BATS_TEST_TMPDIR/study$n" "$SPOOL/incoming/"
		wait_for has_jobs success "$n"
	done
	[ -d "$SPOOL/incoming/1.2.3.4" ]
	cp "$(find "$SPOOL/success" -name series.json | head -n 1)" "$SPOOL/incoming/1.2.3.4/"
	cp "$BATS_TEST_TMPDIR"/study1/*/*.dcm "$SPOOL/incoming/1.2.3.4/"
	echo >"$BATS_TEST_TMPDIR/go"
	wait_for has_jobs success 3
	wait_for at_rest
	has_jobs error 0
}
