# retry.bats: dcmspool retry.

load ../helper
load ../router
load verbs

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
	[[ $output == "$(name_of 1).told: waits no longer for its next try"* ]]
	[[ $output != *"is tried now"* ]]
	[[ $output == *"all: held (since "* ]]
	[[ $output == *"told: held (since "*"until: dcmspool release told"* ]]
	! waits_for "$(name_of 1)"
	run verb retry "outgoing/told/$(name_of 1)"
	[[ $output == *"$(name_of 1).told: does not wait for a next try"* ]]
	echo '{"until": "20990101T000000.000000Z", "failures": 3}' >"$SPOOL/outgoing/gone/paused.json"
	run verb retry gone
	[ "$status" -eq 0 ]
	[[ $output == "gone: waits no longer for its next try"*"gone: is no target in $CONF"* ]]
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

@test "retry and cancel by query: what cannot be looked at is told, the rest is done, and the status says so" {
	local program
	command -v strace >/dev/null || skip "strace is missing"
	make_two
	hand_made a 1
	hand_made b 2
	echo '{"not_before": "29260101T000000.000000Z"}' >"$SPOOL/outgoing/a/$(name_of 1)/retry.json"
	for program in retry cancel; do
		run strace -qq -o "$BATS_TEST_TMPDIR/trace" -P "$SPOOL/outgoing/b" -e trace=getdents64 -e inject=getdents64:error=EIO \
			"$BIN/dcmspool-$program" -c "$CONF" -y state=waiting
		echo "$output"
		[ "$status" -eq 111 ]
		[[ $output == *"unable to "*"outgoing/b: Input/output error"* ]]
	done
	[ -d "$SPOOL/discard/$(name_of 1).a" ]
	[ -d "$SPOOL/outgoing/b/$(name_of 2)" ]
}
