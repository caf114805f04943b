# Acknowledged is a rename: what storescp has acknowledged is <file>.ok, is filed at once, and nothing else is
# ever filed. Real storescp, real getdcmtags.

load ../helper
load ../router

teardown() {
	stop_all
	show_state || true # there may be no log
}

# raw ARGUMENT...: images in one connection
raw() { "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$@"; }

received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }

# storescp_files: what is being received, not yet acknowledged
storescp_files() {
	find "$SPOOL/receiving" -mindepth 2 -type f ! -name '.*' ! -name '*.ok' ! -name association.json
}
receives() { [ -n "$(storescp_files)" ]; }

# slow_getdcmtags: its watch is in place only a second after it was asked for
slow_getdcmtags() {
	start tracer strace -f -o "$BATS_TEST_TMPDIR/watches" -p "$pid_receiver" -e trace=inotify_add_watch \
		-e inject=inotify_add_watch:delay_exit=1000000
	wait_for grep -q attached "$BATS_TEST_TMPDIR/tracer.log"
}

# pausing_sender FILE...: sends these, and of the last one the half; then waits until its input ends
pausing_sender() {
	mkfifo "$BATS_TEST_TMPDIR/pause"
	# shellcheck disable=SC2016 # the inner shell's words
	start sender sh -c 'exec "$@" <>"$0"' "$BATS_TEST_TMPDIR/pause" \
		"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL -W $# "$@"
}

@test "the file that storescp is writing is never taken for a whole one, whatever getdcmtags has missed" {
	command -v strace >/dev/null || skip "strace is missing"
	make_router
	start_receiver
	slow_getdcmtags
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 4 -r 300 -c 300 -u 1.2.3.4
	pausing_sender "$BATS_TEST_TMPDIR/study/SE0001/"*
	wait_for receives
	wait_for has_images "$SPOOL/incoming/1.2.3.4" 3
	stop "$pid_sender"
	wait_for received
	has_images "$SPOOL/incoming" 3
	has_jobs error 0
	grep -q 'inotify_add_watch.*DELAYED' "$BATS_TEST_TMPDIR/watches"
}

@test "an open, silent connection holds no image back: all go after series_timeout, as one job" {
	TIMEOUT=1s
	make_router
	start_all
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -u 1.2.3.4
	stay_connected "$BATS_TEST_TMPDIR/study/SE0001/"*
	wait_for has_jobs success 1
	[ "$(jobs_in receiving)" -eq 1 ]
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
	[ "$(find "$SPOOL/receiving" -type f ! -name '.*' ! -name association.json | wc -l)" -eq 0 ]
}

@test "an image that was whole but not acknowledged is removed, whoever dies" {
	local a
	make_router
	a=$SPOOL/receiving/20261122T140301.123456Z.1
	mkdir "$a"
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -u 1.2.3.4
	echo '{"association": "x", "peer": "127.0.0.1", "ok": true}' >"$a/association.json"
	cp "$BATS_TEST_TMPDIR/study/SE0001/IM00001.dcm" "$a/CT.X.1.ok"
	cp "$BATS_TEST_TMPDIR/study/SE0001/IM00002.dcm" "$a/CT.X.2"
	"$BIN/dcmspool-association" -c "$CONF" -r 20261122T140301.123456Z.1
	received
	has_images "$SPOOL/incoming" 1
	cmp "$BATS_TEST_TMPDIR/study/SE0001/IM00001.dcm" "$SPOOL"/incoming/1.2.3.4/*.dcm
}

@test "what a dcmspool of format 1 has left in receiving/ is walked, and filed when it is whole" {
	local a
	make_router
	a=$SPOOL/receiving/20261122T140301.123456Z.1
	mkdir "$a"
	echo 1 >"$SPOOL/.format"
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -u 1.2.3.4
	echo '{"association": "x", "peer": "127.0.0.1"}' >"$a/association.json"
	cp "$BATS_TEST_TMPDIR/study/SE0001/"*.dcm "$a/"
	truncate -s -100 "$a/IM00003.dcm"
	"$BIN/dcmspool-association" -c "$CONF" -r 20261122T140301.123456Z.1
	received
	[ "$(cat "$SPOOL/.format")" = 2 ]
	has_images "$SPOOL/incoming" 2
	has_images "$SPOOL/error" 1
}

@test "a C-ECHO after an image that broke off, or between images, acknowledges nothing" {
	make_router
	start_receiver
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -u 1.2.3.4
	raw -E "$BATS_TEST_TMPDIR/study/SE0001/"* >"$BATS_TEST_TMPDIR/out"
	[ "$(grep -c ' 0000$' "$BATS_TEST_TMPDIR/out")" -eq 3 ]
	wait_for received
	has_images "$SPOOL/incoming" 2
	journal association-ended | jq -e '.received == "2" and .filed == "2" and .how == "clean"'
}

@test "the image that cannot be marked is not acknowledged: storescp ends without an answer" {
	make_router
	start_receiver
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 1 -r 300 -c 300 -u 1.2.3.4
	pausing_sender "$BATS_TEST_TMPDIR/study/SE0001/"*
	wait_for receives
	rm "$(storescp_files)"
	echo go >"$BATS_TEST_TMPDIR/pause"
	wait_for grep -q closed "$BATS_TEST_TMPDIR/sender.log"
	[ "$(grep -c 0000 "$BATS_TEST_TMPDIR/sender.log")" -eq 0 ]
	wait_for received
	grep -q 'unable to mark the image being received: No such file or directory; ' "$BATS_TEST_TMPDIR/receiver.log"
	has_images "$SPOOL/incoming" 0
	journal association-ended | jq -e '.received == "0" and .how == "broken"'
}

@test "the journal counts what an association has brought" {
	make_router
	start_receiver
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -u 1.2.3.4
	study "$BATS_TEST_TMPDIR/bad" -s 1 -n 1 -u 1.2.3.5
	raw "$BATS_TEST_TMPDIR/study/SE0001/"*
	raw -C 4000 "$BATS_TEST_TMPDIR/bad/SE0001/"*
	raw "$BATS_TEST_TMPDIR/study/SE0001/"*
	wait_for received
	journal association-ended | jq -r '[.received, .filed, .duplicates, .quarantined] | join(" ")' |
		sort >"$BATS_TEST_TMPDIR/counts"
	cat "$BATS_TEST_TMPDIR/counts"
	[ "$(sed -n 2,3p "$BATS_TEST_TMPDIR/counts" | xargs)" = "3 0 3 0 3 3 0 0" ]
}

@test "a router that is stopped with a batch in its hands holds up that series, not the others" {
	make_router
	start_receiver
	study "$BATS_TEST_TMPDIR/held" -s 1 -n 4 -u 1.2.3.4
	study "$BATS_TEST_TMPDIR/other" -s 1 -n 2 -u 1.2.3.5
	mkdir "$SPOOL/incoming/1.2.3.4"
	mkfifo "$BATS_TEST_TMPDIR/hold"
	# shellcheck disable=SC2016 # the inner shell's words
	start router flock -F "$SPOOL/incoming/1.2.3.4" sh -c 'echo locked; read -r _ <"$0"' "$BATS_TEST_TMPDIR/hold"
	wait_for grep -q locked "$BATS_TEST_TMPDIR/router.log"
	raw "$BATS_TEST_TMPDIR/held"/*/* "$BATS_TEST_TMPDIR/other"/*/*
	wait_for has_images "$SPOOL/incoming/1.2.3.5" 2
	has_images "$SPOOL/incoming/1.2.3.4" 0
	echo >"$BATS_TEST_TMPDIR/hold"
	wait_for has_images "$SPOOL/incoming/1.2.3.4" 4
	wait_for received
}
