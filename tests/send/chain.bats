# chain.bats: one association for many jobs ("One job after the other" of dcmspool-sender(7)), on the dispatcher's side.

load ../helper
load ../router

teardown() {
	stop_all
	show_state
}

# target NAME SETTING...: one of the configuration, at $TARGET_PORT
target() {
	local name=$1
	shift
	echo "target \"$name\" { type = dicom host = \"127.0.0.1\" port = $TARGET_PORT aec = \"${name^^}\"
		retry_min = 100ms retry_max = 200ms $* }"
}

# make_queue N SETTING...: N jobs of one image wait for the target, which is held; no dispatcher runs
make_queue() {
	local count=$1
	shift
	TARGET_PORT=$(free_port)
	make_router "$(target pacs "$@")" 'rule "all" { match = "True" targets = { "pacs" } }'
	mkdir "$SPOOL/outgoing/pacs"
	touch "$SPOOL/outgoing/pacs/held"
	start_receiver
	start_routers 1
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -v -s "$count" -n 1 -r 16 -c 16 >"$BATS_TEST_TMPDIR/made"
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs outgoing/pacs "$count"
	mapfile -t job < <(find "$SPOOL/outgoing/pacs" -mindepth 1 -type d -printf '%f\n' | sort)
}

release() { rm "$SPOOL/outgoing/pacs/held"; }
fake() {
	start fake python3 "$TOP/tests/tools/fakescp.py" "$TARGET_PORT" show=1 "$@"
	wait_for listens "$TARGET_PORT"
}
associations() { grep -c ^association "$BATS_TEST_TMPDIR/fake.log"; }
stored() { grep -c ' 0000$' "$BATS_TEST_TMPDIR/fake.log"; }
has_stored() { [ "$(stored)" -ge "$1" ]; }
has_requests() { [ "$(grep -vc ^association "$BATS_TEST_TMPDIR/fake.log")" -ge "$1" ]; }
# sent_jobs: their names as the journal has them, in the order of their ends
sent_jobs() { journal sent | jq -r .job; }
# senders: the pids of send-dicom processes of this test
senders() {
	local pid
	for pid in $(pgrep -x send-dicom); do
		! tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qxF "TARGET_PORT=$TARGET_PORT" || echo "$pid"
	done
}
no_senders() { [ -z "$(senders)" ]; }

@test "chain: twenty jobs over one association, in order; then it is released" {
	make_queue 20
	fake 0000
	start_dispatchers 1
	release
	wait_for has_jobs success 20
	[ "$(associations)" -eq 1 ]
	[ "$(stored)" -eq 20 ]
	[ "$(sent_jobs)" = "$(printf '%s\n' "${job[@]}")" ]
	wait_for no_senders # nobody keeps an idle association
}

@test "chain: two dispatchers and a target that takes one association: none is refused, none paused" {
	make_queue 20 order = none
	fake limit=1 0000
	start_dispatchers 2
	release
	wait_for has_jobs success 20
	[ "$(stored)" -eq 20 ]
	[ -z "$(journal retried)" ]
	[ ! -e "$SPOOL/outgoing/pacs/paused.json" ]
}

@test "chain: a sender that waits with its connection counts for max_connections, also with other dispatchers" {
	make_queue 2 order = none
	echo "$(target other)" >>"$CONF"
	mkdir -p "$SPOOL/outgoing/other"
	fake 0000
	start idle python3 "$BATS_TEST_DIRNAME/idle.py" "$SPOOL" pacs hold
	wait_for grep -q held "$BATS_TEST_TMPDIR/idle.log"
	mv "$SPOOL/outgoing/pacs/${job[1]}" "$SPOOL/outgoing/other/"
	release
	start_dispatchers 1
	wait_for has_jobs success 1 # the other target's, although that of this one is older
	has_jobs outgoing/pacs 1
	stop "$pid_idle"
	wait_for has_jobs success 2
}

locked() { [ "$(python3 "$BATS_TEST_DIRNAME/idle.py" "$SPOOL" chained locked)" -eq "$1" ]; }

@test "chain: while its sender waits, and only then, the dispatcher has its place of .idle locked" {
	own_sender chained <<-'END'
		#!/usr/bin/env python3
		import os, socket, sys
		end = socket.socket(fileno=int(os.environ['DCMSPOOL_NEXT']))
		open(os.environ['TARGET_TELLS'] + '/begun', 'w').close()
		open(os.environ['TARGET_TELLS'] + '/go').read() # a fifo
		for name in sys.stdin.read().split():
		    print('stored\t0000\t' + name + '\tfine', flush=True)
		print('ready', flush=True)
		end.recv(1)
		open(os.environ['TARGET_TELLS'] + '/end').read() # it is slow to release its connection
	END
	make_router "target \"chained\" { type = chained settings = { \"tells=$BATS_TEST_TMPDIR\" } }" \
		'rule "all" { match = "True" targets = { "chained" } }'
	mkfifo "$BATS_TEST_TMPDIR"/{go,end}
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 1 -r 16 -c 16
	send "$BATS_TEST_TMPDIR/study"
	wait_for [ -e "$BATS_TEST_TMPDIR/begun" ]
	locked 0
	echo >"$BATS_TEST_TMPDIR/go"
	wait_for has_jobs success 1
	locked 1
	echo >"$BATS_TEST_TMPDIR/end"
	wait_for locked 0
}

@test "chain: a job that becomes urgent meanwhile goes next, and what is held does not go" {
	make_queue 6 order = none
	fake delay=1 0000
	start_dispatchers 1
	release
	wait_for has_stored 1
	mv "$SPOOL/outgoing/pacs/${job[4]}" "$SPOOL/outgoing/pacs/${job[4]}.urgent"
	wait_for has_jobs success 3
	touch "$SPOOL/outgoing/pacs/held"
	wait_for no_senders
	wait_for has_jobs sending/pacs 0
	! has_jobs outgoing/pacs 0
	sent=$(sent_jobs | grep -n urgent)
	[ "${sent%%:*}" -le 3 ]
	[ "$(associations)" -eq 1 ]
	release
	wait_for has_jobs success 6
	[ "$(associations)" -eq 2 ]
	[ "$(stored)" -eq 6 ]
}

@test "chain: a job of another target that is older goes first" {
	make_queue 4 order = none
	echo "$(target other)" >>"$CONF"
	mkdir -p "$SPOOL/outgoing/other"
	mv "$SPOOL/outgoing/pacs/${job[1]}" "$SPOOL/outgoing/other/"
	fake 0000
	release
	start_dispatchers 1
	wait_for has_jobs success 4
	[ "$(awk '/^association/ { print $3 }' "$BATS_TEST_TMPDIR/fake.log" | tr '\n' ' ')" = 'PACS OTHER PACS ' ]
}

@test "chain: it ends after a hundred jobs" {
	make_queue 101 order = none
	fake 0000
	start_dispatchers 1
	release
	wait_for has_jobs success 101
	[ "$(associations)" -eq 2 ]
}

@test "chain: a sender that is killed between two jobs, or at once when it has one, costs nothing" {
	own_sender chained <<-'END'
		#!/usr/bin/env python3
		import os, socket, sys
		names = sys.stdin.read().split()
		end = socket.socket(fileno=int(os.environ['DCMSPOOL_NEXT']))
		how = open(os.environ['TARGET_HOW']).read().strip()
		for n in range(2):
		    for name in names:
		        print('stored\t0000\t' + name + '\tfine', flush=True)
		    print('ready', flush=True)
		    if how == 'before':
		        os.kill(os.getpid(), 9)
		    message, fds, _, _ = socket.recv_fds(end, 200, 2)
		    if how == 'after' or not message:
		        os.kill(os.getpid(), 9)
		    if how == 'exit':
		        sys.exit(0)
		    os.environ['DCMSPOOL_JOB'] = message.decode()
		    names = os.fdopen(fds[0]).read().split()
		    os.lseek(fds[0], 0, 0) if not names else None
	END
	make_router "target \"chained\" { type = chained order = none settings = { \"how=$BATS_TEST_TMPDIR/how\" } }" \
		'rule "all" { match = "True" targets = { "chained" } }'
	start_receiver
	start_routers 1
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 4 -n 1 -r 16 -c 16 >/dev/null
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs outgoing/chained 4
	for how in before after exit; do
		echo "$how" >"$BATS_TEST_TMPDIR/how"
		cp -r "$SPOOL/outgoing/chained" "$BATS_TEST_TMPDIR/queue"
		start_dispatchers 1
		wait_for has_jobs success 4
		stop "$pid_dispatcher1"
		[ -z "$(journal retried)" ]
		! grep -q killed "$BATS_TEST_TMPDIR/dispatcher1.log"
		has_jobs error 0
		rm -r "$SPOOL"/success/*
		cp -r "$BATS_TEST_TMPDIR/queue/." "$SPOOL/outgoing/chained/"
		rm -r "$BATS_TEST_TMPDIR/queue"
	done
}

@test "chain: kill -9 of the dispatcher ends its sender, also between two jobs" {
	make_queue 2 order = none
	fake delay=1 0000
	start_dispatchers 1
	release
	wait_for has_stored 1
	stop "$pid_dispatcher1" KILL
	wait_for no_senders
	start_dispatchers 1
	wait_for has_jobs success 2
}

@test "chain: an ordinary stop: the image under way is sent to its end and told, and nothing is sent twice" {
	local how
	for how in connections=1 connections=2; do
		make_queue 1 "connections = ${how#*=} max_connections = 2"
		rm -r "$SPOOL/outgoing/pacs"/2*
		"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/more" -v -s 1 -n 6 -r 16 -c 16 -S 3 >/dev/null
		send "$BATS_TEST_TMPDIR/more"
		wait_for has_jobs outgoing/pacs 1
		fake delay=1 0000
		start_dispatchers 1
		release
		wait_for has_stored 1 # the answer to the first one or two is a second away
		stop "$pid_dispatcher1"
		has_jobs outgoing/pacs 1
		! grep -qE 'killed|failed' "$BATS_TEST_TMPDIR/dispatcher1.log"
		[ "$(stored)" -eq "$(cat "$SPOOL"/outgoing/pacs/*/sent.log | grep -c stored)" ]
		start_dispatchers 1
		wait_for has_jobs success 1
		[ "$(stored)" -eq 6 ]
		[ "$(associations)" -eq $((2 * ${how#*=})) ]
		stop_all
		rm -r "$SPOOL" "$BATS_TEST_TMPDIR"/{study,more}
	done
}

@test "chain: a stop waits five seconds for a target that does not answer, and not at all where no image is under way" {
	make_queue 1
	fake hang
	start_dispatchers 1
	release
	wait_for has_requests 1
	SECONDS=0
	stop "$pid_dispatcher1"
	[ "$SECONDS" -ge 4 ]
	[ "$SECONDS" -lt 25 ]
	no_senders
	has_jobs outgoing/pacs 1
	# no image is under way: at once
	python3 -c 'import socket, signal, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))): signal.pause()' "$((TARGET_PORT + 1))" 3>&- &
	started+=("$!")
	wait_for listens "$((TARGET_PORT + 1))"
	sed -i "s/port = $TARGET_PORT/port = $((TARGET_PORT + 1))/" "$CONF"
	start_dispatchers 1
	wait_for has_jobs sending/pacs 1
	stop "$pid_dispatcher1"
	[ "$SECONDS" -lt 25 ]
	has_jobs outgoing/pacs 1
}
