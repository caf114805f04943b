# dispatch.bats: dispatchers and a DICOM target that plays every fault: for each, what the ledger says, what is
# tried again, and how it ends.

load ../helper
load ../router
load dispatch

teardown() {
	stop_all
	show_state
}

# make_target SETTING...: a router for one DICOM target on $TARGET_PORT
make_target() {
	TARGET_PORT=$(free_port)
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $TARGET_PORT aec = \"PACS\"
		timeout = 3s retry_min = 100ms retry_max = 200ms image_retries = 3 $* }" \
		'rule "all" { match = "True" targets = { "pacs" } }'
}

# target ANSWER...: fakescp.py's; its log has a line for each image it was sent
target() {
	start target python3 "$TOP/tests/tools/fakescp.py" "$TARGET_PORT" "$@"
	wait_for listens "$TARGET_PORT"
}

requests() { grep -c "^$1 " "$BATS_TEST_TMPDIR/target.log"; }

@test "chosen images are refused: only these are tried again, and then given up with the meaning in words" {
	make_target
	images 5
	target "${uid[1]}=a700" "${uid[3]}=0110,0110,0000"
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for sent_and_given_up 1 1
	[ "$(ledger "${uid[1]}")" = "$(printf 'failed A700 %d\n' 1 2 3)" ]
	[ "$(ledger "${uid[3]}")" = "$(printf '%s\n' 'failed 0110 1' 'failed 0110 2' 'stored 0000 3')" ]
	[ "$(requests "${uid[0]}")" -eq 1 ] # what was stored is not sent again
	[ "$(requests "${uid[1]}")" -eq 3 ]
	[ "$(images_in "$SPOOL/error")" -eq 1 ]
	[ "$(images_in "$SPOOL/success")" -eq 4 ]
	grep -qi "${uid[1]}.dcm: A700 .*resources" "$SPOOL"/error/*/reason.txt
	grep -q '1 of 5 images, each tried at most 3 times; these lie here:$' "$SPOOL"/error/*/reason.txt
	grep -qxF 'To send them to pacs again: move this directory to outgoing/pacs/ (mv).' "$SPOOL"/error/*/reason.txt
	cmp "$SPOOL"/error/*/sent.log "$SPOOL"/success/*/sent.log
	[ ! "$SPOOL/error/$(the_job error)/sent.log" -ef "$SPOOL/success/$(the_job success)/sent.log" ]
}

@test "warnings are stored" {
	make_target
	images 3
	target "${uid[0]}=b000" "${uid[1]}=b006" "${uid[2]}=b007"
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	[ "$(cut -f 3,4 "$SPOOL"/success/*/sent.log | sort | tr '\t\n' '  ')" = "stored B000 stored B006 stored B007 " ]
}

@test "an abort in the middle: what was answered stays answered, the rest goes later, at no image's cost" {
	make_target
	images 5
	target 0000 0000 abort abort abort 0000
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	[ "$(cut -f 3 "$SPOOL"/success/*/sent.log | grep -v doubt | uniq -c | tr -s ' ')" = " 5 stored" ]
	[ "$(requests "${uid[0]}")" -eq 1 ]
	[ "$(requests "${uid[1]}")" -eq 1 ]
}

@test "one image at which the target always aborts does not hold back the others, nor itself for ever" {
	make_target
	images 4
	target "${uid[2]}=abort"
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs error 1
	[ "$(cut -f 3 "$SPOOL"/error/*/sent.log | grep -c stored)" -eq 3 ]
	run grep "target failed, paused" "$BATS_TEST_TMPDIR/dispatcher1.log"
	[ "$status" -eq 1 ] # it answers a C-ECHO, and took the others
	grep -q "^${uid[2]}.dcm: " "$SPOOL"/error/*/reason.txt
}

@test "a dead target costs a job of one image nothing, however often an operator removes paused.json" {
	make_target
	images 1
	start_all
	send "$BATS_TEST_TMPDIR/study"
	for n in 1 2 3 4 5 6; do
		wait_for eval '[ "$(journal retried | wc -l)" -ge '"$n"' ]'
		rm -f "$SPOOL/outgoing/pacs/paused.json"
	done
	waits() { has_jobs outgoing/pacs 1 || has_jobs sending/pacs 1; }
	wait_for waits # it may go from one to the other between the two looks
	has_jobs error 0
	target 0000
	wait_for has_jobs success 1
	[ "$(cut -f3 "$SPOOL"/success/*/sent.log)" = stored ]
}

@test "a target that hangs: the images are in doubt, and later all go" {
	make_target
	images 2
	target hang hang 0000
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	[ "$(cut -f 3 "$SPOOL"/success/*/sent.log | grep -c doubt)" -eq 2 ]
	[ "$(cut -f 3 "$SPOOL"/success/*/sent.log | grep -c stored)" -eq 2 ]
}

@test "a slow target is waited for" {
	make_target
	images 2
	target slow
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	[ -z "$(journal retried)" ]
}

@test "a target that lies about the message, or gives no status, has stored nothing" {
	make_target
	images 2
	target wrongid nostatus 0000
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	[ "$(requests "${uid[0]}")" -ge 2 ]
	[ "$(tail -n 2 "$BATS_TEST_TMPDIR/target.log" | cut -d' ' -f2 | sort -u)" = 0000 ]
}

@test "a dead target is asked by C-ECHO before the next job" {
	make_target
	images 2
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for eval '[ "$(jq .failures "$SPOOL/outgoing/pacs/paused.json")" -ge 3 ]'
	start target storescp -v -d -od "$BATS_TEST_TMPDIR" --ignore "$TARGET_PORT"
	wait_for has_jobs success 1
	echo_at=$(grep -n -m 1 'C-ECHO RQ' "$BATS_TEST_TMPDIR/target.log" | cut -d: -f1)
	store_at=$(grep -n -m 1 'C-STORE RQ' "$BATS_TEST_TMPDIR/target.log" | cut -d: -f1)
	[ "$echo_at" -lt "$store_at" ]
	[ ! -e "$SPOOL/outgoing/pacs/paused.json" ]
}

@test "a job that had come to rest, moved into its queue again, is sent again under its own name" {
	make_target
	images 3
	target 0000 0000 0000 0110
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	name=$(the_job success)
	touch "$SPOOL/success/$name/"{reason.txt,cancelled,retry.json}
	mv "$SPOOL/success/$name" "$SPOOL/outgoing/pacs/"
	wait_for has_jobs error 1
	# All were sent once more, and refused three times now: what was stored before counts for nothing.
	[ "$(requests "${uid[0]}")" -eq 4 ]
	[ "$(the_job error)" = "$name" ]
	[ "$(cut -f 3 "$SPOOL/error/$name/sent.log" | uniq -c | tr -s ' \n' ' ')" = " 3 stored 1 again 9 failed " ]
	stop "$pid_target"
	target 0000
	mv "$SPOOL/error/$name" "$SPOOL/outgoing/pacs/"
	wait_for has_jobs success 1
	[ "$(the_job success)" = "$name" ]
	[ ! -e "$SPOOL/success/$name/reason.txt" ]
	[ ! -e "$SPOOL/success/$name/cancelled" ]
	[ "$(requests "${uid[0]}")" -eq 1 ]
	# Under its own name it was sent already.
	mv "$SPOOL/success/$name" "$SPOOL/outgoing/pacs/${name%.pacs}"
	wait_for eval '[ "$(journal sent | wc -l)" -eq 3 ]'
	[ "$(requests "${uid[0]}")" -eq 1 ]
}

@test "a directory that is copied into a queue, slowly: what comes after the claim is sent, too" {
	make_target
	images 3
	target 0000 delay=0.5
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	mkdir "$BATS_TEST_TMPDIR/by-hand"
	cp "$SPOOL"/success/*/{series.json,"${uid[0]}.dcm"} "$BATS_TEST_TMPDIR/by-hand/"
	mv "$BATS_TEST_TMPDIR/by-hand" "$SPOOL/outgoing/pacs/"
	wait_for [ -e "$SPOOL/sending/pacs/by-hand/sent.log" ]
	cp "$SPOOL"/success/*/"${uid[1]}.dcm" "$SPOOL/sending/pacs/by-hand/"
	wait_for has_jobs success 2
	[ "$(requests "${uid[0]}")" -eq 2 ]
	[ "$(requests "${uid[1]}")" -eq 2 ]
	# under the name of one that had come to rest: it is left alone until nobody has written to it for a while
	stop "$pid_dispatcher1"
	name=$(basename "$SPOOL"/success/2*)
	cp -r "$SPOOL/success/$name" "$SPOOL/outgoing/pacs/"
	rm "$SPOOL/outgoing/pacs/$name/${uid[2]}.dcm"
	sed -i 's/association_grace = [^ ]*/association_grace = 3s/' "$CONF"
	start_dispatchers 1
	wait_for grep -q ready "$BATS_TEST_TMPDIR/dispatcher1.log"
	cp "$SPOOL/success/$name/${uid[2]}.dcm" "$SPOOL/outgoing/pacs/$name/"
	wait_for eval '[ "$(journal sent | wc -l)" -eq 3 ]'
	[ "$(journal sent | jq -r .images | tail -n 1)" -eq 3 ]
}

@test "an image that lies in error/ of the same name, too, is sent all the same when it was not given up now" {
	make_target
	images 2
	target 0000
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	name=$(the_job success)
	mkdir "$SPOOL/error/$name" # of another target's job once, whose images are links of these
	ln "$SPOOL/success/$name/${uid[1]}.dcm" "$SPOOL/error/$name/"
	mv "$SPOOL/success/$name" "$SPOOL/outgoing/pacs/"
	wait_for eval '[ "$(journal sent | wc -l)" -eq 2 ]'
	[ "$(requests "${uid[1]}")" -eq 2 ]
	[ "$(images_in "$SPOOL/success")" -eq 2 ]
}

@test "at rest: the journal has the line, and .told says so; what a killed writer left is gone, and an old reason" {
	make_target
	images 2
	target "${uid[1]}=0110"
	ROUTERS=1 DISPATCHERS=0
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs outgoing/pacs 1
	touch "$SPOOL/outgoing/pacs/$(the_job outgoing/pacs)/"{reason.txt,.new.retry.json,.told} "$SPOOL/outgoing/pacs/.new.paused.json"
	start_dispatchers 1
	wait_for sent_and_given_up 1 1
	wait_for eval '[ "$(find "$SPOOL"/success "$SPOOL"/error -name .told | wc -l)" -eq 2 ]'
	[ "$(journal sent | wc -l)" -eq 1 ]
	[ "$(journal failed | wc -l)" -eq 1 ]
	[ ! -e "$SPOOL"/success/*/reason.txt ]
	[ -z "$(find "$SPOOL" -name '.new.*')" ]
	# A journal that cannot be written tells nothing.
	rm "$SPOOL"/journal/* && mkdir "$SPOOL/journal/$(date -u +%F).jsonl"
	mv "$SPOOL"/error/* "$SPOOL/outgoing/pacs/"
	wait_for has_jobs error 1
	[ ! -e "$SPOOL"/error/*/.told ]
}

@test "a dispatcher that was killed after the move to error/ and before its line: the next one writes it, again" {
	make_target
	images 3
	target 0000 "${uid[1]}=a900"
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for sent_and_given_up 1 1
	wait_for eval 'ls "$SPOOL"/error/*/.told "$SPOOL"/success/*/.told'
	stop "$pid_dispatcher1"
	rm "$SPOOL"/error/*/.told
	start_dispatchers 1
	wait_for eval 'ls "$SPOOL"/error/*/.told'
	[ "$(journal failed | wc -l)" -eq 2 ]
	[ "$(journal failed | jq -r '[.images, .again] | join(" ")' | tail -n 1)" = '1 true' ]
	# the same, while what is left of the job is in sending/ still: a dispatcher that runs takes it over
	rm "$SPOOL"/error/*/.told
	job=$(the_job success)
	ln "$SPOOL"/error/*/*.dcm "$SPOOL/success/$job/"
	mv "$SPOOL/success/$job" "$SPOOL/sending/pacs/${job%.pacs}"
	wait_for sent_and_given_up 1 1
	wait_for eval 'ls "$SPOOL"/error/*/.told'
	[ "$(journal failed | wc -l)" -eq 3 ]
	[ "$(images_in "$SPOOL/success")" -eq 2 ]
}

@test "what lies below outgoing/ and is no job, or in no queue, is told once, at the start and later" {
	make_target
	mkdir -p "$SPOOL"/outgoing/{typo,gone/20260101T000000.000000Z.00000001.00000001,pacs}
	touch "$SPOOL"/outgoing/typo/{1,2}.dcm "$SPOOL/outgoing/pacs/loose.dcm"
	start_dispatchers 1
	log=$BATS_TEST_TMPDIR/dispatcher1.log
	wait_for grep -q "outgoing/gone holds 1 jobs, but $CONF has no such target; configure it" "$log"
	wait_for grep -q "outgoing/typo holds 2 images, but is no queue: .*; move it to incoming/" "$log"
	wait_for grep -q "outgoing/pacs/loose.dcm is no job, but a file, and is not sent" "$log"
	mv "$SPOOL/outgoing/pacs/loose.dcm" "$SPOOL/outgoing/pacs/other.dcm"
	wait_for grep -q "outgoing/pacs/other.dcm is no job" "$log"
	cp -r "$SPOOL/outgoing/typo" "$BATS_TEST_TMPDIR/late"
	mv "$BATS_TEST_TMPDIR/late" "$SPOOL/outgoing/"
	wait_for grep -q "outgoing/late holds 2 images" "$log"
	[ "$(grep -c warning "$log")" -eq 5 ]
}

@test "a job without images goes to error/, and the journal has it when it is there" {
	make_target
	start_all
	mkdir -p "$SPOOL/outgoing/pacs"
	stop "$pid_dispatcher1"
	mkdir "$SPOOL/outgoing/pacs/by-hand"
	start victim strace -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=SIGKILL:when=2 \
		"$BIN/dcmspool-dispatcher" -c "$CONF"
	wait "$pid_victim" || true
	has_jobs sending/pacs 1
	[ -z "$(journal failed)" ]
	start again "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for has_jobs error 1
	wait_for eval '[ "$(journal failed | wc -l)" -eq 1 ]'
}

@test "a directory that is being made in a queue by hand waits until it is quiet, and is sent whole" {
	GRACE=1h TIMEOUT=1h make_router
	start_dispatchers 1
	wait_for [ -d "$SPOOL/outgoing/archive" ]
	one_series study 1.2.3
	mkdir "$SPOOL/outgoing/archive/by-hand" "$BATS_TEST_TMPDIR/20260101T000000.000001Z.00000001.00000001"
	cp -r "$BATS_TEST_TMPDIR"/study/*/IM00001.dcm "$BATS_TEST_TMPDIR"/2026*/
	mv "$BATS_TEST_TMPDIR"/2026* "$SPOOL/outgoing/archive/"
	wait_for has_jobs success 1 # it has seen the other one as well
	cp "$BATS_TEST_TMPDIR"/study/*/*.dcm "$SPOOL/outgoing/archive/by-hand/"
	stop "$pid_dispatcher1"
	has_jobs error 0
	sed -i "s/association_grace = 1h/association_grace = 0ms/" "$CONF"
	start_dispatchers 1
	wait_for has_jobs success 2
	has_images "$SPOOL/success/by-hand.archive" 2
}

# series_at_target: "study series" in the order in which the target was first sent an image of each
series_at_target() {
	awk 'NR == FNR { of[$4] = $2 " " $3; next }
		($1 in of) && !seen[of[$1]]++ { print of[$1] }' "$BATS_TEST_TMPDIR/made" "$BATS_TEST_TMPDIR/target.log"
}

@test "ten studies of five series, four connections, two routers, four dispatchers, every seventh image refused at first" {
	make_target max_connections = 4
	ROUTERS=2 DISPATCHERS=4
	: >"$BATS_TEST_TMPDIR/made"
	for n in {1..10}; do
		"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/s$n" -v -s 5 -n 4 -r 16 -c 16 -S "$n" >>"$BATS_TEST_TMPDIR/made"
	done
	mapfile -t refused < <(awk 'NR % 7 == 0 { print $4 "=a700,0000" }' "$BATS_TEST_TMPDIR/made")
	target 0000 "${refused[@]}"
	start_all
	# Each study comes over four connections at once, a part of each series over each of them.
	for n in {1..10}; do
		for c in 1 2 3 4; do
			mapfile -t part < <(find "$BATS_TEST_TMPDIR/s$n" -name "IM*$c.dcm" | sort)
			[ "${#part[@]}" -eq 5 ]
			start "sender$n$c" env TCP_NODELAY=1 dcmsend -aec DCMSPOOL 127.0.0.1 "$PORT" "${part[@]}"
		done
		for c in 1 2 3 4; do pid=pid_sender$n$c && wait "${!pid}"; done
	done
	wait_for has_at_rest_jobs
	# Each image was stored, and none was sent again that was answered with success.
	awk '$2 == "0000" { print $1 }' "$BATS_TEST_TMPDIR/target.log" | sort >"$BATS_TEST_TMPDIR/stored"
	diff <(cut -f4 "$BATS_TEST_TMPDIR/made" | sort) "$BATS_TEST_TMPDIR/stored"
	[ "$(grep -c a700 "$BATS_TEST_TMPDIR/target.log")" -eq "${#refused[@]}" ]
	# Order of arrival is that of the first image of each series: the time in the name of its job.
	for job in "$SPOOL"/success/*; do
		basename "$job" | tr '\n' ' '
		jq -r '.tags.StudyInstanceUID + " " + .tags.SeriesInstanceUID' "$job/series.json"
	done | sort | awk '!seen[$3]++ { print $2 " " $3 }' >"$BATS_TEST_TMPDIR/arrived"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arrived")" -eq 50 ]
	# Within each study the same order (sort is stable).
	diff <(sort -s -k 1,1 "$BATS_TEST_TMPDIR/arrived") <(series_at_target | sort -s -k 1,1)
}
has_at_rest_jobs() {
	[ -z "$(find "$SPOOL"/receiving "$SPOOL"/incoming "$SPOOL"/routing "$SPOOL"/outgoing/*/ "$SPOOL"/sending/*/ -mindepth 1 -maxdepth 1 -type d)" ] &&
		[ "$(images_in "$SPOOL/success")" -eq 200 ]
}

@test "dispatchers and senders are killed at random: no image missing, none sent to error, no job stuck" {
	make_target max_connections = 3
	DISPATCHERS=3
	: >"$BATS_TEST_TMPDIR/made"
	for n in {1..6}; do
		"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/s$n" -v -s 2 -n 20 -r 64 -c 64 -S "$n" >>"$BATS_TEST_TMPDIR/made"
	done
	target 0000 delay=0.02
	start_all
	for n in {1..6}; do send "$BATS_TEST_TMPDIR/s$n"; done
	kills=0
	while [ "$kills" -lt 15 ] && ! all_sent; do
		for i in 1 2 3; do
			pid=pid_dispatcher$i
			kill -0 "${!pid}" 2>/dev/null || start "dispatcher$i" "$BIN/dcmspool-dispatcher" -c "$CONF"
		done
		mapfile -t victims < <(
			pgrep -f "^$BIN/dcmspool-dispatcher -c $CONF"
			for pid in $(pgrep -f "^$BIN/send-dicom"); do # of this test
				grep -qsz "^TARGET_PORT=$TARGET_PORT\$" "/proc/$pid/environ" && echo "$pid"
			done
		)
		[ "${#victims[@]}" -eq 0 ] || { kill -KILL "${victims[RANDOM % ${#victims[@]}]}" && kills=$((kills + 1)); } || true
		read -r -t "0.$((RANDOM % 3))1" <> <(:) || true
	done
	start last "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for all_sent
	[ "$kills" -ge 3 ]
	has_jobs error 0
	diff <(cut -f4 "$BATS_TEST_TMPDIR/made" | sort) <(cut -d' ' -f1 "$BATS_TEST_TMPDIR/target.log" | sort -u)
	[ -z "$(find "$SPOOL"/success -name .failed)" ]
}
all_sent() {
	[ "$(images_in "$SPOOL/success")" -eq 240 ] && has_jobs outgoing/pacs 0 && has_jobs sending/pacs 0
}
