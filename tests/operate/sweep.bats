# kill -9 of the verb at every child that it starts, and of `up` and each program at every step of reload and
# scale: no job is lost, and the same verb, called again, does what is left.

load whole

setup() {
	command -v strace >/dev/null || skip "strace is missing"
}

# through N: a study goes through, images of it lie in the archive once
through() {
	study "$BATS_TEST_TMPDIR/s$1" -s 1 -n 2 -r 16 -c 16
	send "$BATS_TEST_TMPDIR/s$1"
	wait_for has_jobs success "$1"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/s$1" "$BATS_TEST_TMPDIR/archive$2"
	rm -r "$BATS_TEST_TMPDIR/archive$2"
}

# killed_at N COMMAND...: the shell is killed when it starts its Nth child; 1: it has come to its end before
killed_at() {
	local n=$1 status=0
	shift
	timeout 100 strace -qq -o /dev/null -e trace=clone,fork,vfork -e "inject=clone,fork,vfork:signal=SIGKILL:when=$n" \
		"$@" >"$BATS_TEST_TMPDIR/victim.log" 2>&1 3>&- || status=$?
	[ "$status" -eq 137 ]
}

# bats test_tags=sweep
@test "reload: killed at each child that it starts; what runs is the old one or the new one, the next call completes it" {
	local n kills=0 step
	make_up
	start_and_wait
	step=$(every 50)
	for ((n = 1; n < 1000; n += step)); do
		sed -i "s|path = \"archive[0-9]*\"|path = \"archive$n\"|" "$CONF"
		killed_at "$n" "$BIN/dcmspool-reload" -c "$CONF" || break
		kills=$((kills + 1))
		"$BIN/dcmspool-conf" -n -c "$SPOOL/.service/dcmspool.conf" >/dev/null
		timeout 100 "$BIN/dcmspool-reload" -c "$CONF"
		up_runs
		through "$kills" "$n"
	done
	echo "killed $kills times"
	[ "$kills" -ge $((90 / step)) ]
	! grep -q 'error:' "$BATS_TEST_TMPDIR/up.log"
}

# bats test_tags=sweep
@test "scale: killed at each child that it starts, more and fewer; the next call makes the number right" {
	local n wanted kills=0 step
	make_up
	start_and_wait
	step=$(every 16)
	for wanted in 4 1; do
		for ((n = 1; n < 1000; n += step)); do
			killed_at "$n" "$BIN/dcmspool-scale" -c "$CONF" dispatcher "$wanted" || break
			kills=$((kills + 1))
			[ "$(running dcmspool-dispatcher | wc -l)" -ge 1 ]
			timeout 100 "$BIN/dcmspool-scale" -c "$CONF" dispatcher "$wanted"
			[ "$(running dcmspool-dispatcher | wc -l)" -eq "$wanted" ]
			timeout 100 "$BIN/dcmspool-scale" -c "$CONF" dispatcher 2
			up_runs
			[ -z "$(find "$SPOOL/.service" -maxdepth 1 -name '.gone*')" ]
		done
	done
	through 1 ''
	echo "killed $kills times"
	[ "$kills" -ge $((20 / step)) ]
	! grep -q 'error:' "$BATS_TEST_TMPDIR/up.log"
}

# bats test_tags=sweep
@test "reload: each program and up killed at each call while they begin anew; nothing is lost, all take the new one" {
	local program call number n=0 kills=0 done_before=0 pid step
	make_up
	start_and_wait
	step=$(every 7)
	while read -r program call number; do
		n=$((n + 1))
		[ $((n % step)) -eq 1 ] || [ "$step" -eq 1 ] || continue
		pid=$(running "$program" | head -n 1)
		start tracer strace -qq -o /dev/null -p "$pid" -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$number"
		wait_for grep -q "TracerPid:.[1-9]" "/proc/$pid/status"
		sed -i "s|path = \"archive[0-9]*\"|path = \"archive$n\"|" "$CONF"
		timeout 100 "$BIN/dcmspool-reload" -c "$CONF"
		[ -e "/proc/$pid" ] || kills=$((kills + 1))
		stop "$pid_tracer"
		wait_for up_runs
		wait_for listens "$PORT"
		through $((done_before += 1)) "$n"
	done < <(for program in dcmspool-receiver dcmspool-router dcmspool-dispatcher dcmspool-cleaner; do
		printf "$program %s\n" 'execve 1' 'openat 1' 'openat 4' 'openat 8' 'openat 12' 'flock 1' 'close 3'
	done)
	echo "killed $kills times"
	[ "$kills" -ge $((20 / step)) ]
	# up: killed between two reloads, what it started goes on and is reloaded
	pkill -KILL -P "$pid_up"
	wait_for ended "$pid_up"
	sed -i "s|path = \"archive[0-9]*\"|path = \"archive0\"|" "$CONF"
	timeout 100 "$BIN/dcmspool-reload" -c "$CONF"
	timeout 100 "$BIN/dcmspool-scale" -c "$CONF" router 3
	through $((done_before + 1)) 0
}
