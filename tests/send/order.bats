# order.bats: which job goes when: the order within a study, priorities and their hours, holding, giving up.

load ../helper
load ../router

teardown() {
	stop_all
	show_state
}

# sent_series: the SeriesInstanceUIDs in the order in which they were sent
sent_series() {
	local job target
	cat "$SPOOL"/journal/*.jsonl | jq -r 'select(.event == "sent") | .job + " " + .target' |
		while read -r job target; do
			jq -r '.tags.SeriesInstanceUID' "$SPOOL/success/$job.$target/series.json"
		done
}

# queued N: so many jobs wait for the archive
queued() { has_jobs outgoing/archive "$1"; }

# a target that is held from the beginning, so that a test can arrange its queue
make_held() {
	make_router "target \"archive\" { type = folder path = \"archive\" $* }" \
		'rule "all" { match = "True" targets = { "archive" } }'
	mkdir -p "$SPOOL/outgoing/archive"
	touch "$SPOOL/outgoing/archive/held"
	start_all
}

release() { rm "$SPOOL/outgoing/archive/held"; }

# job_of UID: the job in outgoing/archive with this series
job_of() {
	local file
	file=$(grep -lF "\"$1\"" "$SPOOL"/outgoing/archive/*/series.json)
	basename "$(dirname "$file")"
}

# is_sent UID
is_sent() { sent_series | grep -qxF "$1"; }

# A series that is being collected in incoming/ (its sender stays connected), and a later one of its study that is
# complete.
second_comes_first() {
	start_all
	one_series first 1.2.3 -u 1.2.3.1
	one_series second 1.2.3 -u 1.2.3.2
	# shellcheck disable=SC2046 # names without blanks
	stay_connected $(find "$BATS_TEST_TMPDIR/first" -name '*.dcm' | sort)
	wait_for has_images "$SPOOL/incoming/1.2.3.1" 2
	send "$BATS_TEST_TMPDIR/second"
}

@test "order: a series waits for an earlier one of its study that is still in receiving/" {
	make_router
	start_all
	one_series first 1.2.3 -u 1.2.3.1
	one_series second 1.2.3 -u 1.2.3.2
	one_series other 1.2.9 -u 1.2.9.1
	# acknowledged, but its getdcmtags does not file it
	stay_connected -W 1 "$(find "$BATS_TEST_TMPDIR/first" -name '*.dcm' | head -n 1)"
	wait_for eval '[ -n "$(running getdcmtags)" ]'
	kill -STOP "$(running getdcmtags)"
	echo >"$BATS_TEST_TMPDIR/stay"
	wait_for grep -q ' 0000' "$BATS_TEST_TMPDIR/sender.log"
	send "$BATS_TEST_TMPDIR/second"
	wait_for queued 1
	send "$BATS_TEST_TMPDIR/other"
	wait_for is_sent 1.2.9.1
	queued 1
	kill -CONT "$(running getdcmtags)"
	stop "$pid_sender"
	wait_for has_jobs success 3
	[ "$(sent_series | tr '\n' ' ')" = "1.2.9.1 1.2.3.1 1.2.3.2 " ]
	[ -z "$(journal overtaken)" ]
}

@test "order: ... and for one that is still being collected in incoming/" {
	make_router
	start_all
	one_series first 1.2.3 -u 1.2.3.1
	one_series second 1.2.3 -u 1.2.3.2
	one_series other 1.2.9 -u 1.2.9.1
	# shellcheck disable=SC2046 # names without blanks
	stay_connected $(find "$BATS_TEST_TMPDIR/first" -name '*.dcm' | sort)
	wait_for has_images "$SPOOL/incoming/1.2.3.1" 2
	send "$BATS_TEST_TMPDIR/second"
	wait_for queued 1
	send "$BATS_TEST_TMPDIR/other"
	wait_for is_sent 1.2.9.1
	queued 1
	stop "$pid_sender"
	wait_for has_jobs success 3
	[ "$(sent_series | tr '\n' ' ')" = "1.2.9.1 1.2.3.1 1.2.3.2 " ]
}

@test "order: ... and for one in routing/, until it turns out to go elsewhere" {
	make_router
	start_receiver
	start_dispatchers 1
	one_series second 1.2.3 -u 1.2.3.2
	one_series other 1.2.9 -u 1.2.9.1
	start_routers 1
	send "$BATS_TEST_TMPDIR/second"
	wait_for has_jobs success 1
	job=$(the_job success)
	job=${job%.archive}
	# The same study's hash in a job that arrived long before, which a router holds.
	mkdir "$SPOOL/routing/20010101T000000.000000Z.${job#*Z.}"
	exec 8<"$SPOOL/routing/20010101T000000.000000Z.${job#*Z.}"
	flock -n 8
	mv "$SPOOL/success/$job.archive" "$SPOOL/incoming/again"
	wait_for queued 1
	send "$BATS_TEST_TMPDIR/other"
	wait_for has_jobs success 1
	queued 1
	rmdir "$SPOOL/routing/20010101T000000.000000Z.${job#*Z.}"
	exec 8<&-
	wait_for has_jobs success 2
}

@test "order: a job that comes while the dispatchers look upstream waits for the earlier series all the same" {
	own_sender quick <<-'END'
		#!/bin/sh
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	make_router 'target "archive" { type = quick max_connections = 3 }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	start_dispatchers 3
	/usr/bin/python3 "$TOP/tests/send/overtake.py" "$SPOOL" 300
	wait_for has_jobs sending/archive 0
	wait_for eval '[ "$(ls "$SPOOL/success" | tail -n 1 | cut -d. -f3)" = "$(ls "$SPOOL/success" "$SPOOL/outgoing/archive" | grep Z | sort | tail -n 1 | cut -d. -f3)" ]'
	has_jobs success 2
	queued 300
}

@test "order_wait: after it the series goes, and the journal says what it has overtaken" {
	make_router 'target "archive" { type = folder path = "archive" order_wait = 300ms }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	second_comes_first
	wait_for has_jobs success 1
	[ "$(sent_series)" = 1.2.3.2 ]
	[[ $(journal overtaken | jq -r .earlier) == @(receiving/*|incoming/1.2.3.1) ]]
}

@test "order = none waits for nothing" {
	make_router 'target "archive" { type = folder path = "archive" order = none }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	second_comes_first
	wait_for has_jobs success 1
	[ -z "$(journal overtaken)" ]
}

@test "order = series-number: by SeriesNumber among what waits" {
	make_held order = series-number
	study "$BATS_TEST_TMPDIR/study" -s 3 -n 1 -r 32 -c 32 -y 1.2.3
	for n in 3 1 2; do
		send "$BATS_TEST_TMPDIR/study/SE000$n"
		wait_for queued "$(case $n in 3) echo 1 ;; 1) echo 2 ;; 2) echo 3 ;; esac)"
	done
	release
	wait_for has_jobs success 3
	numbers=$(cat "$SPOOL"/journal/*.jsonl | jq -r 'select(.event == "sent") | .job' | while read -r job; do
		jq -r .tags.SeriesNumber "$SPOOL/success/$job.archive/series.json"
	done | tr '\n' ' ')
	[ "$numbers" = "1 2 3 " ]
}

@test "priorities: urgent first, then normal, each in order of arrival" {
	make_held order = none offpeak_hours = '"00:00-24:00"'
	for n in 1 2 3 4; do
		one_series "s$n" "1.2.$n" -u "1.2.$n.1"
		send "$BATS_TEST_TMPDIR/s$n"
		wait_for queued "$n"
	done
	cd "$SPOOL/outgoing/archive"
	job=$(job_of 1.2.1.1) && mv "$job" "$job.offpeak"
	job=$(job_of 1.2.4.1) && mv "$job" "$job.urgent"
	release
	wait_for has_jobs success 4
	[ "$(sent_series | tr '\n' ' ')" = "1.2.4.1 1.2.2.1 1.2.3.1 1.2.1.1 " ]
}

@test "priorities: the others move although urgent jobs never end" {
	make_held order = none offpeak_hours = '"00:00-24:00"'
	one_series model 1.2.1 -u 1.2.1.1
	send "$BATS_TEST_TMPDIR/model"
	wait_for queued 1
	cd "$SPOOL/outgoing/archive"
	job=$(job_of 1.2.1.1)
	for n in {10..50}; do cp -r "$job" "20300101T000000.0000${n}Z.000000$n.00000001.urgent"; done
	mv "$job" "$job.offpeak"
	cp -r "$job.offpeak" "$job"
	release
	wait_for has_jobs success 43
	order=$(journal sent | jq -r .job)
	[ "$(grep -n "^$job\$" <<<"$order" | cut -d: -f1)" -eq 4 ]         # after three urgent ones
	[ "$(grep -n '\.offpeak$' <<<"$order" | cut -d: -f1)" -eq 16 ] # after fifteen
}

@test "hours: a job whose hours have not come waits, and costs the others nothing" {
	hour=$(date +%H)
	later=$(printf '%02d:00-%02d:00' $(((10#$hour + 2) % 24)) $(((10#$hour + 3) % 24)))
	make_held order = study offpeak_hours = "\"$later\""
	one_series first 1.2.3 -u 1.2.3.1
	one_series second 1.2.3 -u 1.2.3.2
	send "$BATS_TEST_TMPDIR/first"
	wait_for queued 1
	send "$BATS_TEST_TMPDIR/second"
	wait_for queued 2
	job=$(job_of 1.2.3.1)
	mv "$SPOOL/outgoing/archive/$job" "$SPOOL/outgoing/archive/$job.offpeak"
	release
	wait_for has_jobs success 1
	[ "$(sent_series)" = 1.2.3.2 ] # though the other is earlier: order holds within a priority
	queued 1
	start watch timeout 1 strace -f -qq -p "$pid_dispatcher1"
	wait "$pid_watch" || true
	[ ! -s "$BATS_TEST_TMPDIR/watch.log" ] || [ "$(grep -cv 'strace\|restart_syscall\|ppoll\|poll(' "$BATS_TEST_TMPDIR/watch.log")" -eq 0 ]
}

@test "held: nothing goes to that target, everything to the others; all of them by outgoing/held" {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
	mkdir -p "$SPOOL/outgoing/a"
	touch "$SPOOL/outgoing/a/held"
	start_all
	one_series first 1.2.3 -u 1.2.3.1
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_images "$BATS_TEST_TMPDIR/b" 2
	has_jobs outgoing/a 1
	touch "$SPOOL/outgoing/held"
	rm "$SPOOL/outgoing/a/held"
	one_series second 1.2.4 -u 1.2.4.1
	send "$BATS_TEST_TMPDIR/second"
	wait_for has_jobs outgoing/b 1
	has_jobs outgoing/a 2
	rm "$SPOOL/outgoing/held"
	wait_for has_jobs success 4
}

@test "give_up: what a dead target could not take goes to error/ with the reason" {
	make_router "target \"dead\" { type = dicom host = \"127.0.0.1\" port = $(free_port) aec = \"X\"
		retry_min = 100ms retry_max = 200ms give_up = 1s }" \
		'rule "all" { match = "True" targets = { "dead" } }'
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 3 -n 2 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs error 3
	grep -q 'could not be used for these images since' "$SPOOL"/error/*/reason.txt
	[ "$(images_in "$SPOOL/error")" -eq 6 ]
	at_rest || [ "$(ls "$SPOOL/outgoing/dead")" = paused.json ]
}

# A target that says when it is asked and when it is sent to, and is down while the file "down" exists.
make_asked() {
	own_sender asked <<-'END'
		#!/bin/sh
		cd "$TARGET_HOME" || exit 100
		if [ "$1" = -p ]; then echo asked >>calls; else echo sent >>calls; fi
		if [ -e down ]; then
			printf 'target\t-\t-\tit is down\n'
			exit 111
		fi
		[ "$1" = -p ] || while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	make_router "target \"asked\" { type = asked settings = { \"home=$BATS_TEST_TMPDIR\" }
		retry_min = 100ms retry_max = 200ms }" \
		'rule "all" { match = "True" targets = { "asked" } }'
}

@test "a target that has failed is asked before images are sent again" {
	make_asked
	touch "$BATS_TEST_TMPDIR/down"
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for grep -q asked "$BATS_TEST_TMPDIR/calls"
	[ "$(grep -c sent "$BATS_TEST_TMPDIR/calls")" -eq 1 ]
	rm "$BATS_TEST_TMPDIR/down"
	wait_for has_jobs success 1
	[ "$(grep -c sent "$BATS_TEST_TMPDIR/calls")" -eq 2 ]
	[ "$(cut -f3 "$SPOOL"/success/*/sent.log | sort -u)" = stored ] # it cost no image a try
	[ "$(tail -n 2 "$BATS_TEST_TMPDIR/calls" | tr '\n' ' ')" = "asked sent " ]
}

@test "a paused target that answers the probe and then takes its time keeps no other paused one waiting" {
	own_sender stuck <<-'END'
		#!/bin/sh
		cd "$TARGET_HOME" || exit 100
		[ "$1" != -p ] || { : >asked && read -r _ <go; exit 0; }
		exec tail -f /dev/null
	END
	own_sender quick <<<'while read -r image; do printf "stored\t0000\t%s\tfine\n" "$image"; done'
	sed -i '1i #!/bin/sh' "$BIN/send-quick"
	make_router "target \"a\" { type = stuck settings = { \"home=$BATS_TEST_TMPDIR\" } }" \
		'target "b" { type = quick }' 'rule "all" { match = "True" targets = { "a", "b" } }'
	mkfifo "$BATS_TEST_TMPDIR/go"
	mkdir -p "$SPOOL"/outgoing/{a,b}
	for n in a b; do
		echo '{"until": "20260101T000000.000000Z", "failures": 3}' >"$SPOOL/outgoing/$n/paused.json"
	done
	touch "$SPOOL/outgoing/b/held"
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for [ -e "$BATS_TEST_TMPDIR/asked" ]
	wait_for has_jobs outgoing/b 1
	rm "$SPOOL/outgoing/b/held"
	start second "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for grep -q ready "$BATS_TEST_TMPDIR/second.log"
	wait_for eval '[ "$(cut -d" " -f3 "/proc/$pid_second/stat")" = S ]'
	has_jobs success 0
	echo >"$BATS_TEST_TMPDIR/go"
	wait_for has_jobs success 1
	has_jobs sending/a 1
}

@test "cancelled: a job that is being sent stops after the image it is at, and goes to discard/" {
	own_sender slow <<-'END'
		#!/bin/sh
		read -r image
		: <"$TARGET_GO" # a named pipe: until the test opens it, too
		printf 'stored\t0000\t%s\tfine\n' "$image"
		read -r image
		: <"$TARGET_GO.never" # the test may still have the other one open
		printf 'stored\t0000\t%s\tfine\n' "$image"
	END
	make_router "target \"slow\" { type = slow settings = { \"go=$BATS_TEST_TMPDIR/go\" } }" \
		'rule "all" { match = "True" targets = { "slow" } }'
	mkfifo "$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/go.never"
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for has_jobs sending/slow 1
	touch "$SPOOL/sending/slow/$(the_job sending/slow)/cancelled"
	: >"$BATS_TEST_TMPDIR/go"
	wait_for has_jobs discard 1
	[ "$(images_in "$SPOOL/discard")" -eq 2 ]
	[ "$(journal cancelled | wc -l)" -eq 1 ]
	[[ $(the_job discard) == *.slow ]]
}

@test "a job whose dispatcher died is taken over also when all that waits has closed hours" {
	hour=$(date +%H)
	later=$(printf '%02d:00-%02d:00' $(((10#$hour + 2) % 24)) $(((10#$hour + 3) % 24)))
	make_held offpeak_hours = "\"$later\""
	one_series first 1.2.3 -u 1.2.3.1
	one_series second 1.2.4 -u 1.2.4.1
	send "$BATS_TEST_TMPDIR/first"
	wait_for queued 1
	send "$BATS_TEST_TMPDIR/second"
	wait_for queued 2
	mv "$SPOOL/outgoing/archive/$(job_of 1.2.3.1)" "$SPOOL/sending/archive/"
	job=$(job_of 1.2.4.1)
	mv "$SPOOL/outgoing/archive/$job" "$SPOOL/outgoing/archive/$job.offpeak"
	release
	wait_for is_sent 1.2.3.1
	queued 1
}

@test "paused.json from the future does not make a dispatcher try without end" {
	make_asked
	touch "$BATS_TEST_TMPDIR/down"
	mkdir -p "$SPOOL/outgoing/asked"
	echo '{"until": "20990101T000000.000000Z", "failures": 3}' >"$SPOOL/outgoing/asked/paused.json"
	start_all
	one_series first 1.2.3
	send "$BATS_TEST_TMPDIR/first"
	wait_for grep -q asked "$BATS_TEST_TMPDIR/calls"
	wait_for eval '[ "$(jq -r .until "$SPOOL/outgoing/asked/paused.json")" \< 2099 ]'
}

@test "files and names by hand in a queue keep no study waiting" {
	make_held
	one_series first 1.2.3 -u 1.2.3.1
	send "$BATS_TEST_TMPDIR/first"
	wait_for queued 1
	job=$(job_of 1.2.3.1)
	: >"$SPOOL/outgoing/archive/20010101T000000.000000Z.${job#*Z.}"
	: >"$SPOOL/sending/archive/20010101T000000.000000Z.${job#*Z.}"
	mkdir "$SPOOL/outgoing/archive/20010101T000000.000001Z.${job#*Z.} (copy)"
	release
	wait_for has_jobs success 1
}
