# send-dicom-next.bats: many jobs over one association (DCMSPOOL_NEXT of dcmspool-sender(7)), handed out by a
# dispatcher that is played.
# bats file_tags=sender

load ../helper
load sender

# make_jobs N: the folders $BATS_TEST_TMPDIR/j1 ... of two images each
make_jobs() {
	local n
	for ((n = 1; n <= $1; n++)); do
		"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/made$n" -s 1 -n 2 -r 16 -c 16 -S "$n" >/dev/null
		mkdir "$BATS_TEST_TMPDIR/j$n"
		mv "$BATS_TEST_TMPDIR/made$n"/*/*.dcm "$BATS_TEST_TMPDIR/j$n"
	done
}

play() { run python3 "$BATS_TEST_DIRNAME/playnext.py" "$BIN/send-dicom" "$@"; }
associations() { grep -c ^association "$BATS_TEST_TMPDIR/fake.log"; }

@test "send-dicom: many jobs over one association" {
	cd "$BATS_TEST_TMPDIR"
	make_jobs 3
	fake show=1 0000
	play j1 j2 j3
	[ "$status" -eq 0 ]
	[ "$(cut -f1 <<<"$output" | tr '\n' ' ')" = 'stored stored ready stored stored ready stored stored ready exit 0 ' ]
	[ "$(associations)" -eq 1 ]
	[ "$(grep -c ' 0000$' fake.log)" -eq 6 ]
}

@test "send-dicom: without DCMSPOOL_NEXT nobody is told that it is ready" {
	images 1
	fake 0000
	send dicom 1.dcm
	[ "$(cut -f1 <<<"$output")" = stored ]
}

@test "send-dicom: other presentation contexts, other titles: another association" {
	cd "$BATS_TEST_TMPDIR"
	make_jobs 4
	sed -i 's/1\.2\.840\.10008\.5\.1\.4\.1\.1\.2\b/1.2.840.10008.5.1.4.1.1.4/g' j2/*.dcm
	for n in 1 2 3 4; do
		jq -n --arg from "CT$((n / 4))" '{association: {calling_aet: $from, called_aet: "PACS"}}' >"j$n/series.json"
	done
	fake show=1 0000
	TARGET_PASS_AET=yes play j1 j2 j3 j4
	[ "$(count ^stored)" -eq 8 ]
	[ "$(associations)" -eq 4 ] # for j3 as well: what was offered for j2 is not enough
	grep -q '^association CT1 ' fake.log
}

@test "send-dicom: a failure is told, and the next job is taken; an answer that is missing ends the chain" {
	cd "$BATS_TEST_TMPDIR"
	make_jobs 3
	fake 0000 a700 0000
	play j1 j2
	[ "$(cut -f1 <<<"$output" | tr '\n' ' ')" = 'stored failed ready stored stored ready exit 0 ' ]
	fake 0000 0000 abort
	play j1 j2 j3
	[ "$(cut -f1 <<<"$output" | tr '\n' ' ')" = 'stored stored ready doubt exit 111 ' ]
}

@test "send-dicom: a target that takes so many images over an association gets no more after a break, also in the next job" {
	cd "$BATS_TEST_TMPDIR"
	images 8
	make_jobs 2
	mv "$job"/*.dcm j1
	fake show=1 per=2 0000
	play j1 j2
	[ "$(count ^stored)" -ge 11 ]
	[ "$(count ^doubt)" -eq 1 ]
	[ "$(associations)" -eq 6 ] # 2 and the doubt, four of 2 (the last of 1), 2 of the next job
}

@test "send-dicom: an association that ends between two jobs costs nothing, and nobody wakes for it" {
	cd "$BATS_TEST_TMPDIR"
	make_jobs 2
	fake show=1 0000
	mkfifo go
	exec 7<>go
	start play python3 "$BATS_TEST_DIRNAME/playnext.py" "$BIN/send-dicom" j1 wait j2 <go
	wait_for grep -q ready "$BATS_TEST_TMPDIR/play.log"
	stop "$pid_fake"
	start fake python3 "$TOP/tests/tools/fakescp.py" "$TARGET_PORT" show=1 0000
	wait_for listens "$TARGET_PORT"
	echo >&7
	wait_for grep -q exit "$BATS_TEST_TMPDIR/play.log"
	exec 7<&-
	[ "$(cut -f1 "$BATS_TEST_TMPDIR/play.log" | tr '\n' ' ')" = 'stored stored ready stored stored ready exit 0 ' ]
}
