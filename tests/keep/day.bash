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
# sent again by mv, with and without a decision; copies sent to one target; something waits. `dcmspool up` still runs ($pid_up).
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
	# a batch with something in it that is no image of it, nor whole
	study "$BATS_TEST_TMPDIR/odd" -s 1 -n 2 -r 32 -c 32 -u 1.2.9 -m CT
	stay_connected "$BATS_TEST_TMPDIR"/odd/*/*
	wait_for has_images "$SPOOL/incoming/1.2.9" 2
	head -c 700 "$(find "$BATS_TEST_TMPDIR/two" -name '*.dcm' | head -n 1)" >"$SPOOL/incoming/1.2.9/cut.dcm"
	echo odd >"$SPOOL/incoming/1.2.9/notes.txt"
	stop "$pid_sender"
	wait_for has_lines quarantined 3
	wait_for rests sent 1.2.9 b
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
	wait_for sent_times a 7
	job=$(job_of 1.2.2)
	mv "$SPOOL/success/$job".urgent.* "$SPOOL/incoming/"
	wait_for sent_times a 8
	# copies, for one target: of what lies here, and of files from elsewhere
	"$BIN/dcmspool" resend -y -c "$CONF" "$(job_of 1.2.3)" --to a
	"$BIN/dcmspool" send -c "$CONF" "$BATS_TEST_TMPDIR/other" --to a
	wait_for sent_times a 10
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

# Events that are history: they say nothing of where an image is. dcmspool-journal(5), What is evidence.
HISTORY='association-refused|image-refused|rule-failed|retried|overtaken|cancel-asked|retry-asked|resend-asked|held|released'

# evidence: a line "NUMBER EVENT NAME" for each line of the journal that is evidence: that of an association or a job
evidence() {
	jq -r --arg history "^($HISTORY)$" 'input_line_number as $n | select(.event | test($history) | not) |
		"\($n) \(.event) \(.association // .to // (.job // .from)[:41])"' "$SPOOL"/journal/*.jsonl
}

# each_line_is_missed [STEP]: without each STEPth line of evidence reconcile names its association or job
each_line_is_missed() {
	local number event name step=${1:-1} there=$BATS_TEST_TMPDIR
	stop "$pid_up"
	rm -rf "$there/kept"
	cp -a "$SPOOL" "$there/kept"
	evidence >"$there/evidence"
	: >"$there/list"
	while read -r number event name; do
		anew "$number"
		sed -i "${number}d" "$SPOOL"/journal/*.jsonl
		echo "$number $event $name" >>"$there/list"
	done < <(awk -v step="$step" -v shift="$((RANDOM % step))" 'NR % step == shift' "$there/evidence")
	cut -d' ' -f1 "$there/list" | xargs -P 20 -I{} sh -c \
		'"$1" -c "$2/without.{}.conf" --json >"$2/said.{}"; echo $? >"$2/status.{}"' sh "$BIN/dcmspool-reconcile" "$there"
	while read -r number event name; do
		[ "$(cat "$there/status.$number")" -eq 1 ] && names "$there/said.$number" "$name" && continue
		sed -n "${number}p" "$there"/kept/journal/*.jsonl
		echo "is not missed: $(cat "$there/said.$number")"
		return 1
	done <"$there/list"
}

# names FILE NAME: a difference there is about this association or job
names() { jq -e --arg name "$2" '.differences | any((.association // .job) == $name)' "$1" >/dev/null; }
