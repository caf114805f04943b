# Rules on their way through the router: which image they see, what becomes of several of them, priorities.
# The language itself is rule.bats.

load ../helper
load ../router

teardown() {
	[ -z "${pid_traced-}" ] || pkill -P "$pid_traced" || true # strace would only let go of it
	stop_all
	[ -z "${SPOOL-}" ] || show_state
}

# series N: $BATS_TEST_TMPDIR/study/SE0001/IM0000[1-N].dcm, all described as "other"
series() { study "$BATS_TEST_TMPDIR/study" -s 1 -n "$1" -r 16 -c 16 -d other -u 1.2.3.4; }
nth() { echo "$BATS_TEST_TMPDIR/study/SE0001/IM0000$1.dcm"; }
# describe N TEXT: another SeriesDescription for the N-th image
describe() { dcmodify -nb -m "SeriesDescription=$2" "$(nth "$1")"; }
uid_of() { "$BIN/getdcmtags" -p "$(nth "$1")" | jq -r .SOPInstanceUID; }

# arrive N...: these images make a batch that is complete, in this order
arrive() {
	local n
	for n; do
		cp "$(nth "$n")" "$BATS_TEST_TMPDIR/one.dcm"
		"$BIN/getdcmtags" -c "$CONF" "$BATS_TEST_TMPDIR/one.dcm" 127.0.0.1 CT1 DCMSPOOL
	done
	touch "$SPOOL/incoming/1.2.3.4/.complete"
}

targets() {
	local t
	for t; do echo "target \"$t\" { type = folder path = \"$t\" offpeak_hours = \"00:00-24:00\" }"; done
}

# names DIRECTORY: of the jobs in it, without the part that is new each time
names() { find "$SPOOL/$1" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sed 's/^[^Z]*Z\.[0-9a-f.]\{17\}//'; }
no_rest() { [ -z "$(ls -A "$SPOOL/incoming")$(ls -A "$SPOOL/routing")" ]; }

@test "rules: order of images, on = any, discard, fallback, priorities, damage, failures" {
	cd "$BATS_TEST_TMPDIR"
	"$TOOLS/test_decide"
}

@test "the image with the lowest number decides, though it came last; series.json is that of the one that came first" {
	make_router "$(targets a b)" \
		"rule \"one\" { match = \"tags.SeriesDescription == 'one' and tags.SenderAET == 'CT1'\" targets = { a } }" \
		"rule \"rest\" { match = \"tags.SeriesDescription == 'other'\" targets = { b } }"
	start_routers 1
	series 3
	describe 1 one
	arrive 3 2 1
	wait_for has_jobs outgoing/a 1
	has_jobs outgoing/b 0
	jq -e --arg first "$(uid_of 1).dcm" '.first == $first and .rules == ["one"] and .images == 3 and
		(has("seen") or has("failed") or has("priorities") | not)' "$SPOOL"/outgoing/a/*/plan.json
	jq -e '.tags.SeriesDescription == "other"' "$SPOOL"/outgoing/a/*/series.json
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$SPOOL/outgoing/a"
}

@test "on = any: one image is enough, and plan.json names it" {
	make_router "$(targets a b c)" \
		"rule \"first\" { match = \"tags.SeriesDescription == 'one'\" targets = { a } }" \
		"rule \"any\" { match = \"tags.SeriesDescription == 'one'\" targets = { b } on = any }" \
		"rule \"number\" { match = \"float(tags.SeriesDescription) > 1\" targets = { c } on = any }"
	start_routers 1
	series 4
	describe 3 one
	describe 4 1.5
	arrive 1 2 3 4
	wait_for no_rest
	has_jobs outgoing/a 0
	has_jobs outgoing/b 1
	jq -e --arg third "$(uid_of 3).dcm" --arg fourth "$(uid_of 4).dcm" --arg first "$(uid_of 1).dcm" \
		'.first == $first and .targets == ["b", "c"] and .seen == {any: $third, number: $fourth} and
		(has("failed") | not)' "$SPOOL"/outgoing/c/*/plan.json
	[ -z "$(journal rule-failed)" ]
}

@test "priority: behind the job's name, in plan.json, job.json and journal; the most urgent rule wins" {
	make_router "$(targets a b c d)" \
		'rule "1" { match = "True" targets = { a, b } priority = offpeak }' \
		'rule "2" { match = "True" targets = { b, c } }' \
		'rule "3" { match = "True" targets = { d, c } priority = urgent }'
	start_routers 1
	series 2
	arrive 1 2
	wait_for no_rest
	[ "$(names outgoing/a):$(names outgoing/b):$(names outgoing/c):$(names outgoing/d)" = .offpeak::.urgent:.urgent ]
	for t in a b c d; do
		[ "$(jq -r .job "$SPOOL"/outgoing/$t/*/job.json)" = "$(the_job outgoing/$t)" ]
		"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$SPOOL/outgoing/$t"
	done
	jq -e '.targets == ["a", "b", "c", "d"] and .priorities == {a: "offpeak", c: "urgent", d: "urgent"}' \
		"$SPOOL"/outgoing/b/*/plan.json
	journal routed | jq -e '.priorities == "a=offpeak,c=urgent,d=urgent" and .targets == "a,b,c,d"'
	# sent, resent, by rules that have changed meanwhile: one job of a new name, once
	start_dispatchers 1
	wait_for has_jobs success 4
	stop "$pid_dispatcher1"
	stop "$pid_router1"
	sed -i '/^rule "[12]"/d; s/targets = { d, c }/targets = { d }/' "$CONF"
	start_routers 1
	sent=$(echo "$SPOOL"/success/*.urgent.d)
	touch "$sent/cancelled" # as `dcmspool cancel` leaves it; it must not cancel the new job
	mv "$sent" "$SPOOL/incoming/"
	wait_for has_jobs outgoing/d 1
	wait_for no_rest
	[ "$(names outgoing/d)" = .urgent ]
	[ "$(jq -r .job "$SPOOL"/outgoing/d/*/job.json)" = "$(the_job outgoing/d)" ]
	[ ! -e "$SPOOL"/outgoing/d/*/cancelled ]
	has_jobs error 0
	has_jobs outgoing/c 0
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$SPOOL/outgoing/d"
	sed -i 's/priority = urgent/action = discard/; s/targets = { d }//' "$CONF"
	stop "$pid_router1"
	start_routers 1
	mv "$SPOOL"/outgoing/d/*.urgent "$SPOOL/incoming/"
	wait_for has_jobs discard 1
	[ -z "$(names discard)" ]
	[ "$(jq -r .job "$SPOOL"/discard/*/job.json)" = "$(the_job discard)" ]
}

@test "a rule that fails is reported once per series; disabled and fallback rules, and a discard that ends it" {
	make_router "$(targets a b)" \
		'rule "off" { match = "True" targets = { a } disabled = true }' \
		'rule "fails" { match = "int(tags.SeriesDescription)" targets = { a } on = any }' \
		"rule \"no\" { match = \"tags.SeriesDescription == 'no'\" action = discard on = any priority = urgent }" \
		"rule \"behind\" { match = \"int(tags.SeriesDescription)\" targets = { a } }" \
		'rule "rest" { match = "True" targets = { b } fallback = true }'
	start_routers 1
	series 3
	arrive 1 2 3
	wait_for has_jobs outgoing/b 1
	jq -e --arg why "$(journal rule-failed | jq -r 'select(.rule == "fails").reason')" '.rules == ["rest"] and
		(.failed | keys) == ["behind", "fails"] and .failed.fails == $why and ($why | length) > 0' \
		"$SPOOL"/outgoing/b/*/plan.json
	[ "$(journal rule-failed | jq -r .rule | paste -sd ' ')" = "fails behind" ]
	journal rule-failed | jq -es --arg first "$(uid_of 1).dcm" 'all(.image == $first)'
	[ "$(grep -c 'could not be evaluated' "$BATS_TEST_TMPDIR/router1.log")" -eq 2 ]
	describe 3 no
	arrive 1 2 3
	wait_for has_jobs discard 1
	has_jobs outgoing/b 1
	jq -e '.discarded_by == "no" and .rules == ["no"] and .targets == [] and (.failed | keys) == ["fails"]' \
		"$SPOOL"/discard/*/plan.json
	[ "$(journal rule-failed | jq -r .rule | paste -sd ' ')" = "fails behind fails" ]
	[ -z "$(names discard)" ]
}

@test "series.json is lost: the series is routed by its images, and it is made anew from the first of them" {
	make_router "$(targets a b)" \
		"rule \"one\" { match = \"tags.SeriesDescription == 'one'\" targets = { a } }" \
		"rule \"any\" { match = \"tags.SeriesDescription == 'other'\" targets = { b } on = any }"
	series 3
	describe 1 one
	arrive 3 2 1
	echo '{"tags": ' >"$SPOOL/incoming/1.2.3.4/series.json"
	echo 'cut off' >"$SPOOL/incoming/1.2.3.4/0.dcm"
	start_routers 1
	wait_for has_jobs outgoing/a 1
	has_jobs outgoing/b 1
	jq -e '.tags.SeriesDescription == "one" and .tags.SeriesInstanceUID == "1.2.3.4" and .tags.SenderAET == ""' \
		"$SPOOL"/outgoing/a/*/series.json
	jq -e '.series == "1.2.3.4"' "$SPOOL"/outgoing/a/*/job.json
	grep -q '^0.dcm: is not whole: ' "$SPOOL"/error/*/reason.txt
}

@test "a router that takes over follows plan.json, priorities too, not the rules of now" {
	make_router "$(targets a b c)" 'rule "now" { match = "True" targets = { c } priority = offpeak }'
	series 2
	arrive 1 2
	rm "$SPOOL"/incoming/1.2.3.4/.complete "$SPOOL"/incoming/1.2.3.4/.assoc.* "$SPOOL"/incoming/1.2.3.4/filed
	job=20261122T140301.123456Z.3f9a1c2b.77d0aa1e
	echo '{"job": "x", "images": 2, "rules": ["then"], "targets": ["a", "b", "c"],
		"priorities": {"a": "urgent", "b": "../b", "d": "urgent"}}' >"$SPOOL/incoming/1.2.3.4/plan.json"
	mv "$SPOOL/incoming/1.2.3.4" "$SPOOL/routing/$job"
	start_routers 1
	wait_for no_rest
	[ "$(the_job outgoing/a)/$(the_job outgoing/b)/$(the_job outgoing/c)" = "$job.urgent/$job/$job" ]
	jq -e --arg job "$job.urgent" '.job == $job and .rules == ["then"]' "$SPOOL"/outgoing/a/*/job.json
}

@test "an image that cannot be read now: nothing is decided; it is tried again" {
	command -v strace >/dev/null || skip "strace is missing"
	make_router "$(targets a)" "rule \"all\" { match = \"tags.Modality == 'CT'\" targets = { a } }"
	series 2
	arrive 1 2
	start traced strace -qq -o /dev/null -P "$(uid_of 2).dcm" -e trace=openat -e inject=openat:error=EMFILE:when=1 \
		"$BIN/dcmspool-router" -c "$CONF"
	# the one that walks it, or the one that reads its tags
	wait_for grep -qE "unable to (read the tags of $(uid_of 2).dcm in|route) routing/" "$BATS_TEST_TMPDIR/traced.log"
	wait_for has_jobs routing 1
	[ ! -e "$SPOOL"/routing/*/plan.json ]
	[ -z "$(journal discarded)" ]
	mkdir "$SPOOL/incoming/.wake" # an event in incoming/
	wait_for has_jobs outgoing/a 1
}

# comment TEXT: the ImageComments of the first image, in UTF-8
comment() { dcmodify -nb -i "SpecificCharacterSet=ISO_IR 192" -i "ImageComments=$1" "$(nth 1)"; }

@test "the reason of a rule that failed is cut between two characters; the series is routed" {
	make_router "$(targets a b)" \
		'rule "1" { match = "float(tags.ImageComments) > 1" targets = { a } contact = "Dr. Süß" }' \
		'rule "2" { match = "float('"'x'"' + tags.ImageComments) > 1" targets = { a } }' \
		'rule "3" { match = "float('"'xx'"' + tags.ImageComments) > 1" targets = { a } }' \
		'rule "4" { match = "float(chr(0xd800) + tags.ImageComments) > 1" targets = { a } }' \
		'rule "rest" { match = "True" targets = { b } fallback = true }'
	series 1
	comment "$(printf '胸部単純撮影造影後期相%.0s' {1..30})"
	start_routers 1
	arrive 1
	wait_for has_jobs outgoing/b 1
	jq -e '(.failed | keys) == ["1", "2", "3", "4"] and all(.failed[]; endswith("...")) and
		(.failed["4"] | contains("\\ud800胸"))' "$SPOOL"/outgoing/b/*/plan.json
	journal rule-failed | jq -es 'length == 4 and all(.reason | endswith("...")) and
		.[0].contact == "Dr. Süß" and (.[1] | has("contact") | not)'
}

@test "a router dies before it has told which rules failed: the next one tells it" {
	make_router "$(targets a)" \
		'rule "fails" { match = "int(tags.SeriesDescription)" targets = { a } contact = "me" on = any }' \
		'rule "rest" { match = "True" targets = { a } fallback = true }'
	series 2
	arrive 1 2
	rm "$SPOOL"/incoming/1.2.3.4/.complete "$SPOOL"/incoming/1.2.3.4/.assoc.* "$SPOOL"/incoming/1.2.3.4/filed
	job=20261122T140301.123456Z.3f9a1c2b.77d0aa1e
	echo '{"job": "x", "images": 2, "first": "1.dcm", "rules": ["rest"], "targets": ["a"], "seen": {"fails": "2.dcm"},
		"failed": {"fails": "ValueError: x", "gone": "ValueError: y"}}' >"$SPOOL/incoming/1.2.3.4/plan.json"
	mv "$SPOOL/incoming/1.2.3.4" "$SPOOL/routing/$job"
	start_routers 1
	wait_for has_jobs outgoing/a 1
	journal rule-failed | jq -es --arg job "$job" 'map([.job, .rule, .expression, .image, .reason, .contact]) ==
		[[$job, "fails", "int(tags.SeriesDescription)", "2.dcm", "ValueError: x", "me"],
		[$job, "gone", null, "1.dcm", "ValueError: y", null]]'
	stop "$pid_router1"
	# what is known to be told is not told again
	jq -e .told "$SPOOL/outgoing/a/$job/plan.json"
	rm "$SPOOL/outgoing/a/$job/job.json"
	mv "$SPOOL/outgoing/a/$job" "$SPOOL/routing/$job"
	start_routers 1
	wait_for has_jobs outgoing/a 1
	[ "$(journal rule-failed | wc -l)" -eq 2 ]
}

@test "the journal has images and study of each job, and what is discarded is told" {
	make_router "$(targets a)" "rule \"mr\" { match = \"tags.Modality == 'MR'\" targets = { a } }"
	start_routers 1
	series 3
	dcmodify -nb -i "AccessionNumber=A17" "$(nth 1)"
	arrive 1 2 3
	wait_for has_jobs discard 1
	is_told() { [ -e "$SPOOL/discard/$(the_job discard)/.told" ]; }
	wait_for is_told
	journal complete | jq -e --arg study "$("$BIN/getdcmtags" -p "$(nth 1)" | jq -r .StudyInstanceUID)" \
		'.images == "3" and .series == "1.2.3.4" and .study == $study and .accession == "A17"'
	journal discarded | jq -e --arg job "$(the_job discard)" '.images == "3" and .job == $job'
	# as the next job it is not told yet
	stop "$pid_router1"
	sed -i 's/MR/CT/' "$CONF"
	mv "$SPOOL"/discard/* "$SPOOL/incoming/"
	start_routers 1
	wait_for has_jobs outgoing/a 1
	[ ! -e "$SPOOL"/outgoing/a/*/.told ]
}
