# dcmspool scale: more or fewer routers and dispatchers while the router runs.

load whole
scale() { timeout 100 "$BIN/dcmspool" scale -c "$CONF" "$@"; }
count() { running "dcmspool-$1" | wc -l; }
supervised() { running s6-supervise | wc -l; }

@test "scale: more and fewer; a number that is there already; what cannot be scaled; not kept over a restart" {
	make_up
	run -100 scale dispatcher 3
	[[ $output == *"no router runs on $SPOOL"* ]]
	start_and_wait
	run -0 --separate-stderr scale dispatcher 4
	[ "$output" = "dispatcher: 4 at work (before: 2); the next start of dcmspool up makes 2 again, as dispatcher.instances says" ]
	[ "$(count dispatcher)" -eq 4 ]
	scale router 1
	[ "$(count router)" -eq 1 ]
	[ "$(supervised)" -eq 7 ]
	scale router 1
	scale router 3
	[ "$(count router)" -eq 3 ]
	for odd in 0 x 1000 -1 ''; do
		run -100 scale router "$odd"
	done
	run -100 scale cleaner 2
	[[ $output == *'unable to scale cleaner: there is no such stage, or one program only; what can be scaled is: router, dispatcher'* ]]
	study "$BATS_TEST_TMPDIR/study" -s 3 -n 2 -r 16 -c 16
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 6
	press_ctrl_c
	wait_for ended "$pid_up"
	no_processes
	start_and_wait
	! grep -q error: "$BATS_TEST_TMPDIR/up.log"
}

# A sender that goes on when its target's file "go" is there.
make_slow() {
	own_sender slow <<-'END'
		#!/bin/sh
		cd "$TARGET_HOME" || exit 100
		[ "$1" = -p ] && exit 0
		while read -r image; do
			until [ -e go ]; do read -r _ <>fifo; done
			printf 'stored\t0000\t%s\tfine\n' "$image"
		done
	END
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	make_up "target \"slow\" { type = slow settings = { \"home=$BATS_TEST_TMPDIR\" } max_connections = 2 }" \
		'rule "all" { match = "True" targets = { "slow" } }'
}
go_on() {
	touch "$BATS_TEST_TMPDIR/go"
	for _ in 1 2 3 4 5 6; do echo; done 1<>"$BATS_TEST_TMPDIR/fifo"
}

@test "scale: fewer ends after the job it is at; a scale that was killed meanwhile is completed by the next" {
	make_slow
	start_and_wait
	one_series a 1.2.3
	one_series b 1.2.4
	send "$BATS_TEST_TMPDIR/a"
	send "$BATS_TEST_TMPDIR/b"
	wait_for has_jobs sending/slow 2
	start scale "$BIN/dcmspool" scale -c "$CONF" dispatcher 1
	wait_for test -d "$SPOOL/.service/.gone.dispatcher-2"
	run -111 scale dispatcher 2
	[[ $output == *'another dcmspool scale or reload is at work'* ]]
	stop "$pid_scale" KILL
	has_jobs sending/slow 2
	[ "$(count dispatcher)" -eq 2 ]
	go_on
	wait_for has_jobs success 2
	scale dispatcher 2
	[ "$(count dispatcher)" -eq 2 ]
	[ -z "$(ls -d "$SPOOL"/.service/.[gn]o* 2>/dev/null)" ]
	[ "$(grep -c 'sent job' "$BATS_TEST_TMPDIR/up.log")" -eq 2 ]
	! grep -q error: "$BATS_TEST_TMPDIR/up.log"
}
