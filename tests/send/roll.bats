# roll.bats: what a dispatcher knows of its queues is what lies in them: nothing is stuck or sent because of a list that
# is old (dcmspool-dispatcher/roll.h).

load ../helper
load ../router

setup() {
	own_sender quick <<-'END'
		#!/bin/sh
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
}

teardown() {
	stop_all
	show_state
}

# make_queue [SETTING...]
make_queue() {
	make_router "target \"a\" { type = quick order = none $* }" 'rule "all" { match = "True" targets = { "a" } }'
	mkdir -p "$SPOOL/outgoing/a"
}

# make_jobs FIRST LAST [FOLDER]: jobs of one image each, made by a rename each
make_jobs() {
	/usr/bin/python3 - "$SPOOL" "$1" "$2" "${3:-$SPOOL/outgoing/a}" <<-'END'
		import os, sys
		spool, first, last, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
		for n in range(first, last + 1):
		    os.mkdir(spool + '/.new')
		    open(spool + '/.new/1.dcm', 'w').close()
		    os.rename(spool + '/.new', '%s/20261122T140301.%06dZ.3f9a1c2b.%08x' % (folder, n, n))
	END
}

sent() { has_jobs success "$1" && has_jobs outgoing/a 0 && has_jobs sending/a 0; }
asleep() { [ "$(cut -d' ' -f3 "/proc/$pid_dispatcher1/stat")" = S ]; }

# interrupted COMMAND...: while the dispatcher, which has looked at its queue, is stopped
interrupted() {
	wait_for grep -q ready "$BATS_TEST_TMPDIR/dispatcher1.log"
	wait_for asleep
	kill -STOP "$pid_dispatcher1"
	"$@"
	kill -CONT "$pid_dispatcher1"
}

@test "roll: jobs that came, went and came back while the dispatcher was stopped" {
	make_queue
	touch "$SPOOL/outgoing/a/held"
	make_jobs 1 5
	start_dispatchers 1
	changes() {
		local all=("$SPOOL"/outgoing/a/2*)
		make_jobs 6 8
		mv "${all[0]}" "$SPOOL/incoming/"
		mv "${all[1]}" "$SPOOL/aside" && mv "$SPOOL/aside" "${all[1]}"
		mv "${all[2]}" "${all[2]}.urgent"
		mv "${all[3]}" "$SPOOL/aside" && : >"${all[3]}" # a file that has its name
		rm "$SPOOL/outgoing/a/held"
	}
	interrupted changes
	wait_for has_jobs success 6
	[ -n "$(ls "$SPOOL/success" | grep urgent)" ]
	rm "$SPOOL"/outgoing/a/2*
	mv "$SPOOL/aside" "$SPOOL/outgoing/a/20261122T140301.000004Z.3f9a1c2b.00000004"
	wait_for sent 7
}

@test "roll: more happens than the kernel keeps: everything is listed anew" {
	make_queue
	touch "$SPOOL/outgoing/a/held"
	make_jobs 1 3
	start_dispatchers 1
	changes() {
		make_jobs 4 4
		mv "$SPOOL"/outgoing/a/*00000001 "$SPOOL/aside"
		/usr/bin/python3 - "$SPOOL/outgoing/a/20261122T140301.000009Z.3f9a1c2b.00000009" \
			"$(($(cat /proc/sys/fs/inotify/max_queued_events) / 2 + 1))" <<-'END'
			import os, sys
			for n in range(int(sys.argv[2])):
			    os.mkdir(sys.argv[1])
			    os.rmdir(sys.argv[1])
		END
		make_jobs 5 6
		rm -r "$SPOOL"/outgoing/a/*00000002
		rm "$SPOOL/outgoing/a/held"
	}
	interrupted changes
	wait_for sent 4
	mv "$SPOOL/aside" "$SPOOL/outgoing/a/20261122T140301.000001Z.3f9a1c2b.00000001"
	wait_for sent 5
}

@test "roll: another directory takes the queue's place: what lies in that is sent, then and later" {
	make_queue
	touch "$SPOOL/outgoing/a/held"
	make_jobs 1 3
	start_dispatchers 1
	changes() {
		mv "$SPOOL/outgoing/a" "$SPOOL/aside"
		mkdir "$SPOOL/outgoing/a"
		make_jobs 4 5
	}
	interrupted changes
	wait_for sent 2
	make_jobs 6 6
	wait_for sent 3
	make_jobs 7 7 "$SPOOL/aside" # of no queue
	rm "$SPOOL/aside/held"
	mv -T "$SPOOL/aside" "$SPOOL/outgoing/a"
	wait_for sent 7
}

@test "roll: no watch can be had: each look lists the queue" {
	make_queue
	make_jobs 1 3
	start dispatcher1 strace -f -qq -o /dev/null -e trace=inotify_add_watch \
		-e inject=inotify_add_watch:error=ENOSPC "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for sent 3
	grep -q 'unable to watch outgoing/a/: No space left on device; it is tried again' \
		"$BATS_TEST_TMPDIR/dispatcher1.log"
	pkill -P "$pid_dispatcher1"
}

@test "roll: retry.json is read when a job is seen, and again when dcmspool retry says so" {
	make_queue retry_max = 1h
	make_jobs 1 3
	later=$(date -u -d '+30 minutes' +%Y%m%dT%H%M%S.000000Z)
	for job in "$SPOOL"/outgoing/a/*0000000[12]; do echo "{\"not_before\": \"$later\"}" >"$job/retry.json"; done
	start_dispatchers 1
	wait_for has_jobs success 1
	wait_for asleep
	make_jobs 4 4
	wait_for has_jobs success 2
	has_jobs outgoing/a 2
	"$BIN/dcmspool-retry" -c "$CONF" a
	wait_for sent 4
}

@test "roll: when a job that waits for its time goes away, it is the next one's turn of its study" {
	make_queue retry_max = 1h
	sed -i 's/order = none/order = study/' "$CONF"
	touch "$SPOOL/outgoing/a/held"
	make_jobs 1 3
	later=$(date -u -d '+30 minutes' +%Y%m%dT%H%M%S.000000Z)
	echo "{\"not_before\": \"$later\"}" >"$(echo "$SPOOL"/outgoing/a/*00000001)/retry.json"
	start_dispatchers 1
	rm "$SPOOL/outgoing/a/held"
	wait_for asleep
	has_jobs success 0
	mv "$SPOOL"/outgoing/a/*00000001 "$SPOOL/aside"
	wait_for sent 2
}

@test "roll: a study of many series goes in order, and jobs that three dispatchers share go once" {
	make_queue max_connections = 3
	sed -i 's/order = none/order = study order_wait = 0s/' "$CONF"
	make_jobs 1 300
	start_dispatchers 3
	wait_for sent 300
	cat "$SPOOL"/success/*/sent.log | cut -f 1 >"$BATS_TEST_TMPDIR/answers" # by the names of the jobs
	sort -c "$BATS_TEST_TMPDIR/answers"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" -eq 300 ]
}
