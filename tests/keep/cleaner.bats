# dcmspool-cleaner: deletes what has outlived its retention, in its hours, and nothing else.

load ../helper
load ../router

teardown() {
	stop_all
	show_state
}

# a_job DIRECTORY NAME
a_job() {
	mkdir "$SPOOL/$1/$2"
	touch "$SPOOL/$1/$2/1.2.3.dcm" "$SPOOL/$1/$2/job.json"
}

# aged PATH: its retention of one second has passed
aged() { [ "$(date +%s)" -gt $(($(stat -c %Z "$1") + 1)) ]; }
gone() { [ ! -e "$1" ]; }

deleted() { [ "$(journal deleted | wc -l)" -eq "$1" ]; }

@test "what has outlived its retention goes from success and discard; error stays" {
	make_router 'cleaner { retention = 1s }'
	a_job success old
	a_job discard old
	a_job error old
	a_job success .deleting.half # a cleaner was killed here
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for gone "$SPOOL/success/old"
	wait_for gone "$SPOOL/discard/old"
	wait_for gone "$SPOOL/success/.deleting.half"
	[ -e "$SPOOL/error/old/1.2.3.dcm" ]
	# what comes later goes in its turn
	a_job error late
	mv "$SPOOL/error/late" "$SPOOL/success/"
	wait_for gone "$SPOOL/success/late"
	wait_for deleted 4
}

@test "young jobs stay, and an armed deadline is all that wakes the cleaner" {
	make_router 'cleaner { retention = 1h }'
	a_job success young
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for grep -q ready "$BATS_TEST_TMPDIR/cleaner.log"
	a_job success younger
	stop "$pid_cleaner"
	[ -e "$SPOOL/success/young/1.2.3.dcm" ]
	[ -e "$SPOOL/success/younger/1.2.3.dcm" ]
}

@test "outside the off-peak hours nothing is deleted" {
	local now from to
	now=$(date +%s)
	from=$(date -d "@$((now + 7200))" +%H:%M)
	to=$(date -d "@$((now + 10800))" +%H:%M)
	make_router "cleaner { retention = 1s offpeak = \"$from-$to\" }"
	a_job success old
	wait_for aged "$SPOOL/success/old"
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for grep -q ready "$BATS_TEST_TMPDIR/cleaner.log"
	stop "$pid_cleaner" # it takes the signal after its first scan
	[ -e "$SPOOL/success/old" ]
	# the same hours, two hours earlier: now
	from=$(date -d "@$((now - 3600))" +%H:%M)
	to=$(date -d "@$((now + 3600))" +%H:%M)
	sed -i "s/offpeak = .*\"/offpeak = \"$from-$to\"/" "$CONF"
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for gone "$SPOOL/success/old"
}

@test "a directory inside a job is not deleted, only what dcmspool has put there; when it is gone the job goes" {
	make_router 'cleaner { retention = 1s }'
	a_job success odd
	mkdir "$SPOOL/success/odd/by-hand"
	touch "$SPOOL/success/odd/by-hand/precious"
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for grep -q 'unable to delete' "$BATS_TEST_TMPDIR/cleaner.log"
	[ -e "$SPOOL/success/odd/by-hand/precious" ]
	[ -e "$SPOOL/success/odd/1.2.3.dcm" ]
	rm -r "$SPOOL/success/odd/by-hand" # no event and no other job says so
	wait_for gone "$SPOOL/success/odd"
}

@test "what the journal may not have is written again before it is deleted; deleted tells what it was" {
	local job=20261122T140301.123456Z.3f9a1c2b.77d0aa1e
	make_router 'cleaner { retention = 1s }'
	a_job success $job.urgent.pacs
	echo '{"job": "'$job.urgent'", "target": "pacs"}' >"$SPOOL/success/$job.urgent.pacs/job.json"
	a_job discard $job
	echo '{"job": "'$job'", "target": ""}' >"$SPOOL/discard/$job/job.json"
	a_job discard $job.pacs
	echo '{"job": "'$job'", "target": "pacs"}' >"$SPOOL/discard/$job.pacs/job.json"
	a_job success told
	touch "$SPOOL/success/told/.told"
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for deleted 4
	jq -se --arg job $job 'map(select(.event != "deleted") | [.event, .job, .target, .images, .again]) | sort ==
		[["cancelled", $job, "pacs", "1", "true"], ["discarded", $job, null, "1", "true"],
		["sent", $job + ".urgent", "pacs", "1", "true"]]' "$SPOOL"/journal/*.jsonl
	journal deleted | jq -se --arg job $job 'map([.outcome, .job, .target, .from, .images]) | sort ==
		[["cancelled", $job, "pacs", "discard", "1"], ["discarded", $job, null, "discard", "1"],
		["sent", $job + ".urgent", "pacs", "success", "1"], ["sent", "told", null, "success", "1"]]'
}

@test "a job stays until the journal can be written, its images do not" {
	local job=20261122T140301.123456Z.3f9a1c2b.77d0aa1e marked day
	make_router 'cleaner { retention = 1s }'
	marked=$SPOOL/success/.deleting.$job.pacs
	a_job success $job.pacs
	echo '{"job": "'$job'", "target": "pacs", "images": 1}' >"$SPOOL/success/$job.pacs/job.json"
	for day in today tomorrow; do
		mkdir "$SPOOL/journal/$(date -ud $day +%F).jsonl"
	done
	start cleaner "$BIN/dcmspool-cleaner" -c "$CONF"
	wait_for grep -q "unable to delete success/$job.pacs: Is a directory" "$BATS_TEST_TMPDIR/cleaner.log"
	[ "$(ls -A "$marked")" = job.json ]
	rmdir "$SPOOL"/journal/*.jsonl
	wait_for gone "$marked"
	jq -se --arg job $job 'map([.event, .job, .target, .images, .again]) ==
		[["sent", $job, "pacs", "1", "true"], ["deleted", $job, "pacs", "1", null]]' "$SPOOL"/journal/*.jsonl
}
