# ahead.bash: a batch that is being received, and what is sent of it ahead.

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
# complete [N]: the only series, when it has N images
complete() {
	[ $# -eq 0 ] || wait_for has_batch "$1"
	touch "$(echo "$SPOOL"/incoming/*)/.complete"
}
has_batch() { [ "$(images_in "$SPOOL/incoming")" -eq "$1" ]; }
# the_entry: of the only series that is sent ahead, wherever it is
the_entry() { find "$SPOOL"/outgoing/* "$SPOOL"/sending/* -maxdepth 1 -name '*.ahead' 2>/dev/null; }
no_entry() { [ -z "$(the_entry)" ]; }
sends_ahead() { compgen -G "$SPOOL/sending/pacs/*.ahead" >/dev/null; }
waits_ahead() { compgen -G "$SPOOL/outgoing/pacs/*.ahead" >/dev/null; }
