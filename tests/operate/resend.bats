# resend.bats: dcmspool resend and send, and a QUERY for retry and cancel.

load ../helper
bats_require_minimum_version 1.5.0
load ../router
load verbs
load tree

# jobs_of TARGET: the names of those that wait
jobs_of() { find "$SPOOL/outgoing/$1" -mindepth 1 -maxdepth 1 -name '2*' -printf '%f\n' | sort; }
# on_terminal ANSWER VERB ARGUMENT...: on a terminal of 80 columns
on_terminal() {
	local answer=$1 name=$2
	shift 2
	printf '%s\n' "$answer" | script -qec "stty cols 80; $(printf '%q ' "$BIN/dcmspool-$name" -c "$CONF" "$@")" /dev/null
}

@test "resend: what was discarded goes by the rules of now, once for all its places; it waits until it is sent" {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "mr" { match = "tags.Modality == '"'MR'"'" targets = { "a", "b" } }'
	one_series ct 1.2.3 -m CT
	one_series mr 1.2.4 -m MR
	start_all
	send "$BATS_TEST_TMPDIR/ct"
	send "$BATS_TEST_TMPDIR/mr"
	wait_for has_jobs success 2
	wait_for has_jobs discard 1
	run -100 verb resend Modality=CT
	[[ $output == *"nothing was done: there is no terminal to ask on; say --yes"* ]]
	[ "$(jobs_in discard)" -eq 1 ]
	run -1 verb resend Modality=PT --yes
	[[ $output == *"nothing in the spool"*fits* ]]
	stop "$pid_router1"
	sed -i "s/tags.Modality == 'MR'/True/" "$CONF"
	start router1 "$BIN/dcmspool-router" -c "$CONF"
	verb resend Modality=CT --yes --wait
	[ "$(jobs_in discard)" -eq 0 ]
	[ "$(jobs_in success)" -eq 4 ]
	verb resend Modality=MR -y -w
	[ "$(jobs_in success)" -eq 4 ]
	verb resend Modality=CT target=a --to b -y -w
	[ "$(jobs_in success)" -eq 5 ]
	[ "$(journal resent | wc -l)" -eq 3 ]
	[ "$(journal resend-asked | wc -l)" -eq 3 ]
}

@test "resend --to: a job of links for that target alone; the original stays as it is; only what fits goes" {
	local before old
	make_two
	lay 00000001 success/J.a,error/J.b,outgoing/c/J Modality=MR StudyInstanceUID=1.2 SeriesInstanceUID=1.2.1
	old=$(job_of 00000001)
	mv "$SPOOL/success/$old.a/1.9.1.1.dcm" "$SPOOL/success/$old.a/1.9.1.3.dcm"
	before=$(find "$SPOOL/success" "$SPOOL/error" "$SPOOL/outgoing/c" -type f -printf '%P %i %s %T@\n' | sort)
	run -0 verb resend "$old" state=failed --to b --yes
	[[ $output == *"$old: is sent again to b, 2 images, as "* ]]
	[ "$(find "$SPOOL"/outgoing/b/*/ -name '*.dcm' -printf '%f\n' | sort | tr '\n' ' ')" = "1.9.1.1.dcm 1.9.1.2.dcm " ]
	[ "$(stat -c %i "$SPOOL"/outgoing/b/*/1.9.1.1.dcm)" = "$(stat -c %i "$SPOOL/error/$old.b/1.9.1.1.dcm")" ]
	verb resend "$old" --to a --yes
	[ "$(find "$SPOOL"/outgoing/a/*/ -name '*.dcm' | wc -l)" -eq 3 ]
	[ "$before" = "$(find "$SPOOL/success" "$SPOOL/error" "$SPOOL/outgoing/c" -type f -printf '%P %i %s %T@\n' | sort)" ]
	jq -e --arg old "$old" '.from == $old and .targets == ["a"] and .images == 3' "$SPOOL"/outgoing/a/*/plan.json
	jq -e --arg job "$(jobs_of a)" '.job == $job and .target == "a" and .series == "1.2.1"' "$SPOOL"/outgoing/a/*/job.json
	[ "$(journal resent | jq -r '.target + .from' | tr '\n' ' ')" = "b$old a$old " ]
	run -100 verb resend "$old" --to aa --yes
	[[ $output == *"there is no target aa in"* ]]
	run -1 verb resend c state=waiting --yes
}

@test "resend: it asks on a terminal, and takes no for an answer" {
	make_two
	lay 00000001 discard/J Modality=MR PatientName=Doe^John PatientID=17
	run on_terminal n resend 17
	[[ $output == *"Doe^John"*"Route again these (1)? [y/N]"*"nothing was done"* ]]
	[ -d "$SPOOL/discard/$(job_of 00000001)" ]
	run on_terminal y resend 17
	[[ $output == *"is routed again, by the rules of now"* ]]
	[ -d "$SPOOL/incoming/$(job_of 00000001)" ]
	run -1 verb resend 17 --yes
	[[ $output == *"what fits is still on its way, and goes by itself"* ]]
}

@test "send: files become jobs, series by series; what is broken is refused with its reason" {
	local broken
	make_two
	study "$BATS_TEST_TMPDIR/study" -s 2 -n 3 -r 32 -c 32
	broken=$(find "$BATS_TEST_TMPDIR/study" -name '*.dcm' | sort | head -n 1)
	cp "$broken" "$BATS_TEST_TMPDIR/again.dcm"
	cp "$broken" "$BATS_TEST_TMPDIR/broken.dcm"
	truncate -s -100 "$BATS_TEST_TMPDIR/broken.dcm"
	echo no >"$BATS_TEST_TMPDIR/no.dcm"
	cd "$BATS_TEST_TMPDIR"
	run -100 verb send study again.dcm broken.dcm no.dcm missing.dcm --to a
	[[ $output == *"unable to send $PWD/broken.dcm: "*"unable to send $PWD/no.dcm: "* || \
		$output == *"unable to send $PWD/no.dcm: "*"unable to send $PWD/broken.dcm: "* ]]
	[[ $output == *"unable to send missing.dcm: No such file"* ]]
	[ "$(jobs_in outgoing/a)" -eq 2 ]
	[ -z "$(find "$SPOOL/outgoing/a" -name '.new.*')" ]
	"$TOOLS/dicomcmp" -d study "$SPOOL/outgoing/a"
	[ "$(journal submitted | jq -r .images | tr '\n' ' ')" = "3 3 " ]
	jq -e '.tags.SenderAddress == "local"' "$SPOOL"/outgoing/a/*/series.json
	start_dispatchers 1
	verb send study --to b --wait
	wait_for has_jobs success 4
	"$TOOLS/dicomcmp" -d study b
	run -100 verb send study
	[[ $output == *"the target is missing: --to TARGET"* ]]
	run -100 verb send --to a
	[[ $output == *"the files are missing"* ]]
}

@test "retry and cancel take a query; only what is in a queue fits" {
	make_two
	lay 00000001 outgoing/a/J,outgoing/b/J Modality=MR PatientID=1
	lay 00000002 outgoing/a/J.urgent Modality=MR PatientID=2
	lay 00000003 outgoing/a/J,success/J.b Modality=CT PatientID=3
	echo '{"not_before": "20990101T000000.000000Z"}' |
		tee "$SPOOL/outgoing/a/$(job_of 00000003)/retry.json" \
			>"$SPOOL/outgoing/a/$(job_of 00000001)/retry.json"
	run -0 verb retry Modality=CT --yes
	[[ $output == *"$(job_of 00000003).a: is tried now"* ]]
	[ ! -e "$SPOOL/outgoing/a/$(job_of 00000003)/retry.json" ]
	[ -e "$SPOOL/outgoing/a/$(job_of 00000001)/retry.json" ]
	run -100 verb cancel Modality=MR target=a
	[ "$(jobs_in outgoing/a)" -eq 3 ]
	verb cancel Modality=MR target=a -y
	[ "$(jobs_of a)" = "$(job_of 00000003)" ]
	[ "$(jobs_in outgoing/b)" -eq 1 ]
	[ "$(jobs_in discard)" -eq 2 ]
	run -1 verb cancel state=sent --yes
	[ "$(jobs_in success)" -eq 1 ]
	run on_terminal y cancel 3
	[ "$(jobs_in outgoing/a)" -eq 0 ]
	run -100 verb retry toldd
	[[ $output == *"there is no target toldd"* ]]
}

@test "resend --to: what waits for that target already is not sent twice, and that is said" {
	make_two
	lay 00000001 success/J.a,outgoing/b/J SeriesInstanceUID=1.2.1
	run -1 verb resend 1.2.1 --to b --yes
	[[ $output == *"$(job_of 00000001) waits for b already, as $(job_of 00000001); it is not sent twice"* ]]
	[ "$(jobs_in outgoing/b)" -eq 1 ]
	verb resend "$(job_of 00000001)" --to a --yes
	run -1 verb resend "$(job_of 00000001)" --to a --yes
	[[ $output == *"$(job_of 00000001) waits for a already, as $(jobs_of a); it is not sent twice"* ]]
	mkdir -p "$SPOOL/sending/a"
	mv "$SPOOL/outgoing/a/$(jobs_of a)" "$SPOOL/sending/a/"
	run -1 verb resend "$(job_of 00000001)" --to a --yes
	[ "$(jobs_in outgoing/a)" -eq 0 ]
	# when it has come to rest it may go again
	mv "$SPOOL"/sending/a/2* "$SPOOL/success/gone.a"
	verb resend "$(job_of 00000001)" --to a --yes
	[ "$(jobs_in outgoing/a)" -eq 1 ]
}

@test "resend: two at once: who comes too late says that somebody else has moved it" {
	make_two
	local job
	job=$(job_of 00000001)
	lay 00000001 discard/J PatientID=17
	mkfifo "$BATS_TEST_TMPDIR/answer"
	start late script -qec "$(printf '%q ' "$BIN/dcmspool-resend" -c "$CONF" 17)" "$BATS_TEST_TMPDIR/said" <"$BATS_TEST_TMPDIR/answer"
	exec 7>"$BATS_TEST_TMPDIR/answer"
	wait_for grep -q 'Route again these' "$BATS_TEST_TMPDIR/said"
	verb resend 17 --yes
	echo y >&7
	exec 7>&-
	wait_for grep -q "discard/$job is there no longer: somebody else has moved it; see: dcmspool find $job" "$BATS_TEST_TMPDIR/said"
	[ "$(jobs_in incoming)" -eq 1 ]
}

@test "send: an empty directory is said to be one" {
	make_two
	mkdir "$BATS_TEST_TMPDIR/empty"
	run -1 verb send --to a "$BATS_TEST_TMPDIR/empty"
	[[ $output == *"there is nothing to send: no file lies there"* ]]
}
