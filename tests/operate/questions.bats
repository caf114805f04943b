# questions.bats: everyday questions, each answered by one command. Nothing runs, but for those that ask what does: the
# tree and the journal tell.

load ../helper
bats_require_minimum_version 1.5.0
load ../router
load verbs
load tree

setup() {
	export TZ=UTC
	make_router 'target "pacs" { type = folder path = "pacs" }' 'target "archive" { type = folder path = "archive" }' \
		'target "research" { type = folder path = "research" }' \
		'rule "all" { match = "True" targets = { "pacs", "archive" } }'
}

teardown() {
	stop_all
	kill_processes
}

ago() { date -u -d "$1 ago" +%Y%m%dT%H%M%S; }
noon_yesterday() { date -u -d yesterday +%Y%m%dT120000; }

# write EVENT JOB JQ: a line of the journal, of yesterday noon
write() {
	local day
	day=$(date -u -d yesterday +%F)
	jq -nc --arg event "$1" --arg job "$2" --arg time "${day}T12:00:00.000000Z" \
		"{time: \$time, event: \$event, job: \$job} + $3" >>"$SPOOL/journal/$day.jsonl"
}

@test "Where is patient Doe's MR?" {
	lay 00000001 outgoing/pacs/J,success/J.archive Modality=MR PatientName=Doe^John SeriesDescription='T1 axial'
	lay 00000002 success/J.pacs Modality=CT PatientName=Doe^John
	run -0 verb find patient=doe Modality=MR
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == *"Doe^John"*"T1 axial"*"MR"*"pacs: waiting, archive: sent"* ]]
}

@test "What waits, since when, for whom?" {
	local since
	since=$(ago 2hours)
	lay 00000001 outgoing/pacs/J at="$since" PatientName=Doe^John
	lay 00000002 success/J.pacs PatientName=Done^Jim
	lay 00000003 sending/archive/J at="$(ago 1hour)" PatientName=Roe^Jane
	run -0 "$BIN/dcmspool" list -c "$CONF"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[1]} == *"${since:9:2}:${since:11:2}"*"Doe^John"*"pacs: waiting"* ]]
	[[ ${lines[2]} == *"Roe^Jane"*"archive: sending"* ]]
}

@test "What is held? Which target is down, since when, why?" {
	lay 00000001 outgoing/pacs/J
	lay 00000002 outgoing/archive/J
	touch "$SPOOL/outgoing/pacs/held"
	echo '{"until": "20991231T000000.000000Z", "since": "20261101T050000.000000Z", "failures": 3,
		"reason": "Connection refused"}' >"$SPOOL/outgoing/archive/paused.json"
	run -0 verb find state=held
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == *"pacs: held"* ]]
	run -0 verb show state=paused
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"waits:"*"paused until 2099-12-31 00:00, failing since 2026-11-01 05:00 (3 in a row): Connection refused"* ]]
	[ "$(verb find state=paused --json | jq -r '.places[0].paused | .since + " " + .reason')" = "2026-11-01T05:00:00.000000Z Connection refused" ]
}

@test "When is a job tried again whose target failed at it? There is one time, the job's own where it is later" {
	lay 00000001 outgoing/pacs/J
	echo '{"until": "20991231T000000.000000Z", "since": "20261101T050000.000000Z", "failures": 1, "reason": "no route"}' \
		>"$SPOOL/outgoing/pacs/paused.json"
	echo '{"not_before": "20991231T000100.000000Z"}' >"$SPOOL/outgoing/pacs/$(job_of 00000001)/retry.json"
	run -0 verb show state=paused
	[ "$(tr -s ' \n' ' ' <<<"$output" | grep -o 'its target is paused.*')" = "its target is paused, failing since 2026-11-01 05:00 (1 in a row): no route it is tried again at 2099-12-31 00:01; now with: dcmspool retry $(job_of 00000001) " ]
	echo '{"not_before": "20991230T230000.000000Z"}' >"$SPOOL/outgoing/pacs/$(job_of 00000001)/retry.json"
	run -0 verb show state=paused
	[[ $output == *"paused until 2099-12-31 00:00"* && $output != *"tried again"* ]]
}

@test "What was sent yesterday to the PACS?" {
	write sent J1 '{target: "pacs", images: "7"}'
	write sent J2 '{target: "archive", images: "8"}'
	write failed J3 '{target: "pacs", images: "1"}'
	run -0 verb log state=sent target=pacs since=yesterday until=today
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"J1"*"pacs: sent, 7 images" ]]
	run -1 verb log state=sent since=today
}

@test "What failed yesterday, and why?" {
	lay 00000001 error/J.pacs at="$(noon_yesterday)" PatientName=Doe^John
	lay 00000002 error/J.pacs at=20261101T000000
	echo '1.dcm: A700 out of resources' >"$SPOOL/error/$(job_of 00000001 "$(noon_yesterday)").pacs/reason.txt"
	run -0 verb show state=failed since=yesterday until=today
	[[ $output == *"Doe^John"*"pacs: failed"*"why:"*"A700 out of resources"* ]]
	[[ $output != *00000002* ]]
}

@test "Why was this discarded? Who sent it?" {
	lay 00000001 discard/J SeriesInstanceUID=1.2.3 sender=MR7 rule=scout
	run -0 verb show 1.2.3
	[[ $output == *"sender     MR7 at 10.0.0.1 to DCMSPOOL"*"decided    discarded by rule scout"* ]]
}

@test "Did we ever send accession number 4711 to the archive? Also when it was deleted long since" {
	local job
	job=$(job_of 00000001)
	write complete "$job" '{images: "7", accession: "4711"}'
	write routed "$job" '{targets: "pacs,archive", rules: "all"}'
	write sent "$job" '{target: "archive", images: "7"}'
	write deleted "$job" '{from: "success", target: "archive", images: "7", outcome: "sent"}'
	write sent "$(job_of 00000002)" '{target: "archive", images: "9"}'
	run -0 verb log 4711 state=sent target=archive
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"$job"*"archive: sent, 7 images" ]]
	run -1 verb log 4712 state=sent
	run -0 verb log 4711
	[ "${#lines[@]}" -eq 4 ]
}

@test "Send all MR of yesterday to the archive again" {
	lay 00000001 success/J.pacs at="$(noon_yesterday)" Modality=MR
	lay 00000002 success/J.pacs at="$(noon_yesterday)" Modality=CT
	lay 00000003 success/J.pacs Modality=MR
	verb resend Modality=MR since=yesterday until=today --to archive --yes
	[ "$(jobs_in outgoing/archive)" -eq 1 ]
	jq -e --arg job "$(job_of 00000001 "$(noon_yesterday)")" '.from == $job' "$SPOOL"/outgoing/archive/*/plan.json
	[ "$(jobs_in success)" -eq 3 ]
}

@test "Send this series to research only" {
	lay 00000001 success/J.pacs,success/J.archive SeriesInstanceUID=1.2.3
	verb resend 1.2.3 --to research --yes
	[ "$(jobs_in outgoing/research)" -eq 1 ]
	[ "$(find "$SPOOL/outgoing/research" -name '*.dcm' | wc -l)" -eq 2 ]
}

@test "What would this file do?" {
	one_series study 1.2.3
	run -0 verb explain "$(find "$BATS_TEST_TMPDIR/study" -name '*.dcm' | head -n 1)"
	[[ $output == *"=> pacs, archive"* ]]
}

@test "Is it well? Is every program alive? Is anything stuck? Which connections are open? What is held, and what is to be done?" {
	lay 00000001 outgoing/pacs/J
	lay 00000002 error/J.pacs
	touch "$SPOOL/outgoing/pacs/held"
	mkdir "$SPOOL/receiving/20261112T080000.000000Z.c"
	echo '{"peer": "10.0.0.9", "calling_aet": "MR7"}' >"$SPOOL/receiving/20261112T080000.000000Z.c/association.json"
	COLUMNS=120 run -2 "$BIN/dcmspool" status -c "$CONF"
	[[ $output == *": down; 3 things wait for a person"*"! no router runs on "*"dcmspool up -c $CONF"* ]]
	[[ $output == *"! target pacs is held, and 1 wait"*"    dcmspool release pacs"*"! 1 in error/"*"dcmspool resend state=failed"* ]]
	[[ $output == *"MR7 "*"nobody any more"* ]]
}

@test "How full is the disk, when is it cleaned, when are callers refused? How much comes, how much goes?" {
	lay 00000001 success/J.pacs
	jq -nc --arg time "$(date -u +%FT%T.000000Z)" '{time: $time, event: "complete", job: "J", images: "40"},
		{time: $time, event: "sent", job: "J", target: "pacs", images: "40"}' >"$SPOOL/journal/$(date -u +%F).jsonl"
	COLUMNS=120 run -2 "$BIN/dcmspool" status -c "$CONF"
	[[ $output =~ disk\ +[0-9.]+\ .?B\ of\ [0-9.]+\ .?B\ free.*callers\ are\ refused\ below\ 1\ MB ]]
	[[ $output == *"keeps      1 sent: deleted after 3d"* ]]
	[[ $output == *"came       1 series, 40 images in the last 10 minutes"*"pacs "*"1 series, 40 img"* ]]
}

@test "What happens now? The log goes on, asleep, until there is a line" {
	local cpu
	lay 00000001 outgoing/pacs/J PatientName=Doe^John
	write routed "$(job_of 00000001)" '{targets: "pacs"}'
	start log "$BIN/dcmspool-log" -c "$CONF" -f patient=doe
	wait_for grep -q 'routed to pacs' "$BATS_TEST_TMPDIR/log.log"
	write sent "$(job_of 00000009)" '{target: "pacs", images: "1"}'
	lay 00000002 sending/pacs/J PatientName=Doe^Jane
	write sent "$(job_of 00000002)" '{target: "pacs", images: "2"}'
	wait_for grep -q 'pacs: sent, 2 images' "$BATS_TEST_TMPDIR/log.log"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/log.log")" -eq 2 ]
	cpu=$(awk '{ print $14 + $15 }' "/proc/$pid_log/stat")
	[ "$(cat "/proc/$pid_log/wchan" 2>/dev/null || echo poll)" != 0 ]
	[ "$cpu" -le 50 ]
	stop "$pid_log"
}

@test "How many images an hour, from whom?" {
	local job
	job=$(job_of 00000001)
	write association-opened "" '{association: "a1", calling_aet: "CT1"}'
	write complete "$job" '{images: "7", bytes: "7000", associations: "a1=7"}'
	run -0 verb report --day yesterday
	[[ ${lines[1]} == "CT1 "*" 1 "*" 7  7.0 kB"* ]]
	[ "$(verb report --day yesterday --json | jq -c '[.received[] | select(.images > 0)]')" = \
		"[{\"from\":\"$(date -u -d yesterday +%F)T12:00:00.000000Z\",\"images\":7}]" ]
}

@test "Is anything stuck? What waits for the longest?" {
	local since
	since=$(ago 3days)
	lay 00000001 outgoing/pacs/J at="$since" PatientName=Doe^John
	lay 00000002 outgoing/pacs/J PatientName=Roe^Jane at="$(ago 1hour)"
	lay 00000003 error/J.archive PatientName=Poe^Ann at="$(ago 1day)"
	run -0 "$BIN/dcmspool" list until=2d -c "$CONF"
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == *"Doe^John"*"pacs: waiting"* ]]
	run -2 verb status
	[[ $output == *"1 in error/"*"dcmspool show state=failed"* ]]
	[ "$(jq -r '.targets[] | select(.target == "pacs") | .oldest' <<<"$(verb status --json)")" = \
		"${since:0:4}-${since:4:2}-${since:6:5}:${since:11:2}:${since:13:2}.000000Z" ]
}

@test "Is it well while it runs? Which connections are open? What changed in the configuration since?" {
	make_up 'target "pacs" { type = folder path = "pacs" }' 'rule "all" { match = "True" targets = { "pacs" } }'
	start_up
	wait_for listens "$PORT"
	is_well() { verb status >"$BATS_TEST_TMPDIR/said" 2>&1; }
	wait_for is_well
	run -0 verb status
	[[ ${lines[0]} == *": well" ]]
	[[ ${lines[1]} == "up "*"cleaner, dispatcher 2, receiver, router "*": since "* ]]
	[[ $output == *"receives   no connection is open"* ]]
	[[ $output == *"disk "*" free, "*"callers are refused"* ]]
	one_series some 1.2.3
	stay_connected "$BATS_TEST_TMPDIR"/some/*/*
	is_open() { verb status --json | jq -e '.connections | length == 1 and .[0].images == 2' >/dev/null; }
	wait_for is_open
	run -0 verb status
	[[ $output == *"CONNECTION OF "*"DCMSPOOL"* ]]
	stop "$pid_sender"
	# What changed in the configuration since it runs?
	sed -i 's/retention = [^ ]*/retention = 9d/; $a cleaner { retention = 9d }' "$CONF"
	COLUMNS=250 run -1 verb status
	[[ $output == *"differs from what runs"*"dcmspool reload"* ]]
	stop "$pid_up"
	run -2 verb status
	[[ ${lines[0]} == *": down; "* ]]
}

@test "Is anything wrong with this host?" {
	chmod o+rx "$SPOOL"
	run -1 verb doctor
	[[ $output == *"is open to all users"*"remedy:  chmod o-rwx it"* ]]
}

@test "Has everything that came yesterday become something?" {
	write complete "$(job_of 00000001 "$(noon_yesterday)")" '{images: "7"}'
	write routed "$(job_of 00000001 "$(noon_yesterday)")" '{targets: "pacs", images: "7"}'
	run -1 verb reconcile --day yesterday
	[[ $output == *"job $(job_of 00000001 "$(noon_yesterday)"), target pacs: "*"NOT balanced"* ]]
}

@test "The log goes on when the journal is put aside, cut off, damaged, and over midnight; without a journal it ends" {
	local day
	said() { grep -q "of: sent, $1 images" "$BATS_TEST_TMPDIR/log.log"; }
	put() { printf '{"time":"%s","event":"sent","job":"%s","target":"of","images":"%s"}\n' "${3:-$(date -u +%FT%T.%6NZ)}" "$(job_of 00000001)" "$1" >>"$2"; }
	make_router
	day=$SPOOL/journal/$(date -u +%F).jsonl
	put 1 "$day"
	start log "$BIN/dcmspool-log" -c "$CONF" -f since=today
	wait_for said 1
	mv "$day" "$BATS_TEST_TMPDIR/aside"
	put 2 "$day"
	wait_for said 2
	: >"$day" # as logrotate's copytruncate
	put 3 "$day"
	wait_for said 3
	head -c 5000 /dev/urandom | tr -d '\n' >>"$day"
	echo >>"$day"
	printf 'half a li' >>"$day"
	echo >>"$day" # as whoever writes next ends it
	put 4 "$day"
	wait_for said 4
	put 5 "$SPOOL/journal/$(date -u -d 'tomorrow' +%F).jsonl" "$(date -u -d tomorrow +%FT%T.000000Z)"
	wait_for said 5
	[ "$(grep -c 'of: sent, ' "$BATS_TEST_TMPDIR/log.log")" -eq 5 ]
	rm -r "$SPOOL/journal"
	wait_for ended "$pid_log"
	wait "$pid_log" && false || [ $? -eq 111 ]
	grep -q 'unable to read the journal: ' "$BATS_TEST_TMPDIR/log.log"
}
