#!/usr/bin/env bats
# dcmspool echo: what is said of each target, and that nothing else happens.
# bats file_tags=sender

load ../helper

setup() {
	CONF=$BATS_TEST_TMPDIR/dcmspool.conf
	export ASAN_OPTIONS=detect_leaks=0
}

teardown() { stop_all; }

# configure LINE...: a configuration with these targets
configure() {
	{
		echo "spool = \"$BATS_TEST_TMPDIR/spool\""
		printf '%s\n' "$@"
		echo 'rule "none" { match = "False" action = discard }'
	} >"$CONF"
}

# fake ANSWER...: a target that plays faults, at $PORT
fake() {
	PORT=$(free_port)
	start fake python3 "$TOP/tests/tools/fakescp.py" "$PORT" "$@"
	wait_for listens "$PORT"
}

echo_target() { run "$BIN/dcmspool" echo -c "$CONF" "$@"; }

@test "echo: a target that answers, and one that does not" {
	fake show=1
	configure "target \"pacs\" { type = dicom host = 127.0.0.1 port = $PORT aec = PACS aet = ROUTER }" \
		"target \"down\" { type = dicom host = 127.0.0.1 port = $(free_port) aec = PACS }"
	echo_target pacs
	[ "$status" -eq 0 ]
	[ "$output" = 'pacs: ok' ]
	grep -q '^association ROUTER  *PACS ' "$BATS_TEST_TMPDIR/fake.log" # as images would be sent
	echo_target down
	[ "$status" -eq 111 ]
	[[ $output = 'down: 127.0.0.1:'*'Connection refused' ]]
	echo_target all
	[ "$status" -eq 111 ]
	grep -qx 'pacs: ok' <<<"$output" # whichever comes first
	grep -q '^down: ' <<<"$output"
	[ "${#lines[@]}" -eq 2 ]
	[ ! -e "$BATS_TEST_TMPDIR/spool" ]
}

@test "echo: all targets are asked at once" {
	fake echo=meet
	configure "target \"a\" { type = dicom host = 127.0.0.1 port = $PORT aec = PACS }" \
		"target \"b\" { type = dicom host = 127.0.0.1 port = $PORT aec = PACS }"
	echo_target all
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = $'a: ok\nb: ok' ] # as they come
}

@test "echo: what is wrong with the settings, a sender without a word, one that is not there" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$BIN"/{dcmspool,dcmspool-echo,send-dicom} "$BATS_TEST_TMPDIR/bin"
	BIN=$BATS_TEST_TMPDIR/bin
	printf '#!/bin/sh\n[ "$1 $TARGET_CODE" = "-p $TARGET_CODE" ] && exit "$TARGET_CODE"\n' >"$BIN/send-code"
	printf '#!/bin/sh\nprintf "target\\t-\\t-\\tbell \\a and more\\n"\n' >"$BIN/send-odd"
	echo '#!/nonexistent' >"$BIN/send-nosuch"
	chmod +x "$BIN"/send-*
	configure 'target "bad" { type = dicom host = 127.0.0.1 aec = A tls = yes tls_ca = "/nonexistent" }' \
		'target "quiet" { type = code settings = { "code=7" } }' \
		'target "good" { type = code settings = { "code=0" } }' \
		'target "odd" { type = odd }' 'target "gone" { type = nosuch }'
	echo_target bad
	[ "$status" -eq 100 ]
	[[ $output = *'bad: unable to read /nonexistent (TARGET_TLS_CA)'* ]]
	echo_target good
	[ "$status" -eq 0 ]
	echo_target quiet
	[ "$status" -eq 111 ]
	[ "$output" = 'quiet: send-code ended with status 7 and told no reason' ]
	echo_target odd # the line counts, not the exit status
	[ "$status" -eq 111 ]
	[ "$output" = 'odd: bell   and more' ]
	echo_target gone
	[ "$status" -eq 100 ]
	[[ $output = *'gone: there is no send-nosuch that can be started' ]]
	echo_target all
	[ "$status" -eq 100 ]
}

@test "echo: a target that keeps its sender waiting is given up; the others' answers come before" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$BIN"/{dcmspool,dcmspool-echo} "$BATS_TEST_TMPDIR/bin"
	BIN=$BATS_TEST_TMPDIR/bin
	printf '#!/bin/sh\n[ "$TARGET_WAIT" = no ] || exec tail -f /dev/null\n' >"$BIN/send-tail"
	chmod +x "$BIN/send-tail"
	configure 'target "slow" { type = tail settings = { "wait=yes", "timeout=1" } }' \
		'target "quick" { type = tail settings = { "wait=no" } }' \
		'target "ever" { type = tail settings = { "wait=yes" } }'
	start alone "$BIN/dcmspool" echo -c "$CONF" slow
	start echo "$BIN/dcmspool" echo -c "$CONF" all
	wait_for grep -q '^slow' "$BATS_TEST_TMPDIR/echo.log"
	kill -0 "$pid_echo" # one is still being asked
	[ "$(cat "$BATS_TEST_TMPDIR/echo.log")" = 'quick: ok
slow: no answer within 7 s; send-tail was ended' ]
	stop "$pid_echo"
	status=0
	wait "$pid_alone" || status=$?
	[ "$status" -eq 111 ]
}

@test "echo: no such target, no target, no operand" {
	configure 'target "pacs" { type = dicom host = 127.0.0.1 aec = PACS }'
	echo_target pasc
	[ "$status" -eq 100 ]
	[[ $output = *'there is no target pasc in '*'did you mean pacs?'* ]]
	echo_target
	[ "$status" -eq 100 ]
	[[ $output = *usage:* ]]
	echo_target pacs pacs
	[ "$status" -eq 100 ]
	echo_target -n
	[ "$status" -eq 0 ]
	[[ $output = *': ok' ]]
}

@test "echo: what is held or paused is told after the answer; nothing else of the spool is needed" {
	configure 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }'
	mkdir -p "$BATS_TEST_TMPDIR"/a "$BATS_TEST_TMPDIR"/b "$BATS_TEST_TMPDIR"/spool/outgoing/{a,b}
	echo 'since 20261101T100000.000000Z by alice: a move' >"$BATS_TEST_TMPDIR/spool/outgoing/a/held"
	printf '{"until": "20991231T000000.000000Z", "reason": "no \\u001broute"}' >"$BATS_TEST_TMPDIR/spool/outgoing/b/paused.json"
	echo_target all
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 4 ]
	[ "${lines[2]}" = "a: it is held (since 20261101T100000.000000Z by alice: a move): nothing is sent; end that with: dcmspool release a" ]
	[[ ${lines[3]} == "b: it is paused until "20*", it failed: no \\x1broute; try its jobs now with: dcmspool retry b" ]]
	touch "$BATS_TEST_TMPDIR/spool/outgoing/held"
	echo_target b
	[[ ${lines[1]} == "b: all targets are held: nothing is sent; end that with: dcmspool release all" ]]
}
