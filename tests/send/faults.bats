# faults.bats: a dispatcher whose system calls fail once each: whatever it could not look at it looks at again, and
# every job is where it would have been.

load ../helper
load ../router

setup() {
	command -v strace >/dev/null || skip "strace is missing"
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	[ -z "${workers-}" ] || pkill -KILL -f "dcmspool-dispatcher -c $BATS_TEST_TMPDIR/run" || true
	stop_all
}

# run NAME: the dispatcher of spool run.NAME under the supervisor that it has in life: when it ends with a failure it
# is started again, then without a fault. The arguments are strace's.
run() {
	local conf=$BATS_TEST_TMPDIR/run.$1/conf status=0
	shift
	strace -qq -o /dev/null "$@" "$BIN/dcmspool-dispatcher" -c "$conf" || status=$?
	while [ "$status" -eq 111 ]; do
		status=0
		"$BIN/dcmspool-dispatcher" -c "$conf" || status=$?
	done
}

# make_run NAME: a spool with two jobs of a study that wait
make_run() {
	mkdir "run.$1"
	cp -r spool "run.$1/spool"
	sed "s|$SPOOL|$BATS_TEST_TMPDIR/run.$1/spool|; s|\"archive\"|\"$BATS_TEST_TMPDIR/run.$1/archive\"|" \
		"$CONF" >"run.$1/conf"
}

make_jobs() {
	make_router 'target "t" { type = folder path = "archive" retry_min = 100ms retry_max = 200ms }' \
		'rule "all" { match = "True" targets = { "t" } }'
	one_series first 1.2.3 -u 1.2.3.1
	one_series second 1.2.3 -u 1.2.3.2
	for f in first/*/*/* first/*/* second/*/*/* second/*/*; do
		[ ! -f "$f" ] || { cp "$f" one.dcm && "$BIN/getdcmtags" -c "$CONF" one.dcm 127.0.0.1 CT1 DCMSPOOL; }
	done
	for n in "$SPOOL"/incoming/*; do touch "$n/.complete"; done
	start router "$BIN/dcmspool-router" -c "$CONF"
	wait_for has_jobs outgoing/t 2
	stop "$pid_router"
}

# in_order RUN: both jobs were sent, the older one first, and nothing is left anywhere else
in_order() {
	[ "$(find "run.$1/spool/success" -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ] &&
		[ -z "$(find "run.$1"/spool/{outgoing,sending}/t "run.$1/spool/error" -mindepth 1 -print -quit)" ] &&
		[ "$(sed -n 's/.* sent job=\([^ ]*\) .*/\1.t/p' "$1.log")" = "$(ls "run.$1/spool/success")" ]
}

all_in_order() {
	local name
	for name in "$@"; do in_order "$name" || return 1; done
}

# calls CALL: how many of them a run without a fault makes, and the last one before it has the spool
calls() {
	local first
	make_run "record_$1"
	start "record_$1" strace -qq -o "trace.$1" -e "trace=$1,openat" \
		"$BIN/dcmspool-dispatcher" -c "$BATS_TEST_TMPDIR/run.record_$1/conf"
	wait_for in_order "record_$1"
	pkill -TERM -f "^$BIN/dcmspool-dispatcher -c $BATS_TEST_TMPDIR/run.record_$1/conf"
	wait_for test ! -d "/proc/${started[-1]}"
	first=$(grep -n -m 1 '"receiving"' "trace.$1" | cut -d: -f1)
	FIRST=$(head -n "$first" "trace.$1" | grep -c "^$1(" || true)
	LAST=$(grep -c "^$1(" "trace.$1")
	rm -r "run.record_$1"
}

# fail_each STEP ERROR CALL...: each STEPth call of these fails once, in a run of its own, 12 at a time
fail_each() {
	local step=$1 error=$2 call n name names
	shift 2
	for call in "$@"; do
		calls "$call"
		echo "$call $FIRST to $LAST"
		[ "$LAST" -gt "$FIRST" ]
		for ((n = FIRST + 1; n <= LAST; )); do
			names=()
			for (( ; n <= LAST && ${#names[@]} < 12; n += step)); do
				make_run "${call}_${error}_$n"
				names+=("${call}_${error}_$n")
				workers=yes
				start "${call}_${error}_$n" run "${call}_${error}_$n" -e "trace=$call" \
					-e "inject=$call:error=$error:when=$n"
			done
			wait_for -t "${PATIENCE:-35}" all_in_order "${names[@]}" || {
				for name in "${names[@]}"; do
					in_order "$name" || { echo "not as without a fault: $name"; cat "$name.log"; }
				done
				return 1
			}
			pkill -TERM -f "^$BIN/dcmspool-dispatcher -c $BATS_TEST_TMPDIR/run.${call}_$error"
			for name in "${names[@]}"; do rm -r "run.$name"; done
		done
	done
}

@test "a sample of calls fail once: within 35 s both jobs are where a run without a fault has them" {
	make_jobs
	fail_each 4 EMFILE openat
	fail_each 3 EIO getdents64
}

# bats test_tags=torture
@test "each call fails once, in three ways: within 35 s both jobs are where a run without a fault has them" {
	make_jobs
	for error in EMFILE ENOMEM EIO; do
		fail_each 1 "$error" openat getdents64 newfstatat flock
	done
}
