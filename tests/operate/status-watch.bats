# status-watch.bats: dcmspool status --watch.

load whole
load verbs
load tree
load status

# on_terminal COMMAND...: on one of 80 columns and 24 rows, which gets Ctrl-C by SIGUSR1; what is written there is
# in watch.log, the exit status in watch.code
on_terminal() {
	start watch /usr/bin/python3 -c '
import fcntl, os, pty, select, signal, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGUSR1, lambda *_: os.write(terminal, b"\x03"))
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
open(sys.argv[1] + ".pid", "w").write(str(pid))
try:
    while True:
        os.write(1, os.read(terminal, 4096))
except OSError:  # it has ended
    pass
open(sys.argv[1] + ".code", "w").write(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))' \
		"$BATS_TEST_TMPDIR/watch" "$@"
	wait_for [ -s "$BATS_TEST_TMPDIR/watch.pid" ]
}

draws() { grep -aoF $'\e[H' "$BATS_TEST_TMPDIR/watch.log" | wc -l; }
# shows TEXT: on the last screen
shows() { awk 'BEGIN { RS = "\033\\[H" } { last = $0 } END { print last }' "$BATS_TEST_TMPDIR/watch.log" | grep -q "$1"; }
switches() { grep ctxt "/proc/$(cat "$BATS_TEST_TMPDIR/watch.pid")/status"; }
pause() { read -r -t "$1" <> <(:) || true; }
# asleep: it does not wake within a second
asleep() {
	local before
	before=$(switches)
	pause 1
	[ "$before" = "$(switches)" ]
}

@test "--watch: drawn anew when something changes, three times a second at most, else asleep; Ctrl-C leaves the terminal clean" {
	local before n
	make_up
	start_and_wait
	wait_for is_well
	TERM=xterm on_terminal "$BIN/dcmspool-status" -c "$CONF" -f
	wait_for shows 'archive: up, nothing waits'
	head -c 14 "$BATS_TEST_TMPDIR/watch.log" | grep -qF $'\e[?1049h\e[?25l'
	wait_for asleep
	before=$(switches)
	pause 5
	[ "$before" = "$(switches)" ]
	grep -qh '^it_value: (0, 0)' "/proc/$(cat "$BATS_TEST_TMPDIR/watch.pid")"/fdinfo/*
	touch "$SPOOL/outgoing/archive/held"
	wait_for shows 'target archive is held'
	rm "$SPOOL/outgoing/archive/held"
	wait_for shows 'nothing waits'
	signal_of_service KILL cleaner
	wait_for shows 'cleaner ended 1 time, the last time at .* (signal 9)'
	mkdir "$SPOOL/receiving/20261101T100000.000000Z.1" # and in what is new since it began
	wait_for shows 'nobody any more'
	wait_for asleep
	touch "$SPOOL/receiving/20261101T100000.000000Z.1/1.ok"
	wait_for shows 'nobody any more .* 1 '
	rm -r "$SPOOL/receiving/20261101T100000.000000Z.1"
	sed -i 's/association_grace = [^ ]*/association_grace = 7s/' "$CONF"
	wait_for shows 'dcmspool reload takes it'
	echo 'nonsense = 1' >>"$CONF"
	wait_for shows 'nonsense: unknown key' # on the screen, at its end
	wait_for asleep
	before=$(draws)
	SECONDS=0
	for n in {1..500}; do touch "$SPOOL/error/.$n"; done
	touch "$SPOOL/outgoing/held"
	wait_for shows 'all targets are held'
	[ $(($(draws) - before)) -le $((4 * (SECONDS + 1) + 1)) ]
	kill -USR1 "$pid_watch"
	wait_for [ -s "$BATS_TEST_TMPDIR/watch.code" ]
	[ "$(cat "$BATS_TEST_TMPDIR/watch.code")" = 0 ]
	[ "$(tail -c 14 "$BATS_TEST_TMPDIR/watch.log")" = $'\e[?25h\e[?1049l' ]
}

@test "--watch: more than the screen has room for is cut; --json prints a line for each change" {
	make_router
	export TERM=xterm LC_ALL=C.UTF-8
	for n in {1..20}; do mkdir -p "$SPOOL/outgoing/gone$n/$(job_of "$(printf %08x "$n")")"; done
	on_terminal "$BIN/dcmspool-status" -c "$CONF" --watch
	wait_for shows 'no router runs'
	wait_for shows '…'
	awk 'BEGIN { RS = "\033\\[H" } gsub(/\r\n/, "") > 23 { bad = 1 } END { exit bad }' "$BATS_TEST_TMPDIR/watch.log"
	rm -r "$SPOOL"/outgoing/gone*
	wait_for shows 'nothing waits'
	echo 'nonsense = 1' >>"$CONF" # nothing runs, so there is no other to judge by: it ends, and cleans up first
	wait_for [ -s "$BATS_TEST_TMPDIR/watch.code" ]
	[ "$(cat "$BATS_TEST_TMPDIR/watch.code")" = 100 ]
	grep -aqF $'\e[?25h\e[?1049l'"$CONF:6: nonsense: unknown key" "$BATS_TEST_TMPDIR/watch.log"
	grep -aq 'unable to use configuration' "$BATS_TEST_TMPDIR/watch.log"
	sed -i '$d' "$CONF"
	run -100 verb status --watch
	[[ $output == *"--watch needs a terminal, or --json: a line for each change"* ]]
	start lines "$BIN/dcmspool-status" -c "$CONF" --watch --json
	wait_for [ -s "$BATS_TEST_TMPDIR/lines.log" ]
	touch "$SPOOL/outgoing/held"
	wait_for held_is_told
	stop "$pid_lines" INT
	jq -es 'length >= 2' "$BATS_TEST_TMPDIR/lines.log"
}

held_is_told() { jq -es '.[-1].all_held == ""' "$BATS_TEST_TMPDIR/lines.log"; }
