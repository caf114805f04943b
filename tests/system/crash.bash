# crash.bash: what the sweeps over crash points share. A sweep kills a program at every state-changing system
# call in turn, by strace's fault injection.

setup() {
	command -v strace >/dev/null || skip "strace is missing"
}

teardown() {
	stop_all
	pkill -KILL -f " $BATS_TEST_TMPDIR/" 2>/dev/null || true
	show_state
}

CALLS='mkdirat mknodat linkat unlinkat renameat renameat2 fsync syncfs'

# killed_at CALL N PROGRAM [ARGUMENT...]: runs it so that it is killed at its Nth call of CALL. Only the
# program itself is traced; its children die with it or not, as in life.
killed_at() {
	local call=$1 n=$2
	shift 2
	start victim strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" "$@"
}

ended() { ! kill -0 "$1" 2>/dev/null; }
ended_or() {
	local pid=$1
	shift
	ended "$pid" || "$@"
}

# finish_victim: returns 0 when the victim was killed by the injection, 1 when it came through.
finish_victim() {
	local status=0
	if ! ended "$pid_victim"; then # it waits for more: strace would only let go of it
		pkill -TERM -P "$pid_victim" || true
		wait "$pid_victim" 2>/dev/null || true
		return 1
	fi
	wait "$pid_victim" 2>/dev/null || status=$?
	[ "$status" -eq 137 ]
}

# accepted: what the crash has left is a legal spool, to be gone on with, and nothing to be mended.
accepted() { "$BIN/dcmspool-fsck" -c "$CONF" >"$BATS_TEST_TMPDIR/fsck.said" 2>&1 || { cat "$BATS_TEST_TMPDIR/fsck.said"; return 1; }; }

# sweep RESET DONE PROGRAM...: for each of CALLS and N = 1, 2, 3 ... (1, 4, 7 ... when only sampling): RESET makes the state before; PROGRAM
# runs until it is killed at its Nth such call, or has come through; then it runs undisturbed until DONE;
# then `verify`. The tree that the kill has left is one that dcmspool fsck accepts. There must be at least LEAST kills, or the sweep has not swept.
sweep() {
	local reset=$1 is_done=$2 call n kills=0 step
	shift 2
	step=$(every 3)
	for call in $CALLS; do
		for ((n = 1; n < 100; n += step)); do
			$reset
			killed_at "$call" "$n" "$@"
			wait_for ended_or "$pid_victim" "$is_done"
			finish_victim || break
			kills=$((kills + 1))
			accepted || { echo "killed at $call $n"; return 1; }
			start again "$@"
			{ wait_for "$is_done" && stop "$pid_again" && verify; } || { echo "killed at $call $n"; return 1; }
		done
		verify || { echo "came through $call"; return 1; }
	done
	echo "killed $kills times"
	[ "$kills" -ge $((LEAST / step)) ]
}

# One batch of three images, always the same, as getdcmtags makes it.
make_batch() {
	[ -d "$BATS_TEST_TMPDIR/study" ] || study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 32 -c 32 -u 1.2.3.4
	rm -rf "$SPOOL" "$BATS_TEST_TMPDIR/archive"
	"$BIN/dcmspool-layout" "$SPOOL"
	for f in "$BATS_TEST_TMPDIR"/study/SE0001/*; do
		cp "$f" "$BATS_TEST_TMPDIR/one.dcm"
		"$BIN/getdcmtags" -c "$CONF" "$BATS_TEST_TMPDIR/one.dcm" 127.0.0.1 CT1 DCMSPOOL
	done
	touch "$SPOOL/incoming/1.2.3.4/.complete"
}

no_rest() { [ -z "$(ls -A "$SPOOL/incoming")$(ls -A "$SPOOL/routing")$(ls -A "$SPOOL/receiving")" ]; }

# same_images DIRECTORY: it holds the study's images, each once, unchanged, and only regular files.
same_images() { "$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$1"; }

# named TARGET SUFFIX: the target's only job has this priority behind its name, also in job.json.
named() {
	local job
	job=$(the_job "outgoing/$1") && [[ $job =~ \.[0-9a-f]{8}\.[0-9a-f]{8}(.*)$ ]] &&
		[ "${BASH_REMATCH[1]}" = "$2" ] &&
		jq -e --arg job "$job" --arg target "$1" '.job == $job and .target == $target' \
			"$SPOOL/outgoing/$1/$job/job.json" >/dev/null
}
