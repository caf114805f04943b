# A caller that nobody refuses: sockets that are handed over to `dcmspool up`, and what it tells systemd.

load whole

# play_systemd: holds the socket of $PORT and runs `up` with it, again each time it has ended, until SIGTERM. What
# `up` tells stands in systemd.log; SIGHUP ends this `up` only.
play_systemd() {
	start systemd python3 -u -c '
import os, select, signal, socket, sys
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1]))); listener.listen(512)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); notify.bind(sys.argv[2])
running, pid = True, 0
def stop(*_):
    global running
    running = False
    os.kill(pid, signal.SIGTERM)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGHUP, lambda *_: os.kill(pid, signal.SIGTERM))
while running:
    pid = os.fork()
    if pid == 0:
        os.dup2(listener.fileno(), 3); os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=sys.argv[2])
        os.execv(sys.argv[3], sys.argv[3:])
    ended = os.pidfd_open(pid)
    while True:
        ready = select.select([notify, ended], [], [])[0]
        if notify in ready:
            print("told", notify.recv(4096).decode().replace("\n", " "))
        elif ended in ready:
            break
    print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(ended)' "$PORT" "$BATS_TEST_TMPDIR/notify" "$BIN/dcmspool" up --root --log "$BATS_TEST_TMPDIR/log" -c "$CONF"
}

told() { [ "$(grep -c "^told $1" "$BATS_TEST_TMPDIR/systemd.log")" -ge "${2:-1}" ]; }

@test "socket: ready is told when every program is, stopping when it stops; the socket is used" {
	make_up
	play_systemd
	wait_for told READY=1
	up_runs
	grep -q "listening on 127.0.0.1 port $PORT, with a socket that was handed over" "$BATS_TEST_TMPDIR/log/current"
	! grep -q Address "$BATS_TEST_TMPDIR/log/current"
	echoscu -aec DCMSPOOL 127.0.0.1 "$PORT"
	stop "$pid_systemd"
	told STOPPING=1
	grep -q '^status 0' "$BATS_TEST_TMPDIR/systemd.log"
	no_processes
}

sent() { [ "$(grep -c ' 0000$' "$BATS_TEST_TMPDIR/callers.log")" -ge "$1" ]; }

@test "socket: 200 callers, one after the other and several at once, while up is restarted: none refused, none lost" {
	make_up
	play_systemd
	wait_for told READY=1
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 200 -r 16 -c 16
	# shellcheck disable=SC2016 # its own words
	start callers sh -c 'find "$0" -name "*.dcm" | xargs -n 1 -P 6 "$@"' "$BATS_TEST_TMPDIR/study" \
		"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL
	wait_for sent 40
	kill -HUP "$pid_systemd"
	wait_for told READY=1 2
	wait_for sent 120
	kill -HUP "$pid_systemd"
	wait "$pid_callers"
	sent 200
	wait_for told READY=1 3
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 200
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
	stop "$pid_systemd"
}

@test "socket: the first caller starts everything and is served; a socket of another port is told and not used" {
	local other
	make_up
	other=$(free_port)
	start up systemd-socket-activate -l "127.0.0.1:$PORT" -l "127.0.0.1:$other" "$BIN/dcmspool" up --root -c "$CONF"
	wait_for grep -q 'Listening on' "$BATS_TEST_TMPDIR/up.log"
	echoscu -aec DCMSPOOL 127.0.0.1 "$PORT"
	grep -q "warning: not listening on 127.0.0.1 port $other, for which a socket was handed over: receiver.port has another" \
		"$BATS_TEST_TMPDIR/up.log"
	echoscu -aec DCMSPOOL 127.0.0.1 "$PORT"
	stop "$pid_up"
	no_processes
}
