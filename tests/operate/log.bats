# The log of `dcmspool up`: with time, told once, with priorities in the journal, nothing of libraries.

load whole

TIME='20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}  '
LINE='[a-z][a-z-]*: (info|warning|error|fatal): .*'

through() {
	wait_for listens "$PORT"
	wait_for up_runs
	study "$BATS_TEST_TMPDIR/study" -s 4 -n 2 -r 16 -c 16
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 8
	wait_for at_rest
	cp -r "$BATS_TEST_TMPDIR/study" "$SPOOL/incoming/dropped"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 16
	wait_for at_rest
}

@test "log: on a terminal each line has its time and is one of ours; all that happened is told once" {
	make_up 'target "archive" { type = folder path = "archive" layout = "{StudyInstanceUID}/x{SeriesInstanceUID}/{SOPInstanceUID}" }' \
		'target "again" { type = folder path = "archive/again" }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	start_up
	wait_for listens "$PORT"
	wait_for up_runs
	study "$BATS_TEST_TMPDIR/study" -s 4 -n 2 -r 16 -c 16
	for n in 1 2 3; do
		send "$BATS_TEST_TMPDIR/study"
		wait_for has_jobs success $((4 * n))
		wait_for at_rest
	done
	press_ctrl_c
	wait_for ended "$pid_up"
	tr -d '\r' <"$BATS_TEST_TMPDIR/up.log" | sed -n '/^dcmspool is starting/,/stop  *Ctrl-C/!p' | grep -v '^\^C' >"$BATS_TEST_TMPDIR/lines"
	! grep -vE "^$TIME($LINE|dcmspool has stopped; .*)$" "$BATS_TEST_TMPDIR/lines"
	[ "$(grep -c ' sent job=' "$BATS_TEST_TMPDIR/lines")" -eq 12 ]
	[ "$(sort "$BATS_TEST_TMPDIR/lines" | uniq -d | wc -l)" -eq 0 ]
}

@test "log: --log writes files, with time, and nothing else is said; a folder that is none is refused" {
	make_up
	touch "$BATS_TEST_TMPDIR/file"
	run -100 timeout 30 "$BIN/dcmspool" up --root --log "$BATS_TEST_TMPDIR/file" -c "$CONF"
	[[ $output == *"unable to write into $BATS_TEST_TMPDIR/file; let it be a folder of "* ]]
	run -100 timeout 30 "$BIN/dcmspool" up --root -c "$CONF" --log
	[[ $output == *'option --log needs an argument; usage: '* ]]
	cd "$BATS_TEST_TMPDIR" # a folder from here
	start up "$BIN/dcmspool" up --root --log logs -c "$CONF"
	through
	kill "$pid_up"
	wait "$pid_up"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/up.log")" = '  stop              Ctrl-C' ]
	! grep -vE "^$TIME($LINE|dcmspool has stopped; .*)$" "$BATS_TEST_TMPDIR/logs/current"
	grep -q ' sent job=' "$BATS_TEST_TMPDIR/logs/current"
	grep -q 'dcmspool has stopped' "$BATS_TEST_TMPDIR/logs/current"
}

@test "log: in the journal each line begins with its priority, and has no time" {
	make_up
	# shellcheck disable=SC2016 # its own words
	start up sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2) exec "$@"' - "$BIN/dcmspool" up --root -c "$CONF"
	through
	mv "$SPOOL/routing" "$SPOOL/elsewhere"
	s6-svc -r "$SPOOL/.service/router-1"
	wait_for grep -q '^<3>dcmspool-up: error: router-1 is down' "$BATS_TEST_TMPDIR/up.log"
	grep -q '^<2>dcmspool-router: fatal: ' "$BATS_TEST_TMPDIR/up.log"
	mv "$SPOOL/elsewhere" "$SPOOL/routing"
	kill "$pid_up"
	wait "$pid_up"
	sed -n '/^dcmspool is starting/,/stop  *Ctrl-C/!p' "$BATS_TEST_TMPDIR/up.log" | grep -v '^dcmspool has stopped' \
		>"$BATS_TEST_TMPDIR/lines"
	! grep -vE "^<[2346]>$LINE$" "$BATS_TEST_TMPDIR/lines"
	! grep -E '^<6>.*(warning|error|fatal):' "$BATS_TEST_TMPDIR/lines"
	# elsewhere it is not the journal, whatever the environment says
	JOURNAL_STREAM=1:2 run -100 "$BIN/dcmspool" up --root -c "$BATS_TEST_TMPDIR/none.conf"
	[[ $output != *'<'* ]]
}

@test "log: what weighs is a warning: refused for want of room, with the remedy; a target paused, and back" {
	make_up "target \"archive\" { type = folder path = \"$BATS_TEST_TMPDIR/gone/archive\" retry_min = 1s retry_max = 2s }" \
		'rule "all" { match = "True" targets = { "archive" } }'
	sed -i 's/min_free = 1 /min_free = 100000000 /' "$CONF"
	touch "$BATS_TEST_TMPDIR/gone"
	start_up
	wait_for listens "$PORT"
	wait_for up_runs
	one_series one 1.2.3
	run send "$BATS_TEST_TMPDIR/one"
	wait_for grep -q 'warning: association refused .*: less free disk space than receiver.min_free; make room' "$BATS_TEST_TMPDIR/up.log"
	sed -i 's/min_free = 100000000 /min_free = 1 /' "$CONF"
	"$BIN/dcmspool" reload -c "$CONF"
	send "$BATS_TEST_TMPDIR/one"
	wait_for grep -q 'warning: target failed, paused target=archive' "$BATS_TEST_TMPDIR/up.log"
	rm "$BATS_TEST_TMPDIR/gone"
	mkdir -p "$BATS_TEST_TMPDIR/gone/archive"
	"$BIN/dcmspool" retry -c "$CONF" archive
	wait_for grep -q 'warning: target answers again, its pause is over target=archive' "$BATS_TEST_TMPDIR/up.log"
}
