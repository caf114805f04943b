# ahead.bats: sending ahead, rules with cut_through (STATES.md 5a).

load ../helper
load ../router
load dispatch
load ahead

setup() { TARGET_PORT=$(free_port); }
teardown() {
	stop_all
	show_state || true # there may be no spool
}

@test "ahead: images are sent while their series is being received, each once, and one success comes of it" {
	make_ahead
	images 6
	fake 0000
	start_all
	send_images 1 3
	wait_for has_stored 3
	has_jobs success 0
	[ -n "$(ls "$SPOOL"/incoming/*/ahead.json)" ]
	send_images 4 6
	wait_for has_stored 6
	has_jobs success 0
	complete
	wait_for has_jobs success 1
	[ "$(stored)" -eq 6 ]
	wait_for at_rest
	[ "$(images_in "$SPOOL/success")" -eq 6 ]
	[ "$(grep -c stored "$SPOOL"/success/*/sent.log)" -eq 6 ]
	[ ! -e "$(ls -d "$SPOOL"/success/*)/ahead.json" ]
	[ "$(journal sent | jq -r .images)" -eq 6 ]
}

# begin N [LINE...]: a series of N images, of which the first two are at the target
begin() {
	local count=$1
	shift
	make_ahead "$@"
	images "$count"
	fake 0000
	start_all
	send_images 1 2
	wait_for has_stored 2
}

@test "ahead: a target that is held gets nothing of what is received, until it is released" {
	make_ahead
	images 4
	fake 0000
	start_all
	"$BIN/dcmspool-hold" -c "$CONF" pacs
	send_images 1 2
	wait_for waits_ahead
	run "$BIN/dcmspool-show" -c "$CONF" state=ahead
	[[ $output == *"its target is held"* ]]
	has_stored 0
	"$BIN/dcmspool-release" -c "$CONF" pacs
	wait_for has_stored 2
	"$BIN/dcmspool-hold" -c "$CONF" pacs
	send_images 3 4
	wait_for waits_ahead
	complete 4
	wait_for has_jobs outgoing/pacs 2 # the job, and what was sent ahead of it
	[ "$(stored)" -eq 2 ]
	"$BIN/dcmspool-release" -c "$CONF" pacs
	wait_for has_jobs success 1
	[ "$(stored)" -eq 4 ]
	wait_for at_rest
}

@test "ahead: what is cancelled meanwhile is sent no further, and goes to discard/ when it is complete" {
	begin 4
	job=$("$BIN/dcmspool-find" -c "$CONF" --json state=ahead | jq -r .job)
	run "$BIN/dcmspool-cancel" -c "$CONF" "$job"
	[ "$status" -eq 0 ]
	[[ $output == *"is being received; nothing more of it is sent"* ]]
	send_images 3 4
	wait_for waits_ahead
	complete 4
	wait_for has_jobs discard 1
	[ "$(stored)" -eq 2 ]
	[ "$(the_job discard)" = "$job.pacs" ]
	[ "$(grep -c stored "$SPOOL/discard/$job.pacs/sent.log")" -eq 2 ]
	wait_for at_rest
}

@test "ahead: a batch that is moved away by hand: its entry goes, and it is whole when it comes back" {
	begin 4
	mv "$SPOOL"/incoming/* "$BATS_TEST_TMPDIR/away"
	wait_for no_entry
	wait_for has_lines sent-ahead 1
	[ "$(journal sent-ahead | jq -r '.images, .target' | xargs)" = "2 pacs" ]
	mv "$BATS_TEST_TMPDIR/away" "$SPOOL/incoming/1.2.3"
	complete
	wait_for has_jobs success 1
	[ "$(images_in "$SPOOL/success")" -eq 2 ]
	[ "$(stored)" -eq 4 ] # twice
	wait_for at_rest
}

@test "ahead: a rule that discards at the end wins, and the journal has what was sent" {
	make_ahead "$(target pacs)" "$(ahead_rule '"pacs"')" \
		"rule \"not\" { match = \"tags.InstanceNumber == '3'\" on = any action = discard }"
	images 3
	fake 0000
	start_all
	send_images 1 2
	wait_for has_stored 2
	send_images 3 3
	wait_for has_stored 3
	complete
	wait_for has_jobs discard 1
	wait_for no_entry
	[ "$(journal sent-ahead | jq -r '.images, .target' | xargs)" = "3 pacs" ]
	[ "$(journal discarded | wc -l)" -eq 1 ]
	"$BIN/dcmspool-reconcile" -c "$CONF"
	wait_for at_rest
}

@test "ahead: by the rules of the last image others get the series, too, each target once" {
	mkdir "$BATS_TEST_TMPDIR/archive"
	make_ahead "$(target pacs)" 'target "archive" { type = folder path = "archive" }' \
		"$(ahead_rule '"pacs", "archive"')"
	images 3
	fake 0000
	start_all
	send_images 1 2
	wait_for has_stored 2
	[ ! -d "$SPOOL/outgoing/archive" ] || has_jobs outgoing/archive 0
	has_images "$BATS_TEST_TMPDIR/archive" 0
	send_images 3 3
	complete 3
	wait_for has_jobs success 2
	[ "$(stored)" -eq 3 ]
	has_images "$BATS_TEST_TMPDIR/archive" 3
	wait_for at_rest
}

@test "ahead: of two targets one dies in the middle: the other has all, this one the rest when it is back" {
	OTHER_PORT=$(free_port)
	make_ahead "$(target pacs)" "$(TARGET_PORT=$OTHER_PORT target other)" "$(ahead_rule '"pacs", "other"')"
	images 5
	fake 0000
	start other python3 "$TOP/tests/tools/fakescp.py" "$OTHER_PORT" 0000
	wait_for listens "$OTHER_PORT"
	DISPATCHERS=2 start_all
	send_images 1 2
	wait_for has_stored 2
	has_others() { [ "$(grep -c ' 0000$' "$BATS_TEST_TMPDIR/other.log")" -eq "$1" ]; }
	wait_for has_others 2
	stop "$pid_other" KILL
	send_images 3 4
	wait_for has_stored 4
	wait_for [ -e "$SPOOL/outgoing/other/paused.json" ]
	send_images 5 5
	wait_for has_stored 5
	complete
	wait_for has_jobs success 1
	start other python3 "$TOP/tests/tools/fakescp.py" "$OTHER_PORT" 0000
	wait_for has_jobs success 2
	has_others 3
	wait_for at_rest
}

@test "ahead: a series that brings nothing for a while gives the only connection to another" {
	begin 2
	# of another study, and complete at once
	one_series second 1.2.3.4
	send "$BATS_TEST_TMPDIR/second"
	wait_for -t 20 has_stored 4
	mapfile -t batch < <(ls "$SPOOL/incoming")
	[ "${#batch[@]}" -eq 2 ]
	! sends_ahead || wait_for waits_ahead
}

@test "ahead: two series of a study go one after the other, by the time of their first images" {
	make_ahead
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 2 -n 2 -r 16 -c 16
	fake 0000
	DISPATCHERS=2 start_all
	send "$BATS_TEST_TMPDIR/study/SE0001"
	wait_for has_stored 2
	first=$(ls "$SPOOL/incoming")
	send "$BATS_TEST_TMPDIR/study/SE0002"
	wait_for waits_ahead
	wait_for [ "$(ls "$SPOOL/incoming" | wc -l)" -eq 2 ]
	wait_for has_jobs sending/pacs 0 # the first has no more
	[ "$(stored)" -eq 2 ]
	touch "$SPOOL/incoming/$first/.complete"
	wait_for has_stored 4
	complete
	wait_for has_jobs success 2
	wait_for at_rest
	[ "$(stored)" -eq 4 ]
}

@test "ahead: the dispatcher is killed in the middle: another one goes on, nothing is lost" {
	make_ahead
	images 6
	fake delay=0.2 0000
	start_all
	send_images 1 4
	wait_for sends_ahead
	wait_for grep -q stored "$(the_entry)/sent.log"
	signal "$pid_dispatcher1" KILL
	start_dispatchers 1
	send_images 5 6
	has_each() { [ "$(grep ' 0000$' "$BATS_TEST_TMPDIR/fake.log" | sort -u | wc -l)" -eq 6 ]; }
	wait_for has_each
	complete
	wait_for has_jobs success 1
	[ "$(stored)" -le 8 ] # those in flight twice
	wait_for at_rest
}

@test "ahead: an entry is removed by hand: its images are sent again, the series is whole" {
	begin 3
	wait_for waits_ahead
	rm -r "$SPOOL"/outgoing/pacs/*.ahead
	send_images 3 3
	complete 3
	wait_for has_jobs success 1
	[ "$(stored)" -eq 5 ]
	wait_for at_rest
}

@test "ahead: without an order two series of a study go at once, over two connections" {
	make_ahead "$(target pacs order = none max_connections = 2)" "$(ahead_rule '"pacs"')"
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 2 -n 2 -r 16 -c 16
	fake delay=1 0000
	DISPATCHERS=2 start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs sending/pacs 2
	wait_for has_stored 4
	for batch in "$SPOOL"/incoming/*; do touch "$batch/.complete"; done
	wait_for has_jobs success 2
	wait_for at_rest
	[ "$(stored)" -eq 4 ]
}

@test "ahead: a series goes over several connections of its target" {
	make_ahead "$(target pacs connections = 2 max_connections = 2)" "$(ahead_rule '"pacs"')"
	images 12
	fake 0000
	start_all
	send_images 1 8
	wait_for has_stored 8
	send_images 9 12
	wait_for has_stored 12
	complete
	wait_for has_jobs success 1
	wait_for at_rest
	[ "$(stored)" -eq 12 ]
}

@test "ahead: in the hours of its priority only; an urgent one goes at once" {
	make_ahead "$(target pacs offpeak_hours = '"00:00-00:01"')" "$(ahead_rule '"pacs"' priority = offpeak)" \
		"rule \"urgent\" { match = \"tags.Modality == 'MR'\" targets = { \"pacs\" } cut_through = yes priority = urgent }"
	images 2
	fake 0000
	start_all
	[ "$(date +%H:%M)" != 00:00 ] || skip "it is the minute in which it would be sent"
	send_images 1 2
	wait_for compgen -G "$SPOOL/outgoing/pacs/*.offpeak.ahead"
	one_series mr 1.2.3.4 -m MR
	send "$BATS_TEST_TMPDIR/mr"
	wait_for has_stored 2
	[ "$(jobs_in sending/pacs)" -le 1 ]
	! compgen -G "$SPOOL/sending/pacs/*.offpeak.ahead"
	for batch in "$SPOOL"/incoming/*; do touch "$batch/.complete"; done
	wait_for has_jobs success 1
	compgen -G "$SPOOL/success/*.urgent.pacs"
	[ "$(stored)" -eq 2 ]
}

@test "ahead: images that the target refuses are left to the job, which gives them up as any does" {
	make_ahead "$(target pacs image_retries = 2)" "$(ahead_rule '"pacs"')"
	images 4
	fake 0000 "${uid[1]}=c000"
	start_all
	send_images 1 4
	wait_for has_stored 3
	wait_for waits_ahead
	[ "$(grep -c "^${uid[1]} " "$BATS_TEST_TMPDIR/fake.log")" -eq 1 ]
	has_jobs error 0
	complete
	wait_for sent_and_given_up 1 1
	[ "$(grep -c "^${uid[1]} " "$BATS_TEST_TMPDIR/fake.log")" -eq 2 ]
	[ "$(stored)" -eq 3 ]
	[ "$(ledger "${uid[1]}")" = "$(printf 'failed C000 1\nfailed C000 2')" ]
	wait_for at_rest
}

@test "ahead: a target that aborts at an image gets the others, and the job tries that one" {
	make_ahead
	images 4
	fake 0000 "${uid[2]}=abort,0000"
	start_all
	send_images 1 4
	wait_for has_stored 3
	complete
	wait_for has_jobs success 1
	[ "$(stored)" -eq 4 ]
	wait_for at_rest
}

@test "ahead: nothing is sent ahead when a rule fails" {
	make_ahead "$(target pacs)" "$(ahead_rule '"pacs"')" \
		"rule \"fails\" { match = \"int(tags.Modality) == 1\" targets = { \"pacs\" } }"
	images 2
	fake 0000
	start_all
	send_images 1 1
	wait_for compgen -G "$SPOOL/incoming/*/ahead.json"
	[ "$(jq -c .targets "$SPOOL"/incoming/*/ahead.json)" = '[]' ]
	no_entry
	complete
	wait_for has_jobs success 1
	[ "$(stored)" -eq 1 ]
}

@test "ahead: check refuses what the first image cannot decide" {
	conf() {
		make_router "$(target pacs)" "rule \"one\" { $* targets = { \"pacs\" } cut_through = yes }"
		run "$BIN/dcmspool-router" -n -c "$CONF"
	}
	conf 'match = "True"'
	[ "$status" -eq 0 ]
	conf 'match = "True" on = any'
	[ "$status" -eq 100 ]
	[[ $output == *"rule.one.cut_through: with on = any the last image may decide"* ]]
	conf "match = \"tags.Modality == 'CT' and int(tags.instancenumber) > 3\""
	[ "$status" -eq 100 ]
	[[ $output == *"rule.one.cut_through: the image that arrives first need not have the lowest InstanceNumber"* ]]
	make_router "$(target pacs)" 'rule "one" { match = "True" action = discard cut_through = yes }'
	run "$BIN/dcmspool-router" -n -c "$CONF"
	[ "$status" -eq 100 ]
	make_router "$(target ahead)" "$(ahead_rule '"ahead"')"
	run "$BIN/dcmspool-router" -n -c "$CONF"
	[ "$status" -eq 100 ]
	[[ $output == *"give the target another name"* ]]
}

@test "ahead: a connection that stays open, and tells nothing more, holds up no image of it" {
	make_ahead
	images 2
	fake 0000
	start_all
	stay_connected "$BATS_TEST_TMPDIR"/study/SE0001/*
	wait_for -t 20 has_stored 2
	kill -0 "$pid_sender"
	complete 2
	wait_for has_jobs success 1
	[ "$(stored)" -eq 2 ]
}

@test "ahead: a series that brings an image each second keeps no dispatcher from another target" {
	make_ahead "$(target pacs)" 'target "archive" { type = folder path = "archive" }' \
		"rule \"ahead\" { match = \"tags.Modality == 'MR'\" targets = { \"pacs\" } cut_through = yes }" \
		"rule \"other\" { match = \"tags.Modality == 'CT'\" targets = { \"archive\" } }"
	one_series slow 1.2.3.4 -m MR -n 60
	one_series other 1.2.3.5 -m CT
	fake 0000
	start_all
	start sender "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL -w 1000 "$BATS_TEST_TMPDIR"/slow/SE0001/*
	wait_for has_stored 2
	send "$BATS_TEST_TMPDIR/other"
	of_other() { grep -l '"CT"' "$SPOOL"/incoming/*/series.json; }
	wait_for of_other
	touch "$(dirname "$(of_other)")/.complete"
	wait_for -t 30 has_jobs success 1
	kill -0 "$pid_sender"
}
