# resend.bats: jobs that are moved, or copied, back into incoming/.

load ../helper
load ../router
load byhand

@test "jobs moved back from success/ and discard/, several at once, are routed by the rules of now" {
	make_router 'target "archive" { type = folder path = "archive" }' \
		'target "other" { type = folder path = "other" }' \
		'rule "ct" { match = "tags.Modality == '"'CT'"'" targets = { "archive" } }'
	ROUTERS=2
	start_all
	small ct -s 3 -n 3
	small mr -s 2 -n 2 -m MR
	send "$BATS_TEST_TMPDIR/ct"
	send "$BATS_TEST_TMPDIR/mr"
	wait_for has_jobs success 3
	wait_for has_jobs discard 2
	stop "$pid_router1"
	stop "$pid_router2"
	echo 'rule "all" { match = "True" targets = { "other" } }' >>"$CONF"
	rm -r "$BATS_TEST_TMPDIR/archive"
	start_routers 2
	mv "$SPOOL"/success/* "$SPOOL"/discard/* "$SPOOL/incoming/"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 9
	wait_for has_images "$BATS_TEST_TMPDIR/other" 13
	wait_for has_jobs success 8
	wait_for at_rest
	[ "$(jobs_in discard)" -eq 0 ]
	[ "$(journal resent | wc -l)" -eq 5 ]
	mkdir "$BATS_TEST_TMPDIR/all"
	mv "$BATS_TEST_TMPDIR/ct" "$BATS_TEST_TMPDIR/mr" "$BATS_TEST_TMPDIR/all/"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/all" "$BATS_TEST_TMPDIR/other"
}

@test "a job of the dispatcher's moved back from error/ is sent" {
	local target
	target=$(free_port)
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $target aec = \"PACS\" retry_min = 100ms retry_max = 200ms image_retries = 1 }" \
		'rule "all" { match = "True" targets = { "pacs" } }'
	start storescp storescp --fork -dhl --ignore "$target"
	wait_for listens "$target"
	start_all
	small study -n 3 -P 1.2.840.10008.1.2.4.50
	send "$BATS_TEST_TMPDIR/study" -nuc
	wait_for has_jobs error 1
	test -e "$SPOOL"/error/*/series.json
	wait_for at_rest
	stop "$pid_storescp"
	mkdir "$BATS_TEST_TMPDIR/pacs"
	start storescp2 storescp --fork -dhl +B +xa -od "$BATS_TEST_TMPDIR/pacs" "$target"
	wait_for listens "$target"
	mv "$SPOOL"/error/* "$SPOOL/incoming/"
	wait_for has_jobs success 1
	wait_for at_rest
	[ "$(jobs_in error)" -eq 0 ]
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/pacs"
}

@test "a quarantine moved back is read again: what is good now is routed, the rest returns" {
	make_router
	start_all
	small study -n 2
	head -c 700 "$(one_file study)" >"$SPOOL/incoming/broken.dcm"
	echo text >"$SPOOL/incoming/notes.txt"
	wait_for has_quarantined 2
	wait_for at_rest
	cp "$(one_file study)" "$SPOOL"/error/*/broken.dcm
	mv "$SPOOL"/error/* "$SPOOL/incoming/"
	routes 1
	has_quarantined 1
	reasons | grep notes.txt
	! reasons | grep broken
}

@test "a job copied with cp -r from success/ is routed, the original stays" {
	make_router
	start_all
	small study -n 20
	send "$BATS_TEST_TMPDIR/study"
	routes 20
	rm -r "$BATS_TEST_TMPDIR/archive"
	cp -r "$SPOOL"/success/* "$SPOOL/incoming/"
	routes 20
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(jobs_in success)" -eq 2 ]
	[ "$(images_in "$SPOOL/success")" -eq 40 ]
	[ "$(jobs_in error)" -eq 0 ]
}

@test "a job copied slowly is not taken before the copy is complete" {
	local job copy file
	make_router
	start_all
	small study -n 3
	send "$BATS_TEST_TMPDIR/study"
	routes 3
	rm -r "$BATS_TEST_TMPDIR/archive"
	job=$SPOOL/success/$(the_job success)
	copy=$SPOOL/incoming/copy
	# cp -r copies in the order of the directory: job.json may come first
	mkdir "$copy"
	cp "$job"/*.json "$job/sent.log" "$copy/"
	for file in "$job"/*.dcm; do
		exec 5>"$copy/${file##*/}"
		head -c 700 "$file" >&5
		pause 0.5 # longer than association_grace
		tail -c +701 "$file" >&5
		exec 5>&-
	done
	routes 3
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(jobs_in success)" -eq 2 ]
}

@test "a batch renamed by hand is routed, and so are the images that follow" {
	TIMEOUT=2s
	make_router
	start_all
	small study -n 4
	stay_connected -W 4 "$BATS_TEST_TMPDIR"/study/*/*
	wait_for has_images "$SPOOL/incoming" 3
	mv "$SPOOL"/incoming/2.25.* "$SPOOL/incoming/by hand"
	echo >"$BATS_TEST_TMPDIR/stay"
	wait_for grep -q 'IM00004.dcm 0000' "$BATS_TEST_TMPDIR/sender.log"
	stop "$pid_sender"
	routes 4
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(jobs_in error)" -eq 0 ]
}

@test "other files in a job moved back go to error/, its images are routed" {
	local job
	make_router
	start_all
	small study -n 2
	small more -n 1
	send "$BATS_TEST_TMPDIR/study"
	routes 2
	rm -r "$BATS_TEST_TMPDIR/archive"
	job=$(the_job success)
	echo "for the radiologist" >"$SPOOL/success/$job/notes.txt"
	mkdir "$SPOOL/success/$job/folder"
	cp "$(one_file more)" "$SPOOL/success/$job/folder/"
	mkfifo "$SPOOL/success/$job/pipe.dcm"
	ln -s /etc/passwd "$SPOOL/success/$job/link.dcm"
	mv "$SPOOL/success/$job" "$SPOOL/incoming/"
	routes 2
	identical "$BATS_TEST_TMPDIR/study"
	has_quarantined 4
	grep -q radiologist "$SPOOL"/error/*/notes.txt
	[ "$(images_in "$SPOOL/error")" -eq 1 ]
}

@test "a job whose images have all been removed goes; one of only other files goes to error/" {
	make_router
	start_all
	small study -s 2 -n 2
	send "$BATS_TEST_TMPDIR/study"
	routes 4
	rm "$SPOOL"/success/*/*.dcm
	mkfifo "$(find "$SPOOL/success" -mindepth 1 -maxdepth 1 -type d | head -n 1)/pipe.dcm"
	mv "$SPOOL"/success/* "$SPOOL/incoming/"
	wait_for has_quarantined 1
	wait_for at_rest
	[ "$(jobs_in success)" -eq 0 ]
	[ "$(images_in "$BATS_TEST_TMPDIR/archive")" -eq 4 ]
}

# three_times: a series that was sent to three targets lies in success/ three times
three_times() {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'target "c" { type = folder path = "c" }' \
		'rule "all" { match = "True" targets = { "a", "b", "c" } priority = offpeak }' \
		'rule "first" { match = "True" targets = { "b" } priority = urgent }'
	sed -i 's/path = "[abc]"/& offpeak_hours = "00:00-24:00"/' "$CONF"
	small study -n 3 -u 1.2.3.4
	cp "$BATS_TEST_TMPDIR"/study/*/* "$BATS_TEST_TMPDIR/"
	for f in "$BATS_TEST_TMPDIR"/IM*; do "$BIN/getdcmtags" -c "$CONF" "$f" 127.0.0.1 CT1 DCMSPOOL; done
	touch "$SPOOL/incoming/1.2.3.4/.complete"
	start_routers "${ROUTERS:-1}"
	start_dispatchers 1
	wait_for has_jobs success 3
}
sent_again() { has_jobs success 3 && at_rest && [ "$(journal routed | wc -l)" -eq "$1" ]; }

@test "a series sent to three targets and moved back is one job for the three, each time, and names do not grow" {
	local times length=0 job
	ROUTERS=2
	three_times
	for times in 2 3; do
		mv "$SPOOL"/success/* "$SPOOL/incoming/"
		wait_for sent_again $times
		for job in "$SPOOL"/success/*; do
			has_images "$job" 3
			[ "${#job}" -le $((${#SPOOL} + 9 + 41 + 8 + 2)) ]
		done
	done
	[ "$(journal resent | wc -l)" -eq 2 ]
	has_jobs error 0
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/a"
}

@test "a resend with other images or files stays one of its own" {
	local job
	three_times
	small more -n 1
	stop "$pid_router1"
	job=$(find "$SPOOL/success" -name '*.a')
	cp "$(one_file more)" "$job/more.dcm"
	echo "for the radiologist" >"$(find "$SPOOL/success" -name '*.c')/notes.txt"
	rename_copy() { cp "$1" "$1.new" && mv "$1.new" "$1"; }
	rename_copy "$(find "$job" -name '2.25*.dcm' | head -n 1)" # the same image, another file
	mv "$SPOOL"/success/* "$SPOOL/incoming/"
	start_routers 1
	# *.offpeak.a with what the others have, too; *.offpeak.c with that of which *.a has a copy, *.urgent.b goes
	wait_for has_jobs success 6
	wait_for at_rest
	has_quarantined 1
	[ "$(journal resent | jq -r .images | sort | paste -sd ' ')" = "1 4" ]
	[ "$(journal routed | wc -l)" -eq 3 ]
}

@test "jobs of other names, or without one, are not taken along" {
	three_times
	stop "$pid_router1"
	for job in "$SPOOL"/success/*; do
		mv "$job/job.json" "$job/old" && jq '.job += "x"' "$job/old" >"$job/job.json" && rm "$job/old"
		break
	done
	find "$SPOOL/success" -name '*.c' -exec sh -c 'echo "{}" >"$1/job.json"' sh {} \;
	mv "$SPOOL"/success/* "$SPOOL/incoming/"
	start_routers 1
	wait_for has_jobs success 9
	wait_for at_rest
}
