# day.bash: a day of mixed traffic through `dcmspool up`.

# balanced: reconcile says so
balanced() { "$BIN/dcmspool-reconcile" -c "$CONF"; }

# arrive DIRECTORY SERIES [makestudy options]: the series is made, sent, and its association has ended
arrive() {
	local dir=$BATS_TEST_TMPDIR/$1
	study "$dir" -s 1 -r 32 -c 32 -u "$2" "${@:3}"
	send "$dir" ${AET:+-aet "$AET"}
}

job_of() { journal complete | jq -r --arg series "$1" 'select(.series == $series) | .job'; }
is_job() { [ -n "$(job_of "$1")" ]; }
# rests EVENT SERIES TARGET: it has come to rest there
rests() {
	local job
	job=$(job_of "$2") && [ -n "$job" ] &&
		journal "$1" | jq -se --arg job "$job" --arg target "$3" 'any(.job[:41] == $job[:41] and .target == $target)' >/dev/null
}
sent_times() { [ "$(journal sent | jq -c --arg target "$1" 'select(.target == $target)' | wc -l)" -ge "$2" ]; }

# a_day: to two targets; to one that refuses an image; discarded; duplicates; quarantined; dropped by hand; cancelled;
# resent by mv, and to one target; something waits. `dcmspool up` still runs ($pid_up).
a_day() {
	local job
	own_sender picky <<-'END'
		#!/bin/sh
		read -r first
		printf 'failed\tA700\t%s\tout of resources\n' "$first"
		while read -r image; do printf 'stored\t0000\t%s\tsuccess\n' "$image"; done
		exit 1
	END
	make_up 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'target "picky" { type = picky image_retries = 1 }' \
		'rule "two" { match = "tags.Modality == '"'CT'"'" targets = { "a", "b" } priority = urgent }' \
		'rule "mr" { match = "tags.Modality == '"'MR'"'" targets = { "picky" } }'
	start up "$BIN/dcmspool-up" --root -c "$CONF"
	wait_for up_runs
	wait_for listens "$PORT"
	arrive two 1.2.1 -n 4 -m CT
	AET=OTHER arrive other 1.2.2 -n 2 -m CT
	arrive unwanted 1.2.4 -n 2 -m US
	# the same images over another association, while the first one is open: duplicates
	study "$BATS_TEST_TMPDIR/split" -s 1 -n 3 -r 32 -c 32 -u 1.2.3 -m MR
	stay_connected "$BATS_TEST_TMPDIR"/split/*/*
	wait_for has_images "$SPOOL/incoming/1.2.3" 3
	send "$BATS_TEST_TMPDIR/split"
	stop "$pid_sender"
	wait_for rests sent 1.2.3 picky
	study "$BATS_TEST_TMPDIR/twice" -s 1 -n 2 -r 32 -c 32 -u 1.2.5 -m CT
	"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$BATS_TEST_TMPDIR"/twice/*/* "$BATS_TEST_TMPDIR"/twice/*/* >/dev/null
	# by hand: a folder with an image and something that is none
	study "$BATS_TEST_TMPDIR/stick" -s 1 -n 2 -r 32 -c 32 -u 1.2.6 -m US
	echo odd >"$BATS_TEST_TMPDIR/stick/notes.txt"
	mv "$BATS_TEST_TMPDIR/stick" "$SPOOL/incoming/"
	wait_for rests sent 1.2.1 b
	wait_for rests sent 1.2.2 b
	wait_for rests sent 1.2.5 b
	wait_for is_job 1.2.6
	balanced
	# cancelled, and what waits
	"$BIN/dcmspool" hold -c "$CONF" b
	arrive cancelled 1.2.7 -n 1 -m CT
	arrive waits 1.2.8 -n 3 -m CT
	wait_for rests sent 1.2.7 a
	wait_for rests sent 1.2.8 a
	"$BIN/dcmspool" cancel -c "$CONF" "$(basename "$SPOOL/outgoing/b/$(job_of 1.2.7)"*)"
	# sent again to one target, without a decision, and routed again from both
	job=$(job_of 1.2.1)
	mv "$SPOOL/success/$job.urgent.a" "$SPOOL/outgoing/a/"
	wait_for sent_times a 6
	job=$(job_of 1.2.2)
	mv "$SPOOL/success/$job".urgent.* "$SPOOL/incoming/"
	wait_for sent_times a 7
	wait_for at_rest_but_held
}

at_rest_but_held() {
	local d
	for d in receiving incoming routing outgoing/a outgoing/picky sending/a sending/b sending/picky; do
		[ -z "$(ls -A "$SPOOL/$d" 2>/dev/null)" ] || return 1
	done
	"$BIN/dcmspool-fsck" -c "$CONF" >/dev/null
}

# anew NAME: a copy of the spool that was kept: $SPOOL, $CONF
anew() {
	SPOOL=$BATS_TEST_TMPDIR/without.$1 CONF=$BATS_TEST_TMPDIR/without.$1.conf
	rm -rf "$SPOOL"
	cp -a "$BATS_TEST_TMPDIR/kept" "$SPOOL"
	sed "s|^spool = .*|spool = \"$SPOOL\"|" "$BATS_TEST_TMPDIR/dcmspool.conf" >"$CONF"
}

# evidence: a line "NUMBER NAME" for each line of the journal that is evidence: that of an association or a job
evidence() {
	jq -r 'input_line_number as $n | select(.event | test("^(association-ended|complete|resent|sent|failed|discarded|cancelled)$")) |
		"\($n) \(.association // .job[:41])"' "$SPOOL"/journal/*.jsonl
}

# names FILE NAME: a difference there is about this association or job
names() { jq -e --arg name "$2" '.differences | any((.association // .job) == $name)' "$1" >/dev/null; }
