# verbs.bats: what an operator says: dcmspool hold, release, retry, cancel.

load helper
load router

teardown() {
	stop_all
	show_state || true # there may be no program that has written a log
}

# verb NAME ARGUMENT...
verb() {
	local name=$1
	shift
	"$BIN/dcmspool-$name" -c "$CONF" "$@"
}

# one_series NAME STUDY [makestudy options]: a study of one series in $BATS_TEST_TMPDIR/NAME
one_series() {
	local name=$1 uid=$2
	shift 2
	study "$BATS_TEST_TMPDIR/$name" -s 1 -n 2 -r 32 -c 32 -y "$uid" "$@"
}

# make_two: targets a and b, everything goes to both
make_two() {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
}

# hand_made TARGET N...: jobs of different studies, with one file that counts as an image
name_of() { printf '20260101T000000.%06dZ.%08x.%08x' "$1" "$1" "$1"; }
hand_made() {
	local target=$1 n
	shift
	for n in "$@"; do
		mkdir -p "$SPOOL/outgoing/$target/$(name_of "$n")"
		echo "$n" >"$SPOOL/outgoing/$target/$(name_of "$n")/1.dcm"
	done
}

# A target that tells no answer while the file "wait" exists, and only one when "once" does; it is down while
# "down" exists, and refuses every image while "refuse" does.
make_sender() {
	own_sender told <<-'END'
		#!/bin/sh
		cd "$TARGET_HOME" || exit 100
		if [ -e down ]; then
			printf 'target\t-\t-\tit is down\n'
			exit 111
		fi
		[ "$1" = -p ] && exit 0
		while read -r image; do
			until [ ! -e wait ]; do :; done
			[ ! -e once ] || mv once wait
			if [ -e refuse ]; then
				printf 'failed\tA700\t%s\tno room\n' "$image"
			else
				printf 'stored\t0000\t%s\tfine\n' "$image"
			fi
		done
	END
	make_router "target \"told\" { type = told settings = { \"home=$BATS_TEST_TMPDIR\" }
		retry_min = 1h retry_max = 2h }" 'target "other" { type = folder path = "other" }' \
		'rule "all" { match = "True" targets = { "told" } }'
}

# waits_for JOB: it is to be tried again, in an hour
waits_for() { [ -e "$SPOOL/outgoing/told/$1/retry.json" ]; }

@test "hold: nothing goes to the target until it is released; the file says who and why" {
	make_two
	SUDO_USER=alice verb hold -r "a new
building" a >"$BATS_TEST_TMPDIR/said"
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "a: held" ]
	[[ $(cat "$SPOOL/outgoing/a/held") =~ ^since\ [0-9T.]+Z\ by\ alice:\ a\ new\ building$ ]]
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_images "$BATS_TEST_TMPDIR/b" 2
	has_jobs outgoing/a 1
	run verb hold a # the first who holds it stays
	[ "$status" -eq 0 ]
	[[ $output == "a: held already (since "*" by alice: a new building)" ]]
	verb release a
	wait_for has_jobs success 2
	[ ! -e "$SPOOL/outgoing/a/held" ]
	[ "$(journal held | jq -r '.target + " " + .by + " " + .reason')" = "a alice a new building" ]
	[ "$(journal released | wc -l)" -eq 1 ]
	run verb release a
	[ "$status" -eq 0 ]
	[ "$output" = "a: not held" ]
	[ "$(journal released | wc -l)" -eq 1 ]
}

@test "hold all: every target; each of the two ways to hold says that the other goes on" {
	make_two
	verb hold all b
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_jobs outgoing/a 1
	wait_for has_jobs outgoing/b 1
	run verb release a
	[[ $output == "a: not held"*"all: still held (since "*"dcmspool release all"* ]]
	run verb release all
	[[ $output == "all: released"*"b: still held (since "*"dcmspool release b"* ]]
	wait_for has_jobs success 1
	has_jobs outgoing/b 1
	verb release b
	wait_for has_jobs success 2
}

@test "hold: an unknown target is told the nearest, and nothing is done at all" {
	make_router 'target "archive" { type = folder path = "a" }' 'rule "r" { match = "True" targets = { "archive" } }'
	run verb hold archive archvie
	[ "$status" -eq 100 ]
	[[ $output == *"no target archvie in $CONF; did you mean archive?; the targets are: archive"* ]]
	[ ! -e "$SPOOL/outgoing/archive/held" ]
	run verb release archive ../archive
	[ "$status" -eq 100 ]
	run verb hold
	[ "$status" -eq 100 ]
	[[ $output == *"usage: dcmspool-hold"* ]]
	mkdir "$SPOOL/outgoing/gone" # held once, and since then no longer configured
	touch "$SPOOL/outgoing/gone/held"
	verb release gone
	[ ! -e "$SPOOL/outgoing/gone/held" ]
}

@test "hold: a disk that has no room for the reason does not unmake it" {
	command -v strace >/dev/null || skip "strace is missing"
	export ASAN_OPTIONS=detect_leaks=0
	make_router
	run strace -qq -o /dev/null -e trace=write -e inject=write:error=ENOSPC:when=1 \
		"$BIN/dcmspool-hold" -c "$CONF" archive
	[ "$status" -eq 0 ]
	[ -e "$SPOOL/outgoing/archive/held" ]
	run verb hold archive
	[ "$output" = "archive: held already" ]
}

@test "retry TARGET: a paused target is tried at once" {
	make_sender
	touch "$BATS_TEST_TMPDIR/down"
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for [ -e "$SPOOL/outgoing/told/paused.json" ]
	wait_for has_jobs outgoing/told 1
	rm "$BATS_TEST_TMPDIR/down"
	run verb retry told
	[ "$status" -eq 0 ]
	[[ $output == "told: is tried now; told was paused: it is down"* ]]
	wait_for has_jobs success 1
	[ "$(journal retry-asked | jq -r '.target + "-" + (.job // "")')" = told- ]
	run verb retry told
	[ "$output" = "told: nothing waits for its next try; jobs in the queue: 0" ]
	[ "$(journal retry-asked | wc -l)" -eq 1 ]
}

@test "retry JOB: this job is tried at once, the others wait on; then all of them" {
	local n
	make_sender
	touch "$BATS_TEST_TMPDIR/refuse"
	mkdir -p "$SPOOL/outgoing/told"
	hand_made told 1 2 3 4
	start_dispatchers 1
	for n in 1 2 3 4; do wait_for waits_for "$(name_of $n)"; done
	rm "$BATS_TEST_TMPDIR/refuse"
	verb retry "$(name_of 1)"
	wait_for [ -e "$SPOOL/success/$(name_of 1).told" ]
	verb retry "$(name_of 2).told"
	wait_for [ -e "$SPOOL/success/$(name_of 2).told" ]
	waits_for "$(name_of 3)"
	waits_for "$(name_of 4)"
	[ "$(journal retry-asked | jq -r .job | sort | tr '\n' ' ')" = "$(name_of 1) $(name_of 2) " ]
	run verb retry all
	[[ $output == *"told: is tried now; jobs that were to be tried later: 2"* ]]
	wait_for has_jobs success 4
	[ -z "$(find "$SPOOL/outgoing/told" -name '.new.*')" ]
}

@test "retry: it says what else keeps a job, and what to do with one that waits no more" {
	make_sender
	hand_made told 1
	hand_made gone 3
	echo '{"not_before": "20260101T000000.000000Z"}' >"$SPOOL/outgoing/told/$(name_of 1)/retry.json"
	verb hold told all
	run verb retry "$(name_of 1)"
	[ "$status" -eq 0 ]
	[[ $output == *"all: held (since "* ]]
	[[ $output == *"told: held (since "*"until: dcmspool release told"* ]]
	! waits_for "$(name_of 1)"
	run verb retry "outgoing/told/$(name_of 1)"
	[[ $output == *"$(name_of 1).told: does not wait for a next try"* ]]
	echo '{"until": "20990101T000000.000000Z", "failures": 3}' >"$SPOOL/outgoing/gone/paused.json"
	run verb retry gone
	[ "$status" -eq 0 ]
	[[ $output == *"gone: is no target in $CONF"* ]]
	jq -e '.until < "2099" and .failures == 3' "$SPOOL/outgoing/gone/paused.json"
	mv "$SPOOL/outgoing/told/$(name_of 1)" "$SPOOL/error/$(name_of 1).told"
	run verb retry "$(name_of 1)"
	[ "$status" -eq 100 ]
	[[ $output == *"mv $SPOOL/error/$(name_of 1).told $SPOOL/incoming/"* ]]
	mkdir -p "$SPOOL/sending/told"
	mv "$SPOOL/error/$(name_of 1).told" "$SPOOL/sending/told/$(name_of 1)"
	run verb retry "$(name_of 1)"
	[ "$status" -eq 0 ]
	[[ $output == "$(name_of 1).told: is being sent"* ]]
	run verb retry toldd
	[ "$status" -eq 100 ]
	[[ $output == *"did you mean told?"* ]]
	run verb retry "../$(name_of 1)/x y"
	[ "$status" -eq 100 ]
}

@test "cancel: a job that waits goes to discard/, for one target or for all; from there it can be routed again" {
	make_two
	verb hold all
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_jobs outgoing/a 1
	wait_for has_jobs outgoing/b 1
	job=$(the_job outgoing/a)
	run env SUDO_USER=alice "$BIN/dcmspool-cancel" -c "$CONF" "$job.a"
	[ "$status" -eq 0 ]
	[ "$output" = "$job.a: cancelled; it lies in discard/$job.a" ]
	has_jobs outgoing/a 0
	has_jobs outgoing/b 1
	has_images "$SPOOL/discard/$job.a" 2
	[ "$(journal cancelled | jq -r '.job + " " + .target + " " + .by')" = "$job a alice" ]
	cd "$SPOOL/outgoing/b"
	verb cancel "./$job" # the path of it
	has_images "$SPOOL/discard/$job.b" 2
	run verb cancel "$job"
	[ "$status" -eq 0 ]
	[[ $output == *"it lies in discard/$job.a"*"it lies in discard/$job.b"* ]]
	[ "$(journal cancelled | wc -l)" -eq 2 ]
	touch "$SPOOL/discard/$job.a/cancelled" # as a dispatcher leaves it
	verb release all
	mv "$SPOOL/discard/$job.a" "$SPOOL/incoming/"
	wait_for has_jobs success 2
	has_images "$SPOOL/success" 4
	has_jobs error 0
	[ -z "$(find "$SPOOL/success" -name cancelled)" ]
	run verb cancel "$(basename "$SPOOL"/success/*.a)"
	[ "$status" -eq 100 ]
	[[ $output == *"too late for "*"success/"* ]]
}

@test "cancel: names with a priority, of no target, of nothing" {
	make_two
	hand_made gone 1
	hand_made a 2 3 4
	mv "$SPOOL/outgoing/a/$(name_of 2)" "$SPOOL/outgoing/a/$(name_of 2).urgent"
	verb cancel "$(name_of 1)" "$(name_of 2)"
	[ -d "$SPOOL/discard/$(name_of 1).gone" ]
	[ -d "$SPOOL/discard/$(name_of 2).urgent.a" ]
	run verb cancel "$(name_of 9)"
	[ "$status" -eq 100 ]
	[[ $output == *"there is no job $(name_of 9) in the spool"* ]]
	mkdir -p "$BATS_TEST_TMPDIR/other/outgoing/a/$(name_of 3)"
	run verb cancel "$BATS_TEST_TMPDIR/other/outgoing/a/$(name_of 3)"
	[ "$status" -eq 100 ]
	[[ $output == *"is not in the spool"* ]]
	run verb cancel "" / .. "a b" held
	[ "$status" -eq 100 ]
	touch "$SPOOL/outgoing/a/held"
	run verb cancel held
	[ "$status" -ne 0 ]
	[ -e "$SPOOL/outgoing/a/held" ]
	mkdir "$SPOOL/discard/$(name_of 3).a" # the name is taken
	verb cancel "$(name_of 3)"
	[ -d "$SPOOL/discard/$(name_of 3).a~2" ]
	mv "$SPOOL/outgoing/a/$(name_of 4)" "$SPOOL/routing/"
	run verb cancel "$(name_of 4)"
	[ "$status" -eq 111 ]
	[[ $output == *"is being routed"* ]]
}

@test "cancel: a job that is being sent stops after the image it is at" {
	make_sender
	touch "$BATS_TEST_TMPDIR/wait" "$BATS_TEST_TMPDIR/once"
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_jobs sending/told 1
	job=$(the_job sending/told)
	start cancel "$BIN/dcmspool-cancel" -c "$CONF" "$job"
	wait_for [ -e "$SPOOL/sending/told/$job/cancelled" ]
	rm "$BATS_TEST_TMPDIR/wait"
	wait "$pid_cancel"
	[ "$(cat "$BATS_TEST_TMPDIR/cancel.log")" = "$job.told: cancelled; it lies in discard/$job.told" ]
	has_images "$SPOOL/discard/$job.told" 2
	[ "$(wc -l <"$SPOOL/discard/$job.told/sent.log")" -eq 1 ]
	[ "$(journal cancelled | wc -l)" -eq 1 ]
	[ "$(journal cancel-asked | jq -r .target)" = told ]
}

@test "cancel: a dispatcher that is slow, and one that is dead" {
	make_sender
	touch "$BATS_TEST_TMPDIR/wait"
	hand_made told 1
	start_dispatchers 1
	wait_for has_jobs sending/told 1
	run verb cancel "$(name_of 1)"
	[ "$status" -eq 0 ]
	[[ $output == "$(name_of 1).told: is being sent; after the image"* ]]
	stop "$pid_dispatcher1" KILL
	run verb cancel "$(name_of 1)"
	[ "$status" -eq 0 ]
	[[ $output == "$(name_of 1).told: its dispatcher is dead"* ]]
	has_jobs sending/told 1
	start_dispatchers 1 # which does not send it
	wait_for has_jobs discard 1
	[ ! -s "$SPOOL/discard/$(name_of 1).told/sent.log" ]
}

# being_sent N: a job that is being sent, by us; let_go ends that
being_sent() {
	mkdir -p "$SPOOL/sending/a" "$SPOOL/outgoing/a"
	hand_made a "$1"
	mv "$SPOOL/outgoing/a/$(name_of "$1")" "$SPOOL/sending/a/"
	exec 8<"$SPOOL/sending/a/$(name_of "$1")"
	flock -n 8
	start cancel "$BIN/dcmspool-cancel" -c "$CONF" "$(name_of "$1")" 8<&-
	wait_for [ -e "$SPOOL/sending/a/$(name_of "$1")/cancelled" ]
}
let_go() { exec 8<&-; }

@test "cancel: a job that comes back to its queue meanwhile is taken there" {
	make_two
	being_sent 1
	mv "$SPOOL/sending/a/$(name_of 1)" "$SPOOL/outgoing/a/"
	let_go
	wait "$pid_cancel"
	[ "$(cat "$BATS_TEST_TMPDIR/cancel.log")" = "$(name_of 1).a: cancelled; it lies in discard/$(name_of 1).a" ]
	[ "$(ls "$SPOOL/discard/$(name_of 1).a")" = 1.dcm ]
}

@test "cancel: one that was sent, or given up, meanwhile is too late" {
	local place status
	make_two
	for place in success error; do
		status=0
		being_sent 1
		mkdir "$SPOOL/$place/$(name_of 1).a" # another of this name, from before
		mv -T "$SPOOL/sending/a/$(name_of 1)" "$SPOOL/$place/$(name_of 1).a~2"
		let_go
		wait "$pid_cancel" || status=$?
		[ "$status" -eq 100 ]
		grep -q "too late for $(name_of 1).a: .*; it lies in $place/$(name_of 1).a~2" \
			"$BATS_TEST_TMPDIR/cancel.log"
		[ "$(ls "$SPOOL/$place/$(name_of 1).a~2")" = 1.dcm ]
	done
}

@test "cancel: what is chosen is not touched, and a queue that is locked for ever is told" {
	make_two
	hand_made a 1
	exec 8<"$SPOOL/outgoing/a"
	flock -n 8
	run verb cancel "$(name_of 1)" 8<&-
	exec 8<&-
	[ "$status" -eq 111 ]
	[[ $output == *"a dispatcher keeps the lock of outgoing/a"* ]]
	has_jobs outgoing/a 1
}

@test "cancel: a job of which a part was given up is left to a dispatcher, which completes that first" {
	make_two
	hand_made a 1
	mkdir "$SPOOL/error/$(name_of 1).a"
	echo 2 >"$SPOOL/outgoing/a/$(name_of 1)/2.dcm"
	ln "$SPOOL/outgoing/a/$(name_of 1)/1.dcm" "$SPOOL/error/$(name_of 1).a/"
	run verb cancel "$(name_of 1)"
	[ "$status" -eq 0 ]
	[[ $output == *"images of it were given up just now"* ]]
	has_jobs outgoing/a 1
	start_dispatchers 1
	wait_for has_jobs discard 1
	[ "$(cd "$SPOOL" && find discard error -name '*.dcm' | sort | tr '\n' ' ')" = \
		"discard/$(name_of 1).a/2.dcm error/$(name_of 1).a/1.dcm " ]
}

@test "cancel: two at once; the job is cancelled once, and both say so" {
	local n one two
	make_two
	for n in {1..30}; do
		hand_made a "$n"
		start one "$BIN/dcmspool-cancel" -c "$CONF" "$(name_of "$n")"
		start two "$BIN/dcmspool-cancel" -c "$CONF" "$(name_of "$n")"
		wait "$pid_one"
		wait "$pid_two"
		grep -q "it lies in discard/$(name_of "$n").a" "$BATS_TEST_TMPDIR/one.log"
		grep -q "it lies in discard/$(name_of "$n").a" "$BATS_TEST_TMPDIR/two.log"
	done
	has_jobs discard 30
	has_jobs outgoing/a 0
	[ "$(journal cancelled | wc -l)" -eq 30 ]
	[ -z "$(find "$SPOOL/discard" -name '*~*')" ]
}

# race N: each of the jobs 1 to N in made/ arrives in the queue of a while its cancel starts, as much later as
# makes it a close race. What each cancel said, a line each: "JOB: said".
race() {
	python3 - "$1" "$BIN/dcmspool-cancel" "$CONF" "$BATS_TEST_TMPDIR/made" "$SPOOL/outgoing/a" <<-'END'
		import os, subprocess, sys, time
		count, program, conf, made, queue = sys.argv[1:]
		delay = 0.004
		for n in range(1, int(count) + 1):
		    job = "20260101T000000.%06dZ.%08x.%08x" % (n, n, n)
		    cancel = subprocess.Popen([program, "-c", conf, job], stdout=subprocess.PIPE,
		                              stderr=subprocess.STDOUT, text=True)
		    time.sleep(delay)
		    os.rename(made + "/" + job, queue + "/" + job)
		    said = cancel.communicate()[0].strip()
		    print(job + ": " + said)
		    if "there is no job" in said:
		        delay = max(0, delay - 0.0002)
		    elif "in success/" in said:
		        delay += 0.0002
	END
}

@test "cancel against dispatchers that claim at the same moment: every job ends in one place" {
	local n place said
	own_sender quick <<-'END'
		#!/bin/sh
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	make_router 'target "a" { type = quick order = none max_connections = 2 }' \
		'rule "all" { match = "True" targets = { "a" } }'
	# shellcheck disable=SC2046 # numbers
	hand_made made $(seq 300)
	mv "$SPOOL/outgoing/made" "$BATS_TEST_TMPDIR/"
	start_dispatchers 2
	wait_for [ -d "$SPOOL/sending/a" ]
	race 300 >"$BATS_TEST_TMPDIR/said"
	wait_for at_rest
	for n in {1..300}; do
		place=$(find "$SPOOL" -path "*/$(name_of "$n")*/1.dcm")
		[ "$(cat "$place")" = "$n" ] # one, and its own
		said=$(grep "^$(name_of "$n"): " "$BATS_TEST_TMPDIR/said")
		case $said in
		*"it lies in discard/"*) [ "$place" = "$SPOOL/discard/$(name_of "$n").a/1.dcm" ] ;;
		*"it lies in success/"* | *"there is no job"*)
			[ "$place" = "$SPOOL/success/$(name_of "$n").a/1.dcm" ] ;;
		*) echo "$said" && false ;;
		esac
	done
	[ "$(journal cancelled | jq -r .job | sort)" = "$(ls "$SPOOL/discard" | sed 's/\.a$//')" ]
	[ "$(journal sent | wc -l)" -eq "$(jobs_in success)" ]
	echo "cancelled $(jobs_in discard), while being sent $(journal cancel-asked | wc -l)," \
		"too late $(grep -c success/ "$BATS_TEST_TMPDIR/said")"
	[ "$(jobs_in discard)" -gt 0 ] && [ "$(jobs_in success)" -gt 0 ]
}

@test "cancel and retry: killed at each call; the job is in one place, and the next one completes it" {
	command -v strace >/dev/null || skip "strace is missing"
	export ASAN_OPTIONS=detect_leaks=0
	local call n kills=0 name what
	make_two
	name=$(name_of 1)
	for what in cancel retry; do
		for call in openat renameat2 unlinkat fsync flock; do
			for ((n = 1; n < 60; n++)); do
				rm -rf "${SPOOL:?}"/{discard,outgoing/a}/*
				hand_made a 1
				echo '{}' >"$SPOOL/outgoing/a/$name/retry.json"
				if strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" \
					"$BIN/dcmspool-$what" -c "$CONF" "$name" >/dev/null; then
					break
				fi
				kills=$((kills + 1))
				[ "$(find "$SPOOL" -name 1.dcm | wc -l)" -eq 1 ]
				verb "$what" "$name" || [ "$what" = retry ]
				[ "$(find "$SPOOL" -name 1.dcm | wc -l)" -eq 1 ]
				case $what in
				cancel) [ -e "$SPOOL/discard/$name.a/1.dcm" ] ;;
				retry) [ "$(ls -A "$SPOOL/outgoing/a/$name")" = 1.dcm ] ;;
				esac
			done
		done
	done
	echo "killed $kills times"
	[ "$kills" -ge 40 ]
}

@test "whoever is not the owner of the spool is told whom to be" {
	local name
	make_router
	hand_made archive 1
	if [ "$(id -u)" -eq 0 ]; then
		chown nobody "$SPOOL"
	else
		sed -i 's|^spool = .*|spool = "/usr"|' "$CONF" # root's
	fi
	for name in hold release retry cancel; do
		run verb "$name" archive
		[ "$status" -eq 100 ]
		[[ $output == *"unable to change the spool "*" as $(id -un): it belongs to "*"sudo -u '"*"' dcmspool $name"* ]]
	done
	[ "$(ls "$SPOOL/outgoing/archive")" = "$(name_of 1)" ]
}
