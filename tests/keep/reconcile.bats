# dcmspool-reconcile: after a day of mixed traffic through the whole router all is balanced; each line of evidence that
# is taken from the journal, each image and each job that is taken away by hand is found and named.

load ../helper
load ../router
load day

teardown() { stop_all; }

# bats test_tags=sweep
@test "a day of mixed traffic is balanced, while it runs and afterwards; what is missing then is named" {
	a_day
	balanced
	run "$BIN/dcmspool" reconcile -c "$CONF" --day today
	echo "$output"
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "today: balanced: "*" 5 duplicates, 1 quarantined; "* ]]
	# with everything stopped, the same
	stop "$pid_up"
	balanced
	"$BIN/dcmspool" reconcile -c "$CONF" --json >"$BATS_TEST_TMPDIR/all.json"
	jq -e '.differences == [] and .failed == 1 and .discarded == 5 and .waits == 5 and .open == 0' "$BATS_TEST_TMPDIR/all.json"
	# parts of it
	"$BIN/dcmspool" reconcile -c "$CONF" --json --target b >"$BATS_TEST_TMPDIR/b.json"
	jq -e '.differences == [] and .failed == 0 and .waits == 5 and .sent > 0' "$BATS_TEST_TMPDIR/b.json"
	"$BIN/dcmspool" reconcile -c "$CONF" --json --sender OTHER >"$BATS_TEST_TMPDIR/other.json"
	jq -e '.differences == [] and .associations == 1 and .received == 2 and .jobs == 2' "$BATS_TEST_TMPDIR/other.json"
	"$BIN/dcmspool" reconcile -c "$CONF" --json --day yesterday >"$BATS_TEST_TMPDIR/yesterday.json"
	jq -e '.differences == [] and .received == 0 and .jobs == 0' "$BATS_TEST_TMPDIR/yesterday.json"

	# each line of evidence
	each_line_is_missed "$(every 4)"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/evidence")" -ge 60 ]
	for event in association-opened association-ended duplicate quarantined complete routed sent failed cancelled discarded \
		resent merged requeued submitted; do
		grep -q " $event " "$BATS_TEST_TMPDIR/evidence"
	done
}

@test "an image or a job taken away by hand is found and named, from wherever it lies" {
	local place image job change
	a_day
	stop "$pid_up"
	cp -r "$SPOOL" "$BATS_TEST_TMPDIR/kept"
	for place in $(cd "$SPOOL" && find success discard outgoing -name '2*' -type d); do
		job=${place##*/} job=${job:0:41}
		for change in image job; do
			anew "$change"
			image=$(find "$SPOOL/$place" -name '*.dcm' | sort | head -n 1)
			if [ "$change" = job ]; then
				mv "$SPOOL/$place" "$BATS_TEST_TMPDIR/elsewhere"
			else
				rm "$image"
			fi
			run "$BIN/dcmspool-reconcile" -c "$CONF" --json --images
			echo "$place $change: $output"
			rm -rf "$BATS_TEST_TMPDIR/elsewhere"
			[ "$status" -eq 1 ]
			echo "$output" >"$BATS_TEST_TMPDIR/said"
			names "$BATS_TEST_TMPDIR/said" "$job"
			[ "$change" = job ] || jq -e --arg image "${image##*/}" '.differences[0].missing == 1 and
				(.differences[0].images == [$image] or .differences[0].images == [])' "$BATS_TEST_TMPDIR/said"
		done
	done
}

@test "what is being received and collected is balanced; an image taken out of its batch is missed" {
	make_router
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 32 -c 32 -u 1.2.3.4
	start_receiver
	stay_connected "$BATS_TEST_TMPDIR"/study/*/*
	wait_for has_images "$SPOOL/incoming" 3
	run "$BIN/dcmspool-reconcile" -c "$CONF"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *" (1 open)"* ]]
	stop "$pid_sender"
	wait_for is_empty "$SPOOL/receiving"
	"$BIN/dcmspool-reconcile" -c "$CONF"
	rm "$(find "$SPOOL/incoming" -name '*.dcm' | head -n 1)"
	run "$BIN/dcmspool-reconcile" -c "$CONF"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == "association "*": filed 3 images, but 0 became jobs, and 2 wait in incoming/"* ]]
}
is_empty() { [ -z "$(ls -A "$1")" ]; }

# bats test_tags=sweep
@test "jobs whose retention is over are balanced by their lines; what was not told is told" {
	local job
	a_day
	stop "$pid_up"
	job=$SPOOL/success/$(job_of 1.2.5).urgent.a
	rm "$job/.told"
	sed -i "/\"event\":\"sent\",\"job\":\"$(jq -r .job "$job/job.json")\",\"target\":\"$(jq -r .target "$job/job.json")\"/d" "$SPOOL"/journal/*.jsonl
	balanced
	[ -e "$job/.told" ]
	[ "$(journal sent | jq -s 'map(select(.again == "true")) | length')" -eq 1 ]
	sed -i 's/^router {/cleaner { retention = 1s }\n&/' "$CONF"
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for nothing_rests
	stop "$pid_cleaner"
	balanced
	each_line_is_missed "$(every 8)"
	grep -q " deleted " "$BATS_TEST_TMPDIR/evidence"
}
nothing_rests() { [ -z "$(ls -A "$SPOOL/success" "$SPOOL/discard" | grep -v :)" ]; }

@test "the day of a series is that of its first image, whenever it ends" {
	local a=20261121T235958.000000Z.77 b=20261122T000001.000000Z.78 j=20261121T235959.000000Z.3f9a1c2b.77d0aa1e
	local yesterday=2026-11-21 today=2026-11-22
	export TZ=UTC
	make_router
	cat >"$SPOOL/journal/$yesterday.jsonl" <<-END
		{"time":"2026-11-21T23:59:58.000000Z","event":"association-opened","association":"$a","calling_aet":"CT1"}
	END
	cat >"$SPOOL/journal/$today.jsonl" <<-END
		{"time":"2026-11-22T00:00:02.000000Z","event":"association-opened","association":"$b","calling_aet":"CT1"}
		{"time":"2026-11-22T00:00:03.000000Z","event":"association-ended","association":"$a","how":"clean","received":"2","filed":"2","duplicates":"0","quarantined":"0"}
		{"time":"2026-11-22T00:00:03.000000Z","event":"association-ended","association":"$b","how":"clean","received":"1","filed":"1","duplicates":"0","quarantined":"0"}
		{"time":"2026-11-22T00:00:04.000000Z","event":"complete","job":"$j","from":"1.2.3","images":"3","associations":"$a=2,$b=1"}
		{"time":"2026-11-22T00:00:05.000000Z","event":"discarded","job":"$j","images":"3","rules":""}
		{"time":"2026-11-22T00:00:06.000000Z","event":"deleted","job":"$j","outcome":"discarded","images":"3"}
	END
	run "$BIN/dcmspool-reconcile" -c "$CONF" -d $yesterday --json
	[ "$status" -eq 0 ]
	jq -e '.received == 2 and .jobs == 1 and .discarded == 3' <<<"$output"
	run "$BIN/dcmspool-reconcile" -c "$CONF" -d $today --json
	[ "$status" -eq 0 ]
	jq -e '.received == 1 and .jobs == 0' <<<"$output"
	[ "$("$BIN/dcmspool-reconcile" -c "$CONF" -d $today --json --sender CT1 | jq .associations)" -eq 1 ]
	# a job that lost its line for b
	sed -i "s/,$b=1//" "$SPOOL/journal/$today.jsonl"
	run "$BIN/dcmspool-reconcile" -c "$CONF" -d $today
	[ "$status" -eq 1 ]
	[[ $output == "association $b: filed 1 images, but 0 became jobs"* ]]
}

@test "a spool that a dcmspool of before has filled: what its lines do not say is no difference" {
	local a=20261121T120000.000000Z.77 j=20261121T120001.000000Z.3f9a1c2b.77d0aa1e
	export TZ=UTC
	make_router
	cat >"$SPOOL/journal/2026-11-21.jsonl" <<-END
		{"time":"20261121T120000.000000Z","event":"association-opened","association":"$a"}
		{"time":"20261121T120002.000000Z","event":"association-ended","association":"$a","how":"clean"}
		{"time":"20261121T120003.000000Z","event":"complete","job":"$j","from":"1.2.3"}
		{"time":"20261121T120004.000000Z","event":"routed","job":"$j","images":"3","rules":"all","targets":"a,b"}
		{"time":"20261121T120005.000000Z","event":"sent","job":"$j","target":"a","images":"3"}
		{"time":"20261121T120006.000000Z","event":"deleted","job":"$j","target":"a","images":"3"}
		{"time":"20261121T120005.000000Z","event":"cancelled","job":"$j","target":"b"}
		half a line
	END
	run "$BIN/dcmspool-reconcile" -c "$CONF" -d 2026-11-21
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"lines of the journal that are no JSON were skipped: 1"* ]]
	sed -i '/"sent"/d' "$SPOOL/journal/2026-11-21.jsonl"
	run "$BIN/dcmspool-reconcile" -c "$CONF" -d 2026-11-21
	[ "$status" -eq 1 ]
	[[ $output == "job $j, target a: of 3 images 0 came to rest and 0 wait"* ]]
}
