# report.bats: what came, and how fast it was sent, as the journal tells it.

load whole
load verbs

setup() {
	export TZ=UTC
	make_router 'target "pacs" { type = folder path = "pacs" }' 'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "pacs" } }'
	YESTERDAY=$(date -u -d yesterday +%F)
}

# said TIME EVENT KEY=VALUE...: a line of the journal of yesterday
said() {
	local time=$1 event=$2 pair keys=''
	shift 2
	for pair; do keys+=", \"${pair%%=*}\": \"${pair#*=}\""; done
	echo "{\"time\": \"${YESTERDAY}T$time.000000Z\", \"event\": \"$event\"$keys}" >>"$SPOOL/journal/$YESTERDAY.jsonl"
}
stamp() { echo "${YESTERDAY//-/}T${1//:/}.000000Z"; }
# series N TIME AET IMAGES: it came over a connection of its own
series() {
	said "$2" association-opened association="a$1" calling_aet="$3" peer=10.0.0.1
	said "$2" association-ended association="a$1" how=clean duplicates=1 quarantined=0
	said "$2" complete job="$(job "$1")" images="$4" bytes=$(($4 * 1000)) associations="a$1=$4" last="$(stamp "$2")"
	said "$2" routed job="$(job "$1")" targets=pacs,archive
}
job() { printf '%s.0000beef.%08x' "$(stamp 07:00:00)" "$1"; }
report() { verb report --day yesterday "$@"; }

# a_day: from two senders; one series fails at the archive, one waits for it
a_day() {
	series 1 08:00:00 CT1 10
	said 08:00:02 sent job="$(job 1)" target=pacs images=10
	said 08:00:10 sent job="$(job 1)" target=archive images=10
	series 2 09:00:00 CT1 20
	said 09:00:04 sent job="$(job 2)" target=pacs images=20
	said 09:00:04 retried job="$(job 2)" target=archive reason=down
	said 09:01:40 sent job="$(job 2)" target=archive images=5
	said 09:01:40 failed job="$(job 2)" target=archive images=15
	series 3 10:00:00 MR1 30
	said 10:00:06 sent job="$(job 3)" target=pacs images=30
	said 11:00:00 association-refused peer=10.9.9.9 calling_aet=WHO reason='nobody knows it'
	said 11:00:01 association-refused peer=10.9.9.9 calling_aet=WHO reason='nobody knows it'
}

@test "report: numbers and times by sender and by target" {
	a_day
	report --json >"$BATS_TEST_TMPDIR/all"
	jq . "$BATS_TEST_TMPDIR/all"
	jq -e '.images == 60 and .series == 3 and .bytes == 60000 and .failed == 1 and .times == 2 and .connections == 3' "$BATS_TEST_TMPDIR/all"
	jq -e '.median_s == 6 and .worst_s == 100' "$BATS_TEST_TMPDIR/all"
	jq -e '.senders | length == 2 and .[0].sender == "CT1" and .[0].images == 30 and .[0].duplicates == 2 and
		.[0].median_s == 4 and .[0].worst_s == 100 and .[0].failed == 1 and .[1].series == 1' "$BATS_TEST_TMPDIR/all"
	jq -e --arg job "$(job 2)" '.targets[0] | .target == "archive" and .series == 2 and .images == 15 and .bytes == 15000 and
		.failed == 1 and .failed_images == 15 and .retries == 1 and .waiting == 1 and .worst_job == $job' "$BATS_TEST_TMPDIR/all"
	jq -e '.targets[1] | .target == "pacs" and .median_s == 4 and .worst_s == 6 and .waiting == 0' "$BATS_TEST_TMPDIR/all"
	jq -e '.refused == [{caller: "WHO", peer: "10.9.9.9", reason: "nobody knows it", times: 2}]' "$BATS_TEST_TMPDIR/all"
	jq -e '.received | length == 24 and .[8].images == 10 and .[9].images == 20 and .[12].images == 0' "$BATS_TEST_TMPDIR/all"
	run -0 report
	[[ $output == *"CT1 "*" 2 "*" 30 "*"30 kB"*"4.0 s"*"1.7 min"*" 1 "* ]]
	[[ $output == *"WHO"*"10.9.9.9"*" 2 "*"nobody knows it"* ]]
	# the week has it, today not
	[ "$(verb report -W -j | jq '.images, (.received | length >= 24)' | tr '\n' ' ')" = "60 true " ]
	[ "$(verb report -j | jq '.images')" -eq 0 ]
}

@test "report: what is told again counts once, what is sent again counts again from then on" {
	series 1 08:00:00 CT1 10
	said 08:00:02 sent job="$(job 1)" target=pacs images=10
	said 08:00:03 sent job="$(job 1)" target=pacs images=10 again=true
	said 08:00:04 complete job="$(job 1)" images=10 associations=a1=10 again=true
	said 12:00:00 requeued from="$(job 1).pacs" job="$(job 1)" target=pacs images=10
	said 12:00:09 sent job="$(job 1)" target=pacs images=10
	[ "$(report -j | jq -c '.series, (.targets[] | select(.target == "pacs") | .series, .worst_s, .waiting)' | tr '\n' ' ')" = "1 2 9 0 " ]
}

@test "report: what came before is known from the day before, else by its name" {
	local today
	series 1 23:59:00 CT1 10
	today=$(date -u +%F)
	echo "{\"time\":\"${today}T00:00:10.000000Z\",\"event\":\"sent\",\"job\":\"$(job 1)\",\"target\":\"pacs\",\"images\":\"10\"}
		{\"time\":\"${today}T00:00:20.000000Z\",\"event\":\"sent\",\"job\":\"$(job 2)\",\"target\":\"pacs\",\"images\":\"1\"}" |
		sed 's/^\t*//' >"$SPOOL/journal/$today.jsonl"
	verb report -j >"$BATS_TEST_TMPDIR/all"
	jq -e '.series == 0 and ([.senders[] | [.sender, .worst_s]] == [["CT1", 70], [null, 61220]])' "$BATS_TEST_TMPDIR/all"
}

@test "report: an empty day, one that is none, two at once" {
	run -0 report
	[ "$output" = "nothing came, and nothing was sent" ]
	run -0 report --html
	[[ $output == *"Nothing came, and nothing was sent."*"</html>" ]]
	run -100 verb report --day 2026-02-31
	[[ $output == *"2026-02-31 is no day"* ]]
	run -100 verb report --week --month
	run -100 verb report --json --html
	run -100 verb report yesterday
	[[ $output == *"a day is asked for by --day"* ]]
}

@test "report --html: one page, its charts inside, nothing from elsewhere" {
	command -v gnuplot >/dev/null || skip "gnuplot is not installed"
	a_day
	report --html >"$BATS_TEST_TMPDIR/page"
	[ "$(grep -c '<svg' "$BATS_TEST_TMPDIR/page")" -eq 3 ]
	[ "$(grep -c '</svg>' "$BATS_TEST_TMPDIR/page")" -eq 3 ]
	# names of name spaces are none that is fetched
	run -1 grep -iE '<(script|link|img|iframe|object)|src=|@import|url\(' "$BATS_TEST_TMPDIR/page"
	run -1 grep -E '<[?!]' <(tail -n +2 "$BATS_TEST_TMPDIR/page" | grep -v '^ *<!--')
}

@test "report --html: names from the network are text" {
	local evil='<script>alert(1)</script>&\"'
	series 1 08:00:00 "$evil" 3
	said 08:00:02 sent job="$(job 1)" target='p<b>' images=3
	said 09:00:00 association-refused peer=10.9.9.9 calling_aet="$evil" reason='<i>\u001b[31m'
	report --html >"$BATS_TEST_TMPDIR/page"
	run -1 grep -aE '<script|<b>p|p<b>|<i>[^<]|'$'\033' "$BATS_TEST_TMPDIR/page"
	[ "$(grep -c '<bdi>&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;</bdi>' "$BATS_TEST_TMPDIR/page")" -eq 2 ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/page")" = "</html>" ]
}

@test "report --html: without gnuplot, or with one that fails, the page is made and says so" {
	mkdir "$BATS_TEST_TMPDIR/none"
	a_day
	PATH=$BATS_TEST_TMPDIR/none run -0 report --html
	[[ $output == *"There are no charts: gnuplot is not installed; on Debian: apt install gnuplot-nox"*"CT1"*"</html>"* ]]
	printf '#!/bin/sh\necho "line 0: <no> terminal"; exit 1\n' >"$BATS_TEST_TMPDIR/none/gnuplot"
	chmod +x "$BATS_TEST_TMPDIR/none/gnuplot"
	PATH=$BATS_TEST_TMPDIR/none:$PATH run -0 report --html
	[[ $output == *"There are no charts: <bdi>line 0: &lt;no&gt; terminal"*"CT1"*"</html>"* ]]
}

@test "report: memory does not grow with images" {
	series 1 08:00:00 CT1 10
	seq 200000 | sed "s/.*/{\"time\":\"${YESTERDAY}T08:00:01.000000Z\",\"event\":\"duplicate\",\"association\":\"a1\",\"image\":\"1.2.&\"}/" \
		>>"$SPOOL/journal/$YESTERDAY.jsonl"
	said 08:00:02 sent job="$(job 1)" target=pacs images=10
	(ulimit -v 60000 && report -j) | jq -e '.targets[0].images == 10 or .targets[1].images == 10'
}

@test "report: what really came has its bytes and its times" {
	local bytes
	make_up 'target "pacs" { type = folder path = "pacs" copy = yes }' 'rule "all" { match = "True" targets = { "pacs" } }'
	start_and_wait
	study "$BATS_TEST_TMPDIR/study" -s 2 -n 3 -r 32 -c 32
	send "$BATS_TEST_TMPDIR/study" -aet CT7
	both_sent() { [ "$(journal sent | wc -l)" -eq 2 ]; }
	wait_for both_sent
	bytes=$(cat "$SPOOL"/success/*/*.dcm | wc -c)
	verb report -j | jq -e --argjson bytes "$bytes" '.senders[0] | .sender == "CT7" and .series == 2 and .images == 6 and
		.bytes == $bytes and .worst_s < 60 and .worst_s > 0'
}
