# helper.bash: what every .bats file loads. No fixed sleeps: wait_for a condition, with a deadline.

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}"
TOOLS=$BUILD/tests
unset DCMSPOOL_CONF # of whoever runs the tests

# start NAME COMMAND...: runs COMMAND in the background, its output in $BATS_TEST_TMPDIR/NAME.log,
# its pid in $pid_NAME. fd 3 is bats' own and must not be inherited. Servers that know no address to listen
# on get one.
started=()
start() {
	local name=$1
	shift
	case $1 in storescp | Orthanc) set -- env LD_PRELOAD="$TOOLS/loopback.so" "$@" ;; esac
	"$@" >"$BATS_TEST_TMPDIR/$name.log" 2>&1 3>&- &
	printf -v "pid_$name" %s "$!"
	started+=("$!")
}

# signal PID SIGNAL: only while it is ours; the pid of one that has ended may be somebody else's soon.
signal() { ! jobs -pr | grep -qx "$1" || kill -"$2" "$1" 2>/dev/null || true; }

# stop PID [SIGNAL]: ends one background process and waits for it.
stop() {
	signal "$1" "${2:-TERM}"
	wait "$1" 2>/dev/null || true
}

stop_all() {
	local pid
	for pid in "${started[@]}"; do signal "$pid" TERM; done
	for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
	started=()
}

# wait_for [-t SECONDS] COMMAND...: until COMMAND succeeds; fails after the deadline. It is long, for a machine
# that has much else to do; it is shorter only where that itself is tested.
wait_for() {
	local deadline=60
	if [ "$1" = -t ]; then deadline=$2; shift 2; fi
	deadline=$((SECONDS + deadline))
	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			echo "not within the deadline: $*" >&2
			return 1
		fi
		read -r -t 0.05 <> <(:) || true
	done
}

# free_port: a TCP port that nobody uses now, and no other test of this run is about to. Root's, who may run beside us, are odd.
free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 6000 * 2 + (EUID == 0)))
		if ! (exec 4<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && mkdir "$BATS_RUN_TMPDIR/port.$port" 2>/dev/null; then
			echo "$port"
			return
		fi
	done
}

# every N: the step of a sweep (tag: sweep), or SWEEP; `make torture` leaves nothing out
every() { echo "${SWEEP:-$1}"; }

listens() { (exec 4<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
