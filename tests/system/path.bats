# The main path, with real dcmsend and storescp: received, routed, sent, each image exactly once.

load ../helper
load ../router

teardown() {
	stop_all
	show_state
}

@test "one study of three series arrives in a folder target" {
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 3 -n 5
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 15
	wait_for has_jobs success 3
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
}

@test "four connections at once, 10 series x 20 images, to a storescp and a folder: each exactly once" {
	local target i
	target=$(free_port)
	ROUTERS=2 DISPATCHERS=3
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $target aec = \"PACS\" max_connections = 2 }" \
		'target "archive" { type = folder path = "archive" }' \
		'rule "a" { match = "tags.Modality == '"'CT'"'" targets = { "pacs", "archive" } }' \
		'rule "b" { match = "True" targets = { "archive" } }'
	mkdir "$BATS_TEST_TMPDIR/pacs"
	start storescp storescp --fork -dhl +B -od "$BATS_TEST_TMPDIR/pacs" "$target"
	wait_for listens "$target"
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 10 -n 20 -r 64 -c 64
	# each connection has a part of every series
	for i in 0 1 2 3; do mkdir "$BATS_TEST_TMPDIR/part$i"; done
	i=0
	find "$BATS_TEST_TMPDIR/study" -name '*.dcm' | sort | while read -r f; do
		ln "$f" "$BATS_TEST_TMPDIR/part$((i++ % 4))/$i.dcm"
	done
	for i in 0 1 2 3; do
		start "send$i" send "$BATS_TEST_TMPDIR/part$i"
	done
	wait "$pid_send0" "$pid_send1" "$pid_send2" "$pid_send3"
	wait_for has_jobs success 20
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/pacs"
	wait_for has_lines sent 20 # written behind the rename that at_rest sees
	[ "$(journal association-opened | wc -l)" -eq 4 ]
}

@test "a series that no rule matches is discarded; a rule is added, it is moved back, it is sent" {
	make_router 'target "archive" { type = folder path = "archive" }' \
		'rule "mr" { match = "tags.Modality == '"'MR'"'" targets = { "archive" } }'
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs discard 1
	[ "$(images_in "$SPOOL/discard")" -eq 3 ]
	[ "$(journal discarded | wc -l)" -eq 1 ]
	stop "$pid_router1"
	echo 'rule "ct" { match = "tags.Modality == '"'CT'"'" targets = { "archive" } }' >>"$CONF"
	start_routers 1
	mv "$SPOOL/discard/"* "$SPOOL/incoming/"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 3
	wait_for has_jobs success 1
	[ "$(journal resent | wc -l)" -eq 1 ]
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
}

@test "a rule that discards wins; nothing is sent" {
	make_router 'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "archive" } }' \
		'rule "no" { match = "tags.SeriesNumber == '"'2'"'" action = discard }'
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 2 -n 2
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs success 1
	wait_for has_jobs discard 1
	[ "$(images_in "$BATS_TEST_TMPDIR/archive")" -eq 2 ]
	jq -e '.rules == ["all", "no"] and .targets == []' "$SPOOL"/discard/*/plan.json
}

@test "the target is down: the job waits, the other target is not delayed, it comes up, it is sent" {
	local target
	target=$(free_port)
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $target aec = \"PACS\" retry_min = 200ms retry_max = 500ms }" \
		'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "pacs", "archive" } }'
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 3
	wait_for test -e "$SPOOL/outgoing/pacs/paused.json"
	jq -e '.failures >= 1 and (.reason | length) > 0' "$SPOOL/outgoing/pacs/paused.json"
	mkdir "$BATS_TEST_TMPDIR/pacs"
	start storescp storescp --fork -dhl +B -od "$BATS_TEST_TMPDIR/pacs" "$target"
	wait_for has_jobs success 2
	[ ! -e "$SPOOL/outgoing/pacs/paused.json" ]
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/pacs"
	[ "$(journal retried | wc -l)" -ge 1 ]
}

@test "images that the target refuses are given up after image_retries, the rest is a success" {
	local target
	target=$(free_port)
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $target aec = \"PACS\" retry_min = 100ms retry_max = 200ms image_retries = 2 }" \
		'rule "all" { match = "True" targets = { "pacs" } }'
	# A target without JPEG: the images in it are refused, those without are taken.
	start storescp storescp --fork -dhl --ignore "$target"
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -u 1.2.3.4.5
	study "$BATS_TEST_TMPDIR/study2" -s 1 -n 3 -u 1.2.3.4.5 -P 1.2.840.10008.1.2.4.50
	mv "$BATS_TEST_TMPDIR/study2" "$BATS_TEST_TMPDIR/study/2"
	send "$BATS_TEST_TMPDIR/study" -nuc
	wait_for has_jobs success 1
	wait_for has_jobs error 1
	[ "$(images_in "$SPOOL/success")" -eq 2 ]
	[ "$(images_in "$SPOOL/error")" -eq 3 ]
	grep -q 'did not take 3 of 5 images' "$SPOOL"/error/*/reason.txt
	[ "$(grep -c failed "$SPOOL"/error/*/sent.log)" -eq 6 ]
	[ "$(journal failed | wc -l)" -eq 1 ]
	wait_for at_rest
}

@test "an image on which the target breaks off every time does not hold up the others" {
	local target
	target=$(free_port)
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $target aec = \"PACS\" retry_min = 200ms retry_max = 400ms image_retries = 2 }" \
		'rule "all" { match = "True" targets = { "pacs" } }'
	start target python3 "$TOP/tests/tools/fakescp.py" "$target" 0000 1.2.3.666=abort
	wait_for listens "$target"
	start_receiver
	start_routers 1
	study "$BATS_TEST_TMPDIR/bad" -s 1 -n 1 -o 1.2.3.666
	send "$BATS_TEST_TMPDIR/bad"
	wait_for has_jobs outgoing/pacs 1
	for i in 1 2 3; do study "$BATS_TEST_TMPDIR/good$i" -s 1 -n 2; send "$BATS_TEST_TMPDIR/good$i"; done
	wait_for has_jobs outgoing/pacs 4
	start_dispatchers 1
	wait_for has_jobs success 3
	wait_for has_jobs error 1
	[ "$(images_in "$SPOOL/error")" -eq 1 ]
	[ "$(grep -c failed "$SPOOL"/error/*/sent.log)" -eq 2 ]
	wait_for at_rest
}

@test "the last image in, to the target: association_grace, not series_timeout" {
	GRACE=1s TIMEOUT=60s
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3
	send "$BATS_TEST_TMPDIR/study"
	wait_for -t 45 has_jobs success 1
}

@test ".complete in a batch sends it at once, though its sender is still connected" {
	TIMEOUT=60s
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -u 1.2.3.4
	stay_connected "$BATS_TEST_TMPDIR/study/SE0001/"*
	wait_for has_images "$SPOOL/incoming/1.2.3.4" 2
	touch "$SPOOL/incoming/1.2.3.4/.complete"
	wait_for -t 45 has_jobs success 1
	[ "$(images_in "$SPOOL/success")" -eq 2 ]
}

@test "a cancelled job: mv from outgoing to discard" {
	make_router 'target "pacs" { type = dicom host = "127.0.0.1" port = 1 aec = "PACS" retry_min = 10m }' \
		'rule "all" { match = "True" targets = { "pacs" } }'
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2
	send "$BATS_TEST_TMPDIR/study"
	wait_for test -e "$SPOOL/outgoing/pacs/paused.json"
	wait_for has_jobs outgoing/pacs 1
	mv "$SPOOL/outgoing/pacs/2"* "$SPOOL/discard/"
	rm "$SPOOL/outgoing/pacs/paused.json"
	wait_for at_rest
	[ "$(jobs_in discard)" -eq 1 ]
}

@test "a queued job moved back to incoming is routed by the rules of now" {
	make_router 'target "pacs" { type = dicom host = "127.0.0.1" port = 1 aec = "PACS" retry_min = 10m }' \
		'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "pacs" } }'
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2
	send "$BATS_TEST_TMPDIR/study"
	wait_for test -e "$SPOOL/outgoing/pacs/paused.json"
	wait_for has_jobs outgoing/pacs 1
	stop "$pid_router1"
	sed -i 's/targets = { "pacs" }/targets = { "archive" }/' "$CONF"
	start_routers 1
	mv "$SPOOL/outgoing/pacs/2"* "$SPOOL/incoming/"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 2
	wait_for has_jobs success 1
}

@test "the same image twice: the second copy is dropped; other bytes with the same UID: both are kept" {
	GRACE=2s
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -u 1.2.3.4
	send "$BATS_TEST_TMPDIR/study"
	send "$BATS_TEST_TMPDIR/study" -aet ANOTHER # which storescp notes in the meta header
	cp -r "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/changed"
	printf 'X' | dd of="$BATS_TEST_TMPDIR/changed/SE0001/IM00001.dcm" bs=1 seek=20000 conv=notrunc status=none
	send "$BATS_TEST_TMPDIR/changed"
	wait_for has_jobs success 1
	[ "$(images_in "$SPOOL/success")" -eq 3 ]
	[ "$(find "$SPOOL/success" -name '*~2.dcm' | wc -l)" -eq 1 ]
	[ "$(journal duplicate | wc -l)" -eq 3 ]
}
