# ahead.bats: sending ahead, rules with cut_through (STATES.md 5a).

load ../helper
load ../router
load dispatch

teardown() {
	stop_all
	show_state
}

# target NAME SETTING...: one of the configuration, at $TARGET_PORT
target() {
	local name=$1
	shift
	echo "target \"$name\" { type = dicom host = \"127.0.0.1\" port = $TARGET_PORT aec = \"${name^^}\"
		retry_min = 100ms retry_max = 200ms $* }"
}
ahead_rule() { echo "rule \"ahead\" { match = \"True\" targets = { $1 } cut_through = yes ${*:2} }"; }

# make_ahead LINE...: a series is complete when somebody says so. Everything goes to pacs, ahead.
make_ahead() {
	TARGET_PORT=$(free_port)
	[ $# -gt 0 ] || set -- "$(target pacs)" "$(ahead_rule '"pacs"')"
	GRACE=100s TIMEOUT=1000s make_router "$@"
}
fake() {
	start fake python3 "$TOP/tests/tools/fakescp.py" "$TARGET_PORT" show=1 "$@"
	wait_for listens "$TARGET_PORT"
}
stored() { grep -c ' 0000$' "$BATS_TEST_TMPDIR/fake.log"; }
has_stored() { [ "$(stored)" -eq "$1" ]; }
associations() { grep -c ^association "$BATS_TEST_TMPDIR/fake.log"; }

# send_images FROM TO: of the series that images made
send_images() {
	local i
	rm -rf "$BATS_TEST_TMPDIR/part"
	mkdir "$BATS_TEST_TMPDIR/part"
	for ((i = $1; i <= $2; i++)); do
		ln "$(printf '%s/study/SE0001/IM%05d.dcm' "$BATS_TEST_TMPDIR" "$i")" "$BATS_TEST_TMPDIR/part/"
	done
	send "$BATS_TEST_TMPDIR/part"
}
complete() { touch "$(echo "$SPOOL"/incoming/*)/.complete"; }
# the_entry: of the only series that is sent ahead, wherever it is
the_entry() { find "$SPOOL"/outgoing/* "$SPOOL"/sending/* -maxdepth 1 -name '*.ahead' 2>/dev/null; }
no_entry() { [ -z "$(the_entry)" ]; }
sends_ahead() { compgen -G "$SPOOL/sending/pacs/*.ahead" >/dev/null; }
waits_ahead() { compgen -G "$SPOOL/outgoing/pacs/*.ahead" >/dev/null; }

@test "ahead: images are sent while their series is being received, each once, and one success comes of it" {
	make_ahead
	images 6
	fake 0000
	start_all
	send_images 1 3
	wait_for has_stored 3
	has_jobs success 0
	[ -n "$(ls "$SPOOL"/incoming/*/ahead.json)" ]
	send_images 4 6
	wait_for has_stored 6
	has_jobs success 0
	complete
	wait_for has_jobs success 1
	[ "$(stored)" -eq 6 ]
	wait_for at_rest
	[ "$(images_in "$SPOOL/success")" -eq 6 ]
	[ "$(grep -c stored "$SPOOL"/success/*/sent.log)" -eq 6 ]
	[ ! -e "$(ls -d "$SPOOL"/success/*)/ahead.json" ]
	[ "$(journal sent | jq -r .images)" -eq 6 ]
}
