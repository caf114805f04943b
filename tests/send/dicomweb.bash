# dicomweb.bash: what the tests of send-dicomweb share: a server that plays faults, and what it was asked.

# web OPTION...: the fake server of tests/tools/fakestow.py, its requests in web.log.
web() {
	local port
	port=$(free_port)
	export TARGET_URL=http://127.0.0.1:$port/dicom-web
	start web python3 "$TOP/tests/tools/fakestow.py" "$port" "$@"
	wait_for listens "$port"
}

# secret SETTING TEXT: a file that only we may read, and the setting that names it.
secret() {
	(umask 077 && printf '%s\n' "$2" >"$BATS_TEST_TMPDIR/$1")
	export "TARGET_$1=$BATS_TEST_TMPDIR/$1"
}

lacks() { [ "$(grep -c -e "$2" "$BATS_TEST_TMPDIR/$1")" -eq 0 ]; } # "! grep" would be no test to bats
requests() { grep -c ^POST "$BATS_TEST_TMPDIR/web.log"; }
probe() { run "$BIN/send-dicomweb" -p </dev/null; }
