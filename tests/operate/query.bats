# query.bats: which series a QUERY means. One tree; a table: the query, and what it finds there.

load ../helper
bats_require_minimum_version 1.5.0
load ../router
load tree

# The names are eight hex digits of which only the last is not 0 here.
make_tree() {
	make_router 'target "pacs" { type = folder path = "pacs" }' 'target "archive" { type = folder path = "archive" }'
	lay 00000001 outgoing/pacs/J,success/J.archive at=20261101T080000 rule=mr sender=MR1 Modality=MR \
		PatientName='Doe^John^=山田^太郎' PatientID=1001 AccessionNumber=A7 StudyInstanceUID=1.2.1 \
		SeriesInstanceUID=1.2.1.1 SOPInstanceUID=1.2.1.1.1 SeriesDescription='T1 axial'
	lay 00000002 success/J.pacs,success/J.archive at=20261102T080000 rule=mr sender=MR1 Modality=MR \
		PatientName='Doe^Jane' PatientID=1002 AccessionNumber=A8 StudyInstanceUID=1.2.2 \
		SeriesInstanceUID=1.2.2.1 SOPInstanceUID=1.2.2.1.1 SeriesDescription='T2*'
	lay 00000003 outgoing/pacs/J.urgent at=20261103T080000 rule=ct Modality=CT PatientName='Müller^Änne' \
		PatientID=m-3 AccessionNumber= StudyInstanceUID=1.2.3 SeriesInstanceUID=1.2.3.1
	lay 00000004 sending/pacs/J at=20261104T080000 rule=ct Modality=CT PatientName='Doering^Ruth' \
		PatientID=1001/4 AccessionNumber=A7 StudyInstanceUID=1.2.3 SeriesInstanceUID=1.2.3.2
	lay 00000005 discard/J at=20261105T080000 Modality=SR PatientName='Smith John' PatientID=5
	lay 00000006 discard/J.pacs at=20261106T080000 rule=ct Modality=CT PatientName='ΠΑΠΑΔΟΠΟΥΛΟΣ^Γ' PatientID=6
	lay 00000007 error/J.pacs,success/J.archive at=20261107T080000 rule=us Modality=US PatientID=7
	lay 00000008 outgoing/archive/J at=20261108T080000 rule=us Modality=US PatientID=8
	lay 00000009 routing/J at=20261109T080000 Modality=PT PatientID=9
	lay 0000000a incoming/1.2.10.1 at=20261110T080000 Modality=MR PatientID=10 SeriesInstanceUID=1.2.10.1
	lay 0000000b outgoing/gone/J at=20261111T080000 rule=us Modality=XA PatientID=11
	mkdir "$SPOOL"/receiving/20261112T080000.000000Z.{c,d} "$SPOOL/incoming/dropped-e"
	echo '{"peer": "10.0.0.9", "calling_aet": "OPEN"}' | tee "$SPOOL/receiving/20261112T080000.000000Z.c/association.json" \
		>"$SPOOL/receiving/20261112T080000.000000Z.d/association.json"
	touch "$SPOOL/receiving/20261112T080000.000000Z.c/x.ok" "$SPOOL/outgoing/archive/held"
	echo '{"until": "20991231T000000.000000Z", "since": "20261101T000000.000000Z", "failures": 3,
		"reason": "Connection refused"}' >"$SPOOL/outgoing/pacs/paused.json"
}

@test "a table of queries" {
	local query wanted rows=0 found=$BATS_TEST_TMPDIR/found
	local -x TZ=UTC
	make_tree
	# what names a job
	cat >"$BATS_TEST_TMPDIR/table" <<-END
		1	$(job_of 00000001 20261101T080000)
		3	$(job_of 00000003 20261103T080000)
		3	$(job_of 00000003 20261103T080000).urgent
		2	$(job_of 00000002 20261102T080000).archive
		3	$(job_of 00000003 20261103T080000).pacs
		3	$SPOOL/outgoing/pacs/$(job_of 00000003 20261103T080000).urgent
		-	$(job_of 00000001 20261101T080000).gone
		-	$(job_of 00000009 20261101T080000)
		a	1.2.10.1
	END
	# what a bare word is otherwise: number of a patient, accession number, UID of study, series, image
	cat >>"$BATS_TEST_TMPDIR/table" <<-'END'
		1	1001
		4	1001/4
		-	100
		14	A7
		-	a7
		34	1.2.3
		4	1.2.3.2
		2	1.2.2.1.1
		7	1.9.7.2
		-	Doe
		14	A7 sender=*
		1	A7 1001
		-	A7 1002
		12a	Modality=MR
		12a	modality=mr
		34567	Modality=[CSU][TRS] until=2026-11-08
		2	SeriesDescription=T2[*]
		12	SeriesDescription=t?*
		356789abce	AccessionNumber=
		124	patient=doe
		4	patient=doer
		15	patient=john
		1	patient=山田
		3	patient=müller
		3	patient=ÄN
		6	patient=παπαδ
		-	patient=ohn
		123467	target=pacs state=*
		12	target=archive sender=MR?
		7	target=pacs state=failed
		2	target=pacs state=sent
		138b	state=waiting
		8	state=held
		13	state=paused
		5	state=discarded
		6	state=cancelled
		4	state=sending
		9	state=routing
		a	state=collecting
		c	state=receiving
		c	sender=open
		c	sender=10.0.0.9
		e	state=dropped
		127	state=sent
		346	rule=ct
		3467	target=pacs since=2026-11-02T09:00
		56	since=2026-11-05 until=2026-11-07
		12	sender=MR1
		3456789ab	sender=ct*
	END
	mkdir "$found"
	while IFS=$'\t' read -r wanted query; do
		rows=$((rows + 1))
		# shellcheck disable=SC2086 # words
		(set -f; "$BIN/dcmspool-find" -c "$CONF" --json $query >"$found/$rows") || [ "$wanted" = - ]
	done <"$BATS_TEST_TMPDIR/table"
	[ "$rows" -ge 40 ]
	# the last digits of what each row found, in the order of time
	(cd "$found" && jq -r '"\(input_filename) \(.job)"' -- *) | sed 's/1.2.10.1$/a/' | awk -v rows="$rows" '
		{ got[$1] = got[$1] substr($2, length($2)) }
		END { for (i = 1; i <= rows; i++) print i in got ? got[i] : "-" }' >"$BATS_TEST_TMPDIR/got"
	paste "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/table" |
		awk -F '\t' '$1 != $2 { print $3 ": found " $1 " instead of " $2; bad = 1 } END { exit bad }'
}

@test "a word that no query knows is told with the nearest, a time that is none with the forms" {
	make_router
	run -100 "$BIN/dcmspool-find" -c "$CONF" modalty=MR
	[[ $output == *"a query knows no modalty=; did you mean Modality?"* ]]
	run -100 "$BIN/dcmspool-find" -c "$CONF" stat=sent
	[[ $output == *"did you mean state"* ]]
	run -100 "$BIN/dcmspool-find" -c "$CONF" day=yesterday
	[[ $output == *"a query knows no day=; say since= and until=, as in since=yesterday until=today" ]]
	run -100 "$BIN/dcmspool-find" -c "$CONF" Status=sent
	[[ $output == *"a query knows no Status=; say state=" ]]
	run -100 "$BIN/dcmspool-find" -c "$CONF" since=yesterdy
	[[ $output == *"yesterdy is no time; write today, yesterday"* ]]
	run -100 "$BIN/dcmspool-find" -c "$CONF" /etc/passwd
	[[ $output == *"is not in the spool"* ]]
	run -100 "$BIN/dcmspool-find" -c "$CONF" --jsno x
	[[ $output == *"unknown option --jsno; did you mean --json?"* ]]
	run -100 "$BIN/dcmspool-find" -c "$CONF"
	[[ $output == *"the query is missing"* ]]
}
