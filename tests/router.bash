# router.bash: the whole router on a spool of its own, for the tests that need more than one program.
# Programs are started one by one, so that a test can stop, kill and count each.

# make_router [LINE...]: configuration $CONF (the lines replace the default targets and rules), spool
# $SPOOL, port $PORT. The default sends everything to the folder $BATS_TEST_TMPDIR/archive.
make_router() {
	SPOOL=$BATS_TEST_TMPDIR/spool
	CONF=$BATS_TEST_TMPDIR/dcmspool.conf
	PORT=$(free_port)
	if [ $# -eq 0 ]; then
		set -- 'target "archive" { type = folder path = "archive" }' \
			'rule "all" { match = "True" targets = { "archive" } }'
	fi
	{
		echo "spool = \"$SPOOL\""
		echo "receiver { port = $PORT listen = { \"127.0.0.1\" } min_free = 1 request_timeout = 5s }"
		echo "router { association_grace = ${GRACE:-300ms} series_timeout = ${TIMEOUT:-20s} }"
		printf '%s\n' "$@"
	} >"$CONF"
	"$BIN/dcmspool-layout" "$SPOOL"
}

start_receiver() {
	start receiver "$BIN/dcmspool-receiver" -c "$CONF"
	wait_for listens "$PORT"
}

# start_routers N / start_dispatchers N: pids in $pid_router1 ...
start_routers() {
	local i
	for ((i = 1; i <= $1; i++)); do start "router$i" "$BIN/dcmspool-router" -c "$CONF"; done
}

start_dispatchers() {
	local i
	for ((i = 1; i <= $1; i++)); do start "dispatcher$i" "$BIN/dcmspool-dispatcher" -c "$CONF"; done
}

start_all() {
	start_receiver
	start_routers "${ROUTERS:-1}"
	start_dispatchers "${DISPATCHERS:-1}"
}

# study DIR [makestudy options]
study() { "$TOOLS/makestudy" "$@" >/dev/null; }

# one_series NAME STUDY [makestudy options]: a study of one series in $BATS_TEST_TMPDIR/NAME
one_series() {
	local name=$1 uid=$2
	shift 2
	study "$BATS_TEST_TMPDIR/$name" -s 1 -n 2 -r 32 -c 32 -y "$uid" "$@"
}

# send DIR [dcmsend options]
send() {
	local dir=$1
	shift
	TCP_NODELAY=1 dcmsend -aec DCMSPOOL "$@" 127.0.0.1 "$PORT" +sd +r "$dir"
}

# stay_connected FILE...: a sender that sends these, and then keeps its connection ($pid_sender)
stay_connected() {
	[ -p "$BATS_TEST_TMPDIR/stay" ] || mkfifo "$BATS_TEST_TMPDIR/stay"
	# shellcheck disable=SC2016 # the inner shell's words
	start sender sh -c 'exec "$@" <>"$0"' "$BATS_TEST_TMPDIR/stay" \
		"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL -H open "$@"
}

# own_sender TYPE: a sender of the test's own from standard input, beside the programs
own_sender() {
	if [ ! -d "$BATS_TEST_TMPDIR/bin" ]; then
		mkdir "$BATS_TEST_TMPDIR/bin"
		cp "$BIN"/* "$BATS_TEST_TMPDIR/bin/"
		ln -s "$TOP/spool-layout" "$BATS_TEST_TMPDIR/spool-layout"
		BIN=$BATS_TEST_TMPDIR/bin
	fi
	cat >"$BIN/send-$1"
	chmod +x "$BIN/send-$1"
}

# jobs DIRECTORY: how many directories are in it (success, error, outgoing/pacs ...)
jobs_in() { find "$SPOOL/$1" -mindepth 1 -maxdepth 1 -type d ! -name '.*' | wc -l; }
has_jobs() { [ "$(jobs_in "$1")" -eq "$2" ]; }
images_in() { find "$1" -name '*.dcm' -type f ! -path '*/.dcmspool*' 2>/dev/null | wc -l; }
has_images() { [ "$(images_in "$1")" -eq "$2" ]; }

# at_rest: nothing is on its way any more.
at_rest() {
	local d
	for d in receiving incoming routing; do
		[ -z "$(ls -A "$SPOOL/$d")" ] || return 1
	done
	for d in "$SPOOL"/outgoing/* "$SPOOL"/sending/*; do
		[ ! -d "$d" ] || [ -z "$(ls -A "$d")" ] || return 1
	done
}

# the_job DIRECTORY: the name of the only job in it
the_job() {
	has_jobs "$1" 1 && find "$SPOOL/$1" -mindepth 1 -maxdepth 1 -type d -printf '%f\n'
}

# journal EVENT: its lines
journal() { cat "$SPOOL"/journal/*.jsonl | jq -c "select(.event == \"$1\")"; }
# has_lines EVENT N
has_lines() { [ "$(journal "$1" | wc -l)" -eq "$2" ]; }

# show_state: for the output of a failed test
show_state() {
	find "$SPOOL" -mindepth 1 ! -path '*/.service*' | sort | head -n 200
	tail -n 30 "$BATS_TEST_TMPDIR"/*.log 2>/dev/null
}

# make_up [LINE...]: as make_router, for `dcmspool up`: two routers, two dispatchers, and no spool yet
make_up() {
	make_router "$@"
	rm -r "$SPOOL"
	sed -i 's/^router { /router { instances = 2 /' "$CONF"
	echo 'dispatcher { instances = 2 }' >>"$CONF"
}

# start_up: `dcmspool up` on a terminal of its own, as a person runs it ($pid_up, up.log); press_ctrl_c
# types Ctrl-C there, so the whole foreground process group gets SIGINT.
start_up() {
	# A background job of a shell has SIGINT ignored, and its children cannot trap it.
	start up python3 -c '
import os, pty, select, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGUSR1, lambda *_: os.write(terminal, b"\x03"))
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
ended = os.pidfd_open(pid)
try:  # others may have the terminal open still when it has ended
    while terminal in select.select([terminal, ended], [], [])[0]:
        os.write(1, os.read(terminal, 4096))
except OSError:  # nobody has it open any more
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$BIN/dcmspool" up --root -c "$CONF"
}

press_ctrl_c() { kill -USR1 "$pid_up"; }

# processes: the pids of all that work in the spool, supervisors too; each has its directory in it.
processes() {
	: "${SPOOL:?}" # else this would be every process there is
	find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$SPOOL" -o -lname "$SPOOL/*" \) \
		-printf '%h\n' 2>/dev/null | sed 's|/proc/||'
}
no_processes() { [ -z "$(processes)" ]; }
ended() { ! kill -0 "$1" 2>/dev/null; }

# running PROGRAM: the pids of those that work in the spool
running() {
	local pid
	for pid in $(processes); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "${1:0:15}" ] || echo "$pid"
	done
}

# storescps: the pids of those that receive; the one that waits for connections is none of them
storescps() {
	local pid
	for pid in $(running storescp); do
		[[ $(readlink "/proc/$pid/cwd") != */receiving/* ]] || echo "$pid"
	done
}

# up_runs: every program that make_up asks for
up_runs() {
	[ "$(running dcmspool-receiver | wc -l)" -eq 1 ] &&
		[ "$(running dcmspool-router | wc -l)" -eq 2 ] &&
		[ "$(running dcmspool-dispatcher | wc -l)" -eq 2 ] &&
		[ "$(running dcmspool-cleaner | wc -l)" -eq 1 ]
}

# kill_processes: what a failed test of `up` has left; some may be started anew while we kill
kill_processes() {
	[ -n "${SPOOL-}" ] || return 0
	# shellcheck disable=SC2046 # pids
	for _ in 1 2 3; do
		no_processes || kill -KILL $(processes) 2>/dev/null || true
	done
}
