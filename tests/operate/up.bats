# dcmspool up: the whole router by one command, from the terminal to the last process and back.

load whole

# all_stopped STATUS: `up` ends with it, within five seconds, and leaves no process.
all_stopped() {
	local status=0
	wait_for -t 20 ended "$pid_up"
	wait "$pid_up" || status=$?
	[ "$status" -eq "$1" ]
	no_processes
}

goes_through() {
	study "$BATS_TEST_TMPDIR/$1" -s 2 -n 3 -r 64 -c 64
	send "$BATS_TEST_TMPDIR/$1"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" "$2"
	wait_for at_rest
}

@test "up makes the spool, says where it is and what to do, and routes; Ctrl-C stops everything" {
	make_up
	start_and_wait
	grep -q "configuration  *$CONF" "$BATS_TEST_TMPDIR/up.log"
	grep -q "port  *$PORT" "$BATS_TEST_TMPDIR/up.log"
	grep -q "spool  *$SPOOL" "$BATS_TEST_TMPDIR/up.log"
	grep -q "dcmsend .* $PORT " "$BATS_TEST_TMPDIR/up.log"
	grep -q 'Ctrl-C' "$BATS_TEST_TMPDIR/up.log"
	[ "$(grep -c 'make demo)' "$BATS_TEST_TMPDIR/up.log")" -eq 0 ] # that would be the clone's own configuration
	"$BIN/dcmspool-layout" -n "$SPOOL"
	echoscu -aec DCMSPOOL 127.0.0.1 "$PORT"
	goes_through study 6
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
	press_ctrl_c
	all_stopped 0
	grep -q 'dcmspool has stopped' "$BATS_TEST_TMPDIR/up.log"
}

@test "SIGTERM and SIGHUP stop everything as well, at any moment of the start" {
	local signal
	make_up
	for signal in TERM HUP; do
		start_and_wait
		pkill "-$signal" -P "$pid_up"
		all_stopped 0
	done
	# as soon as anything is printed; the supervisors are being started then
	for signal in TERM INT; do
		rm -f "$BATS_TEST_TMPDIR/up.log"
		start_up
		wait_for test -s "$BATS_TEST_TMPDIR/up.log"
		pkill "-$signal" -P "$pid_up"
		wait_for -t 20 ended "$pid_up"
		wait_for -t 20 no_processes
	done
}

@test "Ctrl-C in the middle of a transfer loses nothing; the next start goes on, everything arrives" {
	local acknowledged file n=0
	make_up
	start_and_wait
	study "$BATS_TEST_TMPDIR/study" -s 3 -n 400 -r 32 -c 32
	mkdir "$BATS_TEST_TMPDIR/rest"
	start sender "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$BATS_TEST_TMPDIR"/study/*/*
	wait_for grep -q 'IM00020.dcm 0000' "$BATS_TEST_TMPDIR/sender.log"
	press_ctrl_c
	all_stopped 0
	wait "$pid_sender" || true
	acknowledged=$(grep -c ' 0000$' "$BATS_TEST_TMPDIR/sender.log")
	echo "acknowledged: $acknowledged"
	[ "$acknowledged" -ge 20 ] && [ "$acknowledged" -lt 1200 ]
	start_and_wait
	wait_for at_rest
	# the one in flight may have arrived, too
	[ "$(images_in "$BATS_TEST_TMPDIR/archive")" -ge "$acknowledged" ]
	[ "$(images_in "$BATS_TEST_TMPDIR/archive")" -le $((acknowledged + 1)) ]
	awk '$2 == "0000" { print $1 }' "$BATS_TEST_TMPDIR/sender.log" >"$BATS_TEST_TMPDIR/acknowledged"
	find "$BATS_TEST_TMPDIR"/study -name '*.dcm' | grep -vxFf "$BATS_TEST_TMPDIR/acknowledged" |
		while read -r file; do ln "$file" "$BATS_TEST_TMPDIR/rest/$((n++)).dcm"; done
	# by the same sender: what arrived, but was not acknowledged, comes again with the same bytes
	"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$BATS_TEST_TMPDIR"/rest/* >"$BATS_TEST_TMPDIR/rest.log"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 1200
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
	press_ctrl_c
	all_stopped 0
}

@test "a second up on the same spool is refused, and the first goes on" {
	make_up
	start_and_wait
	run -100 "$BIN/dcmspool" up --root -c "$CONF"
	[[ $output == *"runs already on $SPOOL"* ]]
	[[ $output == *"stop it with"* ]]
	up_runs
	goes_through study 6
}

@test "a mistake in the configuration is reported with its line, and nothing starts" {
	make_up
	sed -i 's/targets = { "archive" }/targets = { "archiv" }/' "$CONF"
	run -100 "$BIN/dcmspool" up --root -c "$CONF"
	[[ $output == *"$CONF:$(grep -n archiv\" "$CONF" | cut -d: -f1):"* ]]
	[[ $output == *archiv* ]]
	[ ! -e "$SPOOL" ]
	no_processes
	run -100 "$BIN/dcmspool" up --root -c "$BATS_TEST_TMPDIR/none.conf"
	[[ $output == *none.conf* ]]
	run -100 "$BIN/dcmspool" up "$CONF"
	[[ $output == *usage* ]]
}

@test "up: a dicomweb target with a token, which has no user; a copy that is not right starts nothing" {
	local program
	make_up
	echo secret >"$BATS_TEST_TMPDIR/token"
	chmod 600 "$BATS_TEST_TMPDIR/token"
	echo "target \"web\" { type = dicomweb url = \"http://127.0.0.1:1\" token_file = \"$BATS_TEST_TMPDIR/token\" }" >>"$CONF"
	start_and_wait
	press_ctrl_c
	all_stopped 0
	mkdir "$BATS_TEST_TMPDIR/bin"
	for program in "$BIN"/*; do ln -s "$program" "$BATS_TEST_TMPDIR/bin"; done
	cp --remove-destination "$BIN/dcmspool-up" "$BATS_TEST_TMPDIR/bin"
	rm "$BATS_TEST_TMPDIR/bin/dcmspool-conf"
	printf '#!/bin/sh\n[ $# -gt 2 ] || echo "odd = 1"\nexec "%s" "$@"\n' "$BIN/dcmspool-conf" \
		>"$BATS_TEST_TMPDIR/bin/dcmspool-conf"
	chmod +x "$BATS_TEST_TMPDIR/bin/dcmspool-conf"
	run -100 "$BATS_TEST_TMPDIR/bin/dcmspool-up" --root -c "$CONF"
	[[ $output == *odd* ]]
	[[ $output == *'is not right, so nothing is started'* ]]
	[[ $output != *'is starting'* ]]
	no_processes
}

@test "up does not run as root, unless it is told to" {
	make_up
	if [ "$(id -u)" = 0 ]; then
		run -100 timeout 20 "$BIN/dcmspool" up -c "$CONF"
		[[ $output == *'unable to run as root: '*'sudo -u USER dcmspool up ...'*'--root'* ]]
		[ ! -e "$SPOOL" ]
		"$BIN/dcmspool" up -n -c "$CONF"
	fi
	run -100 "$BIN/dcmspool" up --rot -c "$CONF"
	[[ $output == *'unknown option --rot; usage: '* ]]
}

@test "up -n only checks" {
	make_up
	"$BIN/dcmspool" up -n -c "$CONF"
	[ ! -e "$SPOOL" ]
}

@test "kill -9 of s6-svscan: up does not say that all is well; the next up takes over" {
	local status=0
	make_up
	start_and_wait
	kill -KILL "$(running s6-svscan)"
	wait_for -t 20 ended "$pid_up"
	wait "$pid_up" || status=$?
	start_and_wait
	goes_through study 6
	up_runs
	[ "$(running s6-svscan | wc -l)" -eq 1 ]
	press_ctrl_c
	all_stopped 0
	[ "$status" -ne 0 ]
}

@test "kill -9 of each s6-supervise: its program ends too and is started again; after the stop nothing runs" {
	make_up
	start_and_wait
	# shellcheck disable=SC2046 # pids
	kill -KILL $(running s6-supervise)
	wait_for up_runs
	goes_through study 6
	press_ctrl_c
	all_stopped 0
}

@test "kill -9 of up: the router goes on; the next up says how to stop it, and that works" {
	make_up
	start_and_wait
	pkill -KILL -P "$pid_up"
	wait_for ended "$pid_up"
	goes_through study 6
	run -100 "$BIN/dcmspool" up --root -c "$CONF"
	[[ $output == *"s6-svscanctl -t $SPOOL/.service"* ]]
	s6-svscanctl -t "$SPOOL/.service"
	wait_for -t 20 no_processes
	start_and_wait
	goes_through study2 12
}

@test "a port in use, or one that needs a right: up says so with the remedy, starts nothing, and claims nothing" {
	make_up
	start other python3 -c 'import signal, socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); signal.pause()' "$PORT"
	wait_for listens "$PORT"
	run -111 timeout 30 "$BIN/dcmspool" up --root -c "$CONF"
	[[ $output == *"unable to listen on 127.0.0.1 port $PORT: Address already in use; set receiver.port to another"* ]]
	[[ $output != *'listens on'* ]]
	[ ! -e "$SPOOL" ]
	no_processes
	stop "$pid_other"
	command -v strace >/dev/null || skip "strace is missing"
	run -111 timeout 30 strace -f -qq -o /dev/null -e inject=bind:error=EACCES "$BIN/dcmspool" up --root -c "$CONF"
	[[ $output == *"unable to listen on 127.0.0.1 port $PORT: Permission denied; "*'above 1023'*"setcap cap_net_bind_service=+ep $(realpath "$BIN")/dcmspool-receiver" ]]
	[[ $output != *'listens on'* ]]
	no_processes
	sed 's/"127.0.0.1"/"192.0.2.1"/' "$CONF" >"$BATS_TEST_TMPDIR/foreign.conf"
	run -111 timeout 30 "$BIN/dcmspool" up --root -c "$BATS_TEST_TMPDIR/foreign.conf"
	[[ $output == *"Cannot assign requested address; set receiver.listen to addresses of this machine (ip addr)"* ]]
	[ ! -e "$SPOOL" ]
	start_and_wait
	press_ctrl_c
	all_stopped 0
}

# with_sleep COMMAND: `up` from a folder where sleep does that, so that its minute passes sooner
with_sleep() {
	mkdir "$BATS_TEST_TMPDIR/fake"
	printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/fake/sleep"
	chmod +x "$BATS_TEST_TMPDIR/fake/sleep"
	PATH=$BATS_TEST_TMPDIR/fake:$PATH start_up
}

told() { [ "$(grep -c "$1" "$BATS_TEST_TMPDIR/up.log")" -ge "$2" ]; }

@test "a service that stays down is named by up at once, again every minute, and no more when it is up" {
	make_up
	# shellcheck disable=SC2016 # its own words
	with_sleep 'read -r _ <>"$0.minute"'
	mkfifo "$BATS_TEST_TMPDIR/fake/sleep.minute"
	wait_for listens "$PORT"
	wait_for up_runs
	mv "$SPOOL/routing" "$SPOOL/elsewhere"
	s6-svc -r "$SPOOL/.service/router-1"
	wait_for told "router-1 is down and stays down: it exited 100" 1
	grep -q "s6-svc -u $SPOOL/.service/router-1" "$BATS_TEST_TMPDIR/up.log"
	echo >"$BATS_TEST_TMPDIR/fake/sleep.minute"
	wait_for told "router-1 is down" 2
	mv "$SPOOL/elsewhere" "$SPOOL/routing"
	s6-svc -u "$SPOOL/.service/router-1"
	wait_for up_runs
	echo >"$BATS_TEST_TMPDIR/fake/sleep.minute"
	wait_for test ! -e "$SPOOL/.service/router-1/ended"
	told "router-1 is down" 2
	! told "router-1 is down" 3
	! told "router-2" 1
	press_ctrl_c
	all_stopped 0
}

@test "a service that ends again and again is named by up after a minute" {
	make_up
	# shellcheck disable=SC2016 # its own words
	with_sleep 'read -r _ <>"$0.minute"'
	mkfifo "$BATS_TEST_TMPDIR/fake/sleep.minute"
	wait_for listens "$PORT"
	wait_for up_runs
	for n in 1 2 3; do
		s6-svc -k "$SPOOL/.service/cleaner"
		wait_for has_lines "$SPOOL/.service/cleaner/ended" "$n"
		wait_for up_runs
	done
	echo >"$BATS_TEST_TMPDIR/fake/sleep.minute"
	wait_for told "cleaner ended 3 times within a minute, at last by a signal, and was started again" 1
	press_ctrl_c
	all_stopped 0
	wait_for no_sleep
}
no_sleep() { [ -z "$(pgrep -f "$BATS_TEST_TMPDIR/fake/sleep")" ]; }

has_lines() { [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]; }

# example N: the Nth of the page that is for the spool, run there; this shell stays out of it, as a process there
# is one to be killed
example() {
	(cd "$SPOOL" && exec bash -c "$(sed -n 's/^\.Dl \$ \(.*\.service.*\)/\1/p' "$TOP/bin/dcmspool-up.8" | sed -n "$1p")")
}

receives_not() { [ -z "$(running dcmspool-receiver)" ]; }
router_pid() { s6-svstat -o pid "$SPOOL/.service/router-1"; }
restarted() { [ "$(router_pid)" != -1 ] && [ "$(router_pid)" != "$1" ]; }

@test "the examples of dcmspool-up(8) do what they say" {
	local before
	make_up
	start_and_wait
	run -0 --separate-stderr example 1
	[ -z "$stderr" ]
	[ "$(grep -c ' up (pid [0-9]*) [0-9]* seconds' <<<"$output")" -eq 6 ]
	example 2
	wait_for receives_not
	! listens "$PORT"
	example 3
	wait_for listens "$PORT"
	before=$(router_pid)
	example 4
	wait_for restarted "$before"
	example 5
	all_stopped 0
}

@test "a program that is killed is started again; what was on its way goes on" {
	local program
	make_up
	start_and_wait
	for program in dcmspool-receiver dcmspool-router dcmspool-dispatcher dcmspool-cleaner; do
		# shellcheck disable=SC2046 # pids
		kill -KILL $(running "$program")
	done
	wait_for up_runs
	wait_for listens "$PORT"
	goes_through study 6
	press_ctrl_c
	all_stopped 0
}
