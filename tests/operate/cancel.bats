# cancel.bats: dcmspool cancel, also while dispatchers claim the same jobs, and killed in the middle.

load ../helper
load ../router
load verbs

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
	[ "$(cut -f 3 "$SPOOL/discard/$job.told/sent.log" | tr "\n" " ")" = "stored " ]
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
	printf '%s\ta\tnever\tA900\t1.dcm\t1\tno\n' "$(name_of 1 | cut -c1-23)" \
		>"$SPOOL/outgoing/a/$(name_of 1)/sent.log"
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

# bats test_tags=sweep
@test "cancel against dispatchers that claim at the same moment: every job ends in one place" {
	local n place said jobs=$((300 / $(every 3)))
	own_sender quick <<-'END'
		#!/bin/sh
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	make_router 'target "a" { type = quick order = none max_connections = 2 }' \
		'rule "all" { match = "True" targets = { "a" } }'
	# shellcheck disable=SC2046 # numbers
	hand_made made $(seq "$jobs")
	mv "$SPOOL/outgoing/made" "$BATS_TEST_TMPDIR/"
	start_dispatchers 2
	wait_for [ -d "$SPOOL/sending/a" ]
	race "$jobs" >"$BATS_TEST_TMPDIR/said"
	wait_for at_rest
	for ((n = 1; n <= jobs; n++)); do
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
