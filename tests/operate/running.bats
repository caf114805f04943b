# What else concerns a router that runs: verbs and a file that is being edited, two sites, another version.

bats_require_minimum_version 1.5.0
load ../helper
load ../router

teardown() {
	stop_all
	kill_processes
	[ -z "${OTHER-}" ] || SPOOL=$OTHER kill_processes
	show_state || true # there may be no spool
}

start_and_wait() {
	start_up
	wait_for listens "$PORT"
	wait_for up_runs
}

@test "running: a mistake in the file disables no verb that acts; they use what runs, and say so" {
	local verb
	make_up
	"$BIN/dcmspool" layout -c "$CONF"
	start_and_wait
	"$BIN/dcmspool" hold -c "$CONF" archive >"$BATS_TEST_TMPDIR/said" 2>&1
	! grep -q warning: "$BATS_TEST_TMPDIR/said"
	sed -i 's/retry_min/retry_mni/; s/targets = { "archive" }/targets = { "archiv" /; s/"archive" { type/"archive" { tpye/' "$CONF"
	for verb in 'hold archive' 'release archive' 'retry archive' 'echo archive' 'layout -n' 'scale router 2'; do
		# shellcheck disable=SC2086 # words
		run -0 --separate-stderr "$BIN/dcmspool" ${verb%% *} -c "$CONF" ${verb#* }
		[[ $stderr == *"$CONF:"*": "* ]]
		[[ $stderr == *"warning: $CONF has mistakes, see above; it is not what runs on $SPOOL, which is used; correct it"* ]]
	done
	run -100 "$BIN/dcmspool" check -c "$CONF"
	# a change that is right is told, too
	sed -i 's/targets = { "archiv" /targets = { "archive" }/; s/tpye/type/' "$CONF"
	run -0 --separate-stderr "$BIN/dcmspool" hold -c "$CONF" archive
	[ -z "$stderr" ]
	echo 'target "more" { type = folder path = "more" }' >>"$CONF"
	run -100 --separate-stderr "$BIN/dcmspool" hold -c "$CONF" more
	[[ $stderr == *"warning: $CONF differs from what runs on $SPOOL, which is used; dcmspool reload takes it"* ]]
	[[ $stderr == *'there is no target more in '*'; the targets are: archive'* ]]
	press_ctrl_c
	wait_for ended "$pid_up"
	run -0 --separate-stderr "$BIN/dcmspool" hold -c "$CONF" more
	[ -z "$stderr" ]
}

@test "running: two sites on one host, each with its own file and spool; verbs find theirs" {
	make_up
	start_and_wait
	local first=$SPOOL first_conf=$CONF first_port=$PORT first_up=$pid_up
	OTHER=$first
	mkdir "$BATS_TEST_TMPDIR/two"
	PORT=$(free_port)
	SPOOL=$BATS_TEST_TMPDIR/two/spool CONF=$BATS_TEST_TMPDIR/two/dcmspool.conf
	sed "s|^spool = .*|spool = \"spool\"|; s/port = $first_port/port = $PORT/" "$first_conf" >"$CONF"
	start_and_wait
	study "$BATS_TEST_TMPDIR/one" -s 1 -n 2 -r 16 -c 16
	(cd "$SPOOL" && "$BIN/dcmspool" hold archive && "$BIN/dcmspool" scale router 3)
	DCMSPOOL_CONF=$CONF "$BIN/dcmspool" reload
	[ -e "$SPOOL/outgoing/archive/held" ]
	[ ! -e "$first/outgoing/archive/held" ]
	(cd "$first" && "$BIN/dcmspool" echo archive)
	send "$BATS_TEST_TMPDIR/one"
	wait_for has_jobs outgoing/archive 1
	(PORT=$first_port && send "$BATS_TEST_TMPDIR/one")
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 2
	(cd "$SPOOL" && "$BIN/dcmspool" release archive)
	wait_for has_images "$BATS_TEST_TMPDIR/two/archive" 2
	stop "$pid_up"
	no_processes
	listens "$first_port"
	stop "$first_up"
}

@test "running: a newer version takes over a spool of format 1 with jobs in every stage; an older one refuses" {
	local stage
	make_up
	make_up_jobs() {
		"$BIN/dcmspool-layout" "$SPOOL"
		start_receiver
		start_routers 1
		for n in 1 2 3 4; do
			one_series "$n" "1.2.$n"
			send "$BATS_TEST_TMPDIR/$n"
		done
		wait_for has_jobs outgoing/archive 4
		stop "$pid_router1"
		stop "$pid_receiver"
		mkdir -p "$SPOOL/sending/archive"
		# shellcheck disable=SC2046 # names
		set -- $(ls "$SPOOL/outgoing/archive")
		mv "$SPOOL/outgoing/archive/$1" "$SPOOL/sending/archive/"
		mv "$SPOOL/outgoing/archive/$2" "$SPOOL/incoming/"
		mv "$SPOOL/outgoing/archive/$3" "$SPOOL/routing/"
		one_series 5 1.2.5
		mkdir "$SPOOL/receiving/20260101T000000.000001Z.1"
		cp "$BATS_TEST_TMPDIR"/5/*/* "$SPOOL/receiving/20260101T000000.000001Z.1/"
	}
	make_up_jobs
	for stage in receiving incoming routing outgoing/archive sending/archive; do
		[ -n "$(ls "$SPOOL/$stage")" ]
	done
	echo 1 >"$SPOOL/.format"
	start_and_wait
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 10
	wait_for at_rest
	[ "$(cat "$SPOOL/.format")" -gt 1 ]
	[ "$(images_in "$SPOOL/error")" -eq 0 ]
	press_ctrl_c
	wait_for ended "$pid_up"
	echo 1000 >"$SPOOL/.format"
	run -100 timeout 30 "$BIN/dcmspool" up --root -c "$CONF"
	[[ $output == *"the spool $SPOOL has format 1000, and this program knows none above "*"; run the newer dcmspool that made it"* ]]
	[[ $output != *'is starting'* ]]
	no_processes
}
