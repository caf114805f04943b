# looking.bats: what the verbs that look have in common: any name on any terminal, any owner, an empty spool, one that
# is being written to, one of many jobs.

load ../helper
bats_require_minimum_version 1.5.0
load ../router
load verbs
load tree

teardown() { stop_all; }

# widest: of the lines on standard input; marks take no column, characters of East Asia two
widest() {
	/usr/bin/python3 -c 'import sys, unicodedata as u
print(max(sum(0 if u.category(c) in ("Mn", "Me", "Cf") else 2 if u.east_asian_width(c) in "WF" else 1
	for c in line.rstrip("\n")) for line in sys.stdin))'
}

@test "names in ten scripts, and hostile ones: the table is as wide as the terminal, and nothing commands it" {
	local n=0 name width
	export LC_ALL=C.UTF-8
	make_router
	for name in 'Müller^Jürgen' 'Παπαδόπουλος^Γεώργιος' 'Достоевский^Фёдор' 'כהן^דוד' 'محمد^أحمد' 'शर्मा^प्रिया' \
		'สมชาย^ใจดี' '王小明^先生' '山田^太郎=やまだ^たろう' '김철수^서울특별시' \
		'Evil\u001b[31m^\u0007\u009b2J\u202eabc\r\n' 'A name that is longer than any column of a table may ever be^B'; do
		n=$((n + 1))
		lay "$(printf %08x $n)" outgoing/archive/J,success/J.other PatientName="$name" PatientID="$n" Modality=MR \
			StudyDescription="$name" SeriesDescription="$name"
	done
	for width in 70 80 120 200; do
		COLUMNS=$width verb find Modality=MR >"$BATS_TEST_TMPDIR/$width"
		[ "$(widest <"$BATS_TEST_TMPDIR/$width")" -le "$width" ]
		[ "$(wc -l <"$BATS_TEST_TMPDIR/$width")" -eq $((2 * n + 1)) ]
	done
	verb find Modality=MR >"$BATS_TEST_TMPDIR/all"
	verb show Modality=MR >"$BATS_TEST_TMPDIR/show"
	for name in Müller^Jürgen Γεώργιος Фёдор כהן محمد शर्मा สมชาย 王小明 やまだ 김철수; do
		grep -q "$name" "$BATS_TEST_TMPDIR/200"
		grep -q "$name" "$BATS_TEST_TMPDIR/show"
	done
	grep -qF 'Evil\x1b[31m^\x07\u009b2J\u202eabc\r\n' "$BATS_TEST_TMPDIR/all"
	! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$BATS_TEST_TMPDIR"/{70,80,120,200,all,show}
	verb find Modality=MR --json | jq -es 'any(.[]; .tags.PatientName | startswith("Evil\u001b"))'
}

@test "on 80 columns all that is long is cut before where it is" {
	make_router 'target "archive" { type = folder path = "a" }'
	lay 00000001 outgoing/archive/J PatientName=Featherstonehaugh^Bartholomew PatientID=1234567890123 Modality=MR \
		SeriesDescription='T1 axial with a long description' SeriesNumber=12
	touch "$SPOOL/outgoing/archive/held"
	mkdir "$SPOOL/error/$(job_of 00000001).archive_of_the_department"
	cp "$SPOOL"/outgoing/archive/2*/* "$SPOOL/error/$(job_of 00000001).archive_of_the_department/"
	COLUMNS=80 run -0 "$BIN/dcmspool-find" -c "$CONF" patient=feather
	echo "$output"
	[[ ${lines[1]} == *"Feathe"*"archive: held" ]]
	[[ ${lines[2]} == *"archive_of_the_department: failed" ]]
	[ "$(awk '{ if (length > most) most = length } END { print most }' <<<"$output")" -le 80 ]
}

@test "colours on a terminal only, and not with NO_COLOR" {
	local esc=$'\e'
	make_router
	lay 00000001 error/J.archive PatientName=Doe
	export TERM=xterm
	run script -qec "$BIN/dcmspool-find -c $CONF state=failed" /dev/null
	[[ $output == *"$esc[31marchive: failed$esc[0m"* ]]
	NO_COLOR=1 run script -qec "$BIN/dcmspool-find -c $CONF state=failed" /dev/null
	[[ $output == *"archive: failed"* && $output != *"$esc"* ]]
	run verb find state=failed
	[[ $output == *"archive: failed"* && $output != *"$esc"* ]]
}

@test "an empty spool" {
	make_router
	run -0 verb find -u
	[ -z "$output" ]
	run -1 verb find PatientID=1
	[ -z "$output" ]
	run -1 verb show 1.2.3
	run -0 verb log
	[ -z "$output" ]
	run -1 verb log 1.2.3
	run -1 verb resend state=sent --yes
	run -1 verb cancel state=waiting --yes
	run -1 verb retry state=waiting --yes
	run -0 "$BIN/dcmspool" list --json -c "$CONF"
	[ -z "$output" ]
}

@test "the spool of another user: whose it is is said; what may be read is shown, nothing is changed" {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to be another user"
	local as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	make_router
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
	chmod o+r "$CONF"
	"${as[@]}" test -x "$BIN/dcmspool-find" || skip "another user may not read the programs"
	lay 00000001 outgoing/archive/J PatientID=1
	lay 00000002 success/J.archive PatientID=2
	run -100 "${as[@]}" "$BIN/dcmspool-find" -c "$CONF" PatientID=1
	[[ $output == *"it belongs to "*"be that user: sudo -u"* ]]
	chmod -R o+rX "$SPOOL"
	run -0 "${as[@]}" "$BIN/dcmspool-find" -c "$CONF" PatientID=1
	[[ $output == *"archive: waiting"* ]]
	run -0 "${as[@]}" "$BIN/dcmspool-show" -c "$CONF" PatientID=1
	run -100 "${as[@]}" "$BIN/dcmspool-resend" -c "$CONF" PatientID=2 --yes
	[[ $output == *"unable to change the spool"* ]]
	chmod o-rx "$SPOOL/success"
	run -111 "${as[@]}" "$BIN/dcmspool-find" -c "$CONF" PatientID=1
	chmod o+rx "$SPOOL/success"
	chmod o-rx "$SPOOL/success/$(job_of 00000002).archive"
	run -111 --separate-stderr "${as[@]}" "$BIN/dcmspool-find" -c "$CONF" 'PatientID=[12]'
	[ "${#lines[@]}" -eq 2 ]
	# shellcheck disable=SC2154 # bats' own
	[[ $stderr == *"unable to read success/"*"be the user who runs dcmspool"* ]]
}

@test "a tree that is being written to: what moves on is found, once, and nothing is said of it" {
	local n
	make_router
	for n in {1..20}; do lay "$(printf %08x "$n")" outgoing/archive/J Modality=MR; done
	mkdir -p "$SPOOL/sending/archive"
	cat >"$BATS_TEST_TMPDIR/mover" <<-'END'
		import os, sys, time
		os.chdir(sys.argv[1])
		jobs = os.listdir("outgoing/archive")
		ways = [("outgoing/archive/%s", "sending/archive/%s"), ("sending/archive/%s", "outgoing/archive/%s")] * 3
		for way in ways + [ways[0], ("sending/archive/%s", "success/%s.archive")]:
		    for job in jobs:
		        os.rename(way[0] % job, way[1] % job)
		        time.sleep(0.01)
	END
	start mover /usr/bin/python3 "$BATS_TEST_TMPDIR/mover" "$SPOOL"
	n=0
	while kill -0 "$pid_mover" 2>/dev/null; do
		verb find Modality=MR --json >"$BATS_TEST_TMPDIR/found" 2>"$BATS_TEST_TMPDIR/said"
		[ ! -s "$BATS_TEST_TMPDIR/said" ]
		[ "$(jq -r .job "$BATS_TEST_TMPDIR/found" | sort -u | wc -l)" -eq 20 ]
		[ "$(wc -l <"$BATS_TEST_TMPDIR/found")" -eq 20 ]
		n=$((n + 1))
	done
	[ "$n" -ge 3 ]
	[ "$(verb find state=sent --json | wc -l)" -eq 20 ]
}

# slow_find PATH...: dcmspool find, in the background, that takes 0.4 s for each look at one of these
slow_find() {
	local path paths=()
	for path; do paths+=(-P "$path"); done
	start find strace -qq -o "$BATS_TEST_TMPDIR/calls" "${paths[@]}" -e trace=openat -e inject=openat:delay_enter=400000 \
		"$BIN/dcmspool-find" -c "$CONF" Modality=MR --json
}

@test "a job that comes back from sending/, or goes on, between two looks is found where it is then" {
	command -v strace >/dev/null || skip "strace is missing"
	export ASAN_OPTIONS=detect_leaks=0 # which cannot work under strace
	local job
	make_router
	lay 00000001 sending/archive/J Modality=MR
	job=$(job_of 00000001)
	mkdir -p "$SPOOL/outgoing/archive"
	slow_find "$SPOOL/outgoing" "$SPOOL/sending"
	wait_for grep -q '"archive".*DELAYED' "$BATS_TEST_TMPDIR/calls" # outgoing/ has been looked at
	mv "$SPOOL/sending/archive/$job" "$SPOOL/outgoing/archive/"
	wait "$pid_find"
	[ "$(jq -r '.places[].path' "$BATS_TEST_TMPDIR/find.log")" = "outgoing/archive/$job" ]
	slow_find "$SPOOL/error" "archive/$job/series.json"
	wait_for grep -q '"[.]".*DELAYED' "$BATS_TEST_TMPDIR/calls" # it is known to lie in outgoing/
	mv "$SPOOL/outgoing/archive/$job" "$SPOOL/success/$job.archive"
	wait "$pid_find"
	[ "$(jq -r '.places[] | .path + " " + .state' "$BATS_TEST_TMPDIR/find.log")" = "success/$job.archive sent" ]
}

# bats test_tags=torture
@test "a spool of 10,000 jobs: found in less than a second of processor time; acted on" {
	local took TIMEFORMAT='%U %S'
	make_router 'target "pacs" { type = folder path = "pacs" }' 'target "other" { type = folder path = "other" }'
	lay 00000000 outgoing/pacs/J Modality=MR PatientID=0 SeriesInstanceUID=1.2.0
	/usr/bin/python3 - "$SPOOL" "$(job_of 00000000)" <<-'END'
		import os, sys
		os.chdir(sys.argv[1])
		series = open("outgoing/pacs/%s/series.json" % sys.argv[2]).read()
		plan = open("outgoing/pacs/%s/plan.json" % sys.argv[2]).read()
		for i in range(1, 10000):
		    job = sys.argv[2][:-8] + "%08x" % i
		    place = ("outgoing/pacs/" + job, "success/%s.pacs" % job, "error/%s.pacs" % job, "discard/" + job)[i % 4]
		    os.makedirs(place)
		    for name, text in ("series.json", series), ("plan.json", plan), ("1.dcm", "1"):
		        with open(place + "/" + name, "w") as file:
		            file.write(text.replace('"0"', '"%d"' % i).replace("1.2.0", "1.2.%d" % i))
	END
	[ "$(verb find 1.2.7777 --json | jq -r .job)" = "$(job_of 00001e61)" ]
	took=$({ time verb find 1.2.7777 >/dev/null; } 2>&1)
	echo "one of 10,000: $took"
	awk '{ exit $1 + $2 >= 1 }' <<<"$took"
	took=$({ time verb find -u >/dev/null; } 2>&1)
	echo "5,000 of 10,000: $took"
	awk '{ exit $1 + $2 >= 1 }' <<<"$took"
	[ "$(verb find state=waiting | wc -l)" -eq 2501 ]
	verb retry state=waiting -y | tail -n 1
	verb resend state=sent --to other -y | tail -n 1
	[ "$(jobs_in outgoing/other)" -eq 2500 ]
	verb resend state=failed -y | tail -n 1
	[ "$(jobs_in incoming)" -eq 2500 ]
	verb cancel state=waiting -y | tail -n 1
	[ "$(jobs_in outgoing/other) $(jobs_in outgoing/pacs)" = "0 0" ]
}

@test "an unknown verb gets the nearest" {
	run -100 "$BIN/dcmspool" fnd x
	[[ $output == *"no verb fnd; did you mean find?"* ]]
	run -100 "$BIN/dcmspool" resned
	[[ $output == *"did you mean resend?"* ]]
	run -100 "$BIN/dcmspool" 'zzzz;z'
	[[ $output == *"no verb zzzz;z"*"usage: dcmspool VERB"* ]]
}
