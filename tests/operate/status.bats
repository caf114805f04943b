# status.bats: dcmspool status: is it well, what waits for a person, what comes, what goes.

load whole
load verbs
load tree
load status

export COLUMNS=250 # a path is as long as TMPDIR wants it

# line_of EVENT MOMENT JQ: a line of the journal, of a moment as date(1) takes it
line_of() {
	local time
	time=$(date -u -d "@$(date -d "$2" +%s)" +%FT%T)
	jq -nc --arg event "$1" --arg time "$time.000000Z" "{time: \$time, event: \$event} + $3" >>"$SPOOL/journal/${time%T*}.jsonl"
}

# waits TEXT REMEDY: exit 1, and the remedy stands below
waits() {
	COLUMNS=200 run -1 verb status
	echo "$output"
	# shellcheck disable=SC2053 # a pattern
	[[ $output == *"1 thing waits for a person"*"! "*$1*"    "*$2* ]]
}

@test "a healthy router with nothing to do: a short screen, exit 0" {
	make_up
	start_and_wait
	wait_for is_well
	run -0 verb status
	[ "${lines[0]}" = "dcmspool on $SPOOL: well" ]
	[[ ${lines[1]} == "up         cleaner, dispatcher 2, receiver, router 2: since "[0-2][0-9]:[0-5][0-9]:[0-5][0-9] ]]
	[ "${lines[2]}" = "receives   no connection is open" ]
	[ "${lines[3]}" = "targets    archive: up, nothing waits" ]
	[[ ${lines[4]} == "disk       "*" free, "*" % of the inodes; callers are refused"* ]]
	[ "${#lines[@]}" -le 6 ]
	json -e '.state == "well" and ([.services[] | .state == "up" and .ends == 0 and (.since | fromdate? // true)] | all)
		and (.services | length) == 6 and .problems == []'
}

@test "what waits for a person, one after the other: exit 1, each with the command that ends it" {
	local held
	make_up 'target "archive" { type = folder path = "archive" retry_max = 15m }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	start_and_wait
	wait_for is_well
	for held in archive all --receiver; do
		SUDO_USER=alice verb hold -r 'a move' "$held" >"$BATS_TEST_TMPDIR/held"
		waits "held (since "*" by alice: a move)" "dcmspool release $held"
		json -e '.targets[0].waiting == 0' # the file is no job
		verb release "$held"
		is_well
	done
	mkdir "$SPOOL/error/$(job_of 00000001).archive"
	waits "1 in error/ that a target did not take" "dcmspool show state=failed"
	mv "$SPOOL/error/$(job_of 00000001).archive" "$SPOOL/error/20261101T100000.000000Z.12"
	waits "1 in error/ that could not be read" "cat $SPOOL/error/*/reason.txt"
	rmdir "$SPOOL/error/20261101T100000.000000Z.12"
	mkdir -p "$SPOOL/outgoing/gone/$(job_of 00000001)"
	waits "no target gone in the configuration, and 1 wait" "dcmspool resend target=gone"
	rm -r "$SPOOL/outgoing/gone"
	echo "{\"until\": \"20991231T000000.000000Z\", \"since\": \"$(date -u -d '14 minutes ago' +%Y%m%dT%H%M%S).000000Z\",
		\"failures\": 3, \"reason\": \"Connection refused\"}" >"$SPOOL/outgoing/archive/paused.json"
	is_well # its longest pause is not over
	grep -q 'archive *paused until 2099-12-31 00:00: Connection refused' "$BATS_TEST_TMPDIR/said"
	sed -i 's/"since": "[^"]*"/"since": "20261101T050000.000000Z"/' "$SPOOL/outgoing/archive/paused.json"
	waits "target archive fails since 2026-11-01 "*", 3 times in a row: Connection refused" "dcmspool retry archive"
	rm "$SPOOL/outgoing/archive/paused.json"
	is_well
}

@test "a program that is stopped, down, unsupervised, or ends again and again is named; ends are counted" {
	make_up
	start_and_wait
	wait_for is_well
	s6-svc -d "$SPOOL/.service/router-2"
	s6-svwait -d "$SPOOL/.service/router-2"
	waits "router-2 is stopped since " "s6-svc -u $SPOOL/.service/router-2"
	[[ $output == *"router 1 of 2"*"router-2 ended 1 time, the last time at "*"(exit 0)"* ]]
	s6-svc -u "$SPOOL/.service/router-2"
	wait_for is_well
	[ "$(json '.services[] | select(.name == "router-2") | .ends')" = 1 ]
	signal_of_service KILL cleaner
	wait_for says 'cleaner ended 1 time, the last time at .* \(signal 9\)'
	wait_for is_well
	printf '1\n1\n1\n' >"$SPOOL/.service/cleaner/ended"
	waits "cleaner ends again and again" "the log of dcmspool up says why"
	rm "$SPOOL/.service/cleaner/ended"
	sed -i 's/^exec /exit 100; exec /' "$SPOOL/.service/cleaner/run"
	signal_of_service TERM cleaner
	wait_for down_100 cleaner
	waits "cleaner is down since "*"it exited 100" "then: s6-svc -u $SPOOL/.service/cleaner"
	sed -i 's/^exit 100; //' "$SPOOL/.service/cleaner/run"
	s6-svc -u "$SPOOL/.service/cleaner"
	wait_for is_well
	kill -KILL "$(awk '{ print $4 }' "/proc/$(s6-svstat -o pid "$SPOOL/.service/router-1")/stat")" # its supervisor
	wait_for says 'no supervisor|well' # s6-svscan starts another one at once
}

down_100() { [ "$(tail -n 1 "$SPOOL/.service/$1/ended" 2>/dev/null)" = 100 ] && [ "$(s6-svstat -o up "$SPOOL/.service/$1")" = false ]; }
@test "a configuration that differs, has mistakes, or is not taken by all yet" {
	make_up
	start_and_wait
	wait_for is_well
	sed -i 's/association_grace = [^ ]*/association_grace = 7s/' "$CONF"
	waits "$CONF differs from what runs" "dcmspool reload"
	"$BIN/dcmspool" reload -c "$CONF"
	is_well
	echo 'rule "x" {' >>"$CONF"
	run -1 verb status
	[[ $output == *"$CONF has mistakes"*"dcmspool check -c $CONF"* ]]
	sed -i '$d' "$CONF"
	is_well
	cp "$SPOOL/.service/dcmspool.conf" "$SPOOL/.service/.new.dcmspool.conf"
	mv "$SPOOL/.service/.new.dcmspool.conf" "$SPOOL/.service/dcmspool.conf" # what programs have open is another
	is_well
	[ "$(grep -c 'it has the configuration of before' "$BATS_TEST_TMPDIR/said")" -ge 1 ]
	json -e '[.services[] | .configuration_of_before] | all'
	touch "$SPOOL/.service/.before.dcmspool.conf"
	waits "a reload was ended before all programs had taken" "dcmspool reload"
	(cd "$SPOOL" && run -1 "$BIN/dcmspool-status") # finds the copy, and by that the file
}

@test "everything is down: exit 2; the tree and the journal tell the rest" {
	export TZ=UTC
	make_router
	lay 00000001 outgoing/archive/J at=20261101T080000
	lay 00000002 outgoing/archive/J,error/J.old at=20261102T080000
	lay 00000003 sending/archive/J
	lay 00000004 success/J.archive
	lay 00000005 discard/J
	lay 00000006 incoming/1.2.6 images=3
	touch "$SPOOL/incoming/dropped"
	run -2 verb status
	[ "${lines[0]}" = "dcmspool on $SPOOL: down; 2 things wait for a person" ]
	[[ $output == *"! no router runs on $SPOOL: nothing is received, routed or sent"*"dcmspool up -c $CONF"* ]]
	[[ $output == *"collects   1 series of 3 images so far, 1 dropped by hand"* ]]
	[[ $output =~ archive\ +up\ +2\ +[0-9]+\ d\ +1\ +- ]]
	[[ $output == *"keeps      1 sent, 1 discarded: deleted after 3d"* ]]
	json -e '.state == "down" and .at_rest == {success: 1, discard: 1, failed: 1, quarantined: 0} and
		.targets == [{target: "archive", configured: true, waiting: 2, oldest: "2026-11-01T08:00:00.000000Z",
		sending: 1, sent_series: 0, sent_images: 0}]'
}

@test "all of it was killed: what s6 has written last does not count as alive, a connection that was open neither" {
	make_up
	start_and_wait
	wait_for is_well
	one_series some 1.2.3
	stay_connected "$BATS_TEST_TMPDIR"/some/*/*
	wait_for has_open 2
	json -e '.connections[0].alive'
	kill_processes
	wait_for no_processes
	[ -s "$SPOOL/.service/receiver/supervise/status" ]
	run -2 verb status
	[[ ${lines[0]} == *": down; 1 thing waits for a person" ]]
	json -e '([.services[] | .state == "unsupervised"] | all) and (.connections[0].alive | not)'
}

@test "a connection that is open: who, from where, since when, how many images; and one that a kill has left" {
	make_router
	start_all
	one_series some 1.2.3
	stay_connected "$BATS_TEST_TMPDIR"/some/*/*
	wait_for has_open 2
	json -e '.connections | length == 1 and (.[0] | .peer == "127.0.0.1" and .called_aet == "DCMSPOOL" and .alive and
		(.since | length) == 27)'
	COLUMNS=80 run -2 verb status
	[[ $output == *"CONNECTION OF "*"FROM "*"SINCE "*"IMAGES"* ]]
	[[ $output =~ 127.0.0.1\ +DCMSPOOL\ +[0-9:]+\ +2\ +[0-9.]+ ]]
	mkdir "$SPOOL/receiving/20261101T100000.000000Z.1"
	json -e '[.connections[] | .alive] == [false, true]'
}

has_open() { [ "$(json '.connections[0].images')" = "$1" ]; }

@test "who was refused today, by reason; what went wrong today; what came and was sent of late" {
	local n
	make_router 'target "pacs" { type = folder path = "pacs" }' 'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "pacs" } }'
	export TZ=UTC-3 # the day begins three hours before that of the journal
	line_of association-refused 'today 0:00 1 second ago' '{reason: "reception is held", peer: "10.0.0.1"}'
	for n in 1 2 3; do line_of association-refused now "{reason: \"reception is held\", peer: \"10.0.0.$n\"}"; done
	line_of association-refused now '{reason: "address not in receiver.allow", peer: "10.0.0.9"}'
	line_of failed 'today 0:00 1 second ago' '{job: "J", target: "pacs", images: "7"}'
	for n in 1 2 3 4; do line_of failed now "{job: \"J$n\", target: \"pacs\", images: \"$n\"}"; done
	line_of sent '11 minutes ago' '{job: "J5", target: "pacs", images: "100"}'
	line_of sent '1 minute ago' '{job: "J6", target: "pacs", images: "5"}'
	line_of sent '1 minute ago' '{job: "J7", target: "pacs", images: "6"}'
	line_of complete '11 minutes ago' '{job: "J8", images: "100"}'
	line_of complete '1 minute ago' '{job: "J9", images: "8"}'
	COLUMNS=120 run -2 verb status
	[[ $output == *"refused    3 today: reception is held; the last 10.0.0.3 at "*"1 today: address not in receiver.allow"* ]]
	[[ $output == *"pacs: failed, 4 images"*": J4"*": J3"*": J2"*"4 in all today: dcmspool log since=today"* ]]
	[[ $output != *": J1"* ]]
	[[ $output =~ pacs\ +up\ +0\ +0\ +2\ series,\ 11\ img ]]
	[[ $output == *"targets    archive: up, nothing waits"* && $output == *"came       1 series, 8 images in the last 10 minutes"* ]]
	json -e '.came == {seconds: 600, series: 1, images: 8} and .errors.today == 4 and
		[.refused_today[] | .count] == [3, 1]'
	for n in {1..20}; do line_of association-refused now "{reason: \"$n\", peer: \"10.0.0.9\"}"; done
	json -e '(.refused_today | length) == 12 and (.refused_today[-1] | .reason == "other reasons" and .count == 11) and
		([.refused_today[] | .count] | add) == 24'
}

@test "the disk: less than min_free is told, and when that is to come" {
	make_router
	sed -i 's/min_free = 1 /min_free = 1000000 /' "$CONF"
	COLUMNS=200 run -2 verb status
	[[ $output == *"callers are refused: "*" are free, less than receiver.min_free, 1000000 MB"*"make room"* ]]
	sed -i 's/min_free = 1000000 /min_free = 1 /' "$CONF"
	lay 00000001 success/J.archive images=1
	truncate -s 1G "$SPOOL/success/$(job_of 00000001).archive/1.9.1.1.dcm"
	line_of complete '1 minute ago' '{job: "J", images: "600"}' # one a second
	json -e '.disk | (.bytes_a_second / 1073741824 * 100 | round) == 100 and .refuses_below_bytes == 1048576 and
		(.refuses_at | length) == 27'
	COLUMNS=200 run -2 verb status
	[[ $(tr -s ' \n' ' ' <<<"$output") == *", in about "*" at the present rate if nothing is deleted"* ]]
}

@test "hostile names and reasons command no terminal; no line is wider than it; colours on a terminal only" {
	local width esc=$'\e' said
	make_router
	export LC_ALL=C.UTF-8 TERM=xterm
	mkdir "$SPOOL/receiving/20261101T100000.000000Z.1"
	echo '{"peer": "10.0.0.1", "calling_aet": "EV\u001b[2J\u0007IL\n", "called_aet": "\u009b31m\u202e"}' \
		>"$SPOOL/receiving/20261101T100000.000000Z.1/association.json"
	printf 'since \033[31m\r by \x07' >"$SPOOL/outgoing/held"
	mkdir -p "$SPOOL/outgoing/archive"
	echo '{"until": "x", "since": "\u001b[1m", "failures": 3, "reason": "a\u001b]0;title\u0007 b\u009bc"}' >"$SPOOL/outgoing/archive/paused.json"
	line_of association-refused now '{reason: "x\u001by", peer: "\u009b"}'
	line_of failed now '{job: "J\u001b[1m", target: "\u001b[1m", images: "\u0007"}'
	for width in 64 80 120; do
		COLUMNS=$width run -2 verb status
		printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/$width"
		# but the first line, and what is to be typed
		[ "$(tail -n +2 "$BATS_TEST_TMPDIR/$width" | grep -v '^    [^ ]' | wc -L)" -le "$width" ]
	done
	json . >"$BATS_TEST_TMPDIR/pretty"
	LC_ALL=C run -1 grep -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$BATS_TEST_TMPDIR"/{64,80,120}
	LC_ALL=C run -1 grep -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$BATS_TEST_TMPDIR/json"
	grep -qF 'EV\x1b[2J\x07IL\n' "$BATS_TEST_TMPDIR/120"
	said=$(script -qec "$BIN/dcmspool-status -c $CONF" /dev/null || true)
	[[ $said == *"$esc[31mdown$esc[0m"* ]]
	said=$(NO_COLOR=1 script -qec "$BIN/dcmspool-status -c $CONF" /dev/null || true)
	[[ $said == *"down"* && $said != *"$esc"* ]]
}

@test "10,000 jobs wait, and the journal of the day is long: less than a second of processor time" {
	local took TIMEFORMAT='%U %S'
	make_router
	lay 00000000 outgoing/archive/J
	/usr/bin/python3 - "$SPOOL" "$(job_of 00000000)" <<-'END'
		import os, sys, time
		os.chdir(sys.argv[1])
		for i in range(1, 10000):
		    os.mkdir("outgoing/archive/%s%08x" % (sys.argv[2][:-8], i))
		day = time.gmtime()[:3]
		with open("journal/%04d-%02d-%02d.jsonl" % day, "w") as file:
		    now = time.time()
		    for i in range(100000):
		        at = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(min(now, now - now % 86400 + i)))
		        file.write('{"time":"%s","event":"retried","job":"J","target":"archive","reason":"%s"}\n' % (at, "x" * 100))
	END
	took=$({ time verb status >"$BATS_TEST_TMPDIR/said" 2>&1 || true; } 2>&1)
	echo "$took"
	grep -qE 'archive +up +10000 ' "$BATS_TEST_TMPDIR/said"
	awk '{ exit $1 + $2 >= 1 }' <<<"$took"
}

@test "the spool of another user: whoever may read it sees all, processes too; who may not is told whom to be" {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to be another user"
	local as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	make_up
	start_and_wait
	wait_for is_well
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
	chmod o+r "$CONF"
	"${as[@]}" test -x "$BIN/dcmspool-status" || skip "another user may not read the programs"
	run -100 "${as[@]}" "$BIN/dcmspool-status" -c "$CONF"
	[[ $output == *"it belongs to "*"be that user: sudo -u"* ]]
	chmod -R o+rX "$SPOOL"/[a-z]*
	chmod o+rX "$SPOOL"{,/.format,/.service,/.service/*} # not what s6 makes in there: that is so already
	run -0 "${as[@]}" "$BIN/dcmspool-status" -c "$CONF"
	[[ $output == *": well"*"up         cleaner, dispatcher 2, receiver, router 2: since "* ]]
	chmod o-rx "$SPOOL/outgoing/archive"
	run -111 --separate-stderr "${as[@]}" "$BIN/dcmspool-status" -c "$CONF"
	# shellcheck disable=SC2154 # bats' own
	[[ $stderr == *"unable to list outgoing/archive: Permission denied; what lies there is missing here"* ]]
	chmod o+rx "$SPOOL/outgoing/archive"
	chmod o-rx "$SPOOL/.service/router-1/supervise"
	run -1 "${as[@]}" "$BIN/dcmspool-status" -c "$CONF"
	[[ $output == *"whether router-1 is up cannot be seen"*"be the user who runs dcmspool"* ]]
	chmod o-r "$CONF"
	run -1 "${as[@]}" "$BIN/dcmspool-status" -c "$SPOOL/.service/dcmspool.conf"
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"whether $CONF is what runs cannot be seen: Permission denied"* ]]
}

@test "a spool that is being written to: nothing is said of what moves on, and every answer is whole" {
	local n=0
	make_router
	for n in {1..20}; do lay "$(printf %08x "$n")" outgoing/archive/J,incoming/1.2."$n"; done
	mkdir -p "$SPOOL/sending/archive"
	start mover /usr/bin/python3 -c '
import os, sys, time
os.chdir(sys.argv[1])
jobs = os.listdir("outgoing/archive")
for way in [("outgoing/archive/%s", "sending/archive/%s"), ("sending/archive/%s", "outgoing/archive/%s")] * 4:
    for i, job in enumerate(jobs):
        os.rename(way[0] % job, way[1] % job)
        os.mkdir("receiving/20261101T100000.000000Z.%d" % i)
        os.rmdir("receiving/20261101T100000.000000Z.%d" % i)
        time.sleep(0.005)' "$SPOOL"
	n=0
	while kill -0 "$pid_mover" 2>/dev/null; do
		verb status --json >"$BATS_TEST_TMPDIR/found" 2>"$BATS_TEST_TMPDIR/said" || [ $? -eq 2 ]
		[ ! -s "$BATS_TEST_TMPDIR/said" ]
		jq -e '.collecting.series == 20' "$BATS_TEST_TMPDIR/found"
		n=$((n + 1))
	done
	[ "$n" -ge 3 ]
}

@test "wrong usage; no spool; a configuration that cannot be used" {
	make_router
	run -100 verb status archive
	[[ $output == *"there is nothing to be named: archive"*"usage: dcmspool-status"* ]]
	run -100 verb status --jsno
	[[ $output == *"did you mean --json?"* ]]
	echo 'rule "x" {' >>"$CONF"
	run -100 verb status
	[[ $output == *"unable to use configuration $CONF: mistakes above; correct them"* ]]
	sed -i '$d' "$CONF"
	rm -r "$SPOOL"
	run -100 verb status
	[[ $output == *"unable to enter the spool $SPOOL"* ]]
}
