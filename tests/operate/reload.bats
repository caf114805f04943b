# dcmspool reload: what runs takes a new configuration, and nobody notices.

load whole

start_ready() {
	start_and_wait
	wait_for are_ready 6
}
are_ready() { [ "$(grep -c 'ready spool=' "$BATS_TEST_TMPDIR/up.log")" -ge "$1" ]; }
pids_of_all() { s6-svstat -o pid "$SPOOL"/.service/receiver && running dcmspool-router && running dcmspool-dispatcher; }
reload() { timeout 100 "$BIN/dcmspool" reload -c "$CONF" "$@"; }
through() { # STUDY TARGET IMAGES
	study "$BATS_TEST_TMPDIR/$1" -s 1 -n 2 -r 16 -c 16
	send "$BATS_TEST_TMPDIR/$1"
	wait_for has_images "$BATS_TEST_TMPDIR/$2" "$3"
}
told() { grep -q "$1" "$BATS_TEST_TMPDIR/up.log"; }

# A sender that goes on when its target's file "go" is there, and a target of it.
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
	make_up "target \"slow\" { type = slow settings = { \"home=$BATS_TEST_TMPDIR\" } }" \
		'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "slow" } }'
}
go_on() {
	touch "$BATS_TEST_TMPDIR/go"
	for _ in 1 2 3 4; do echo; done 1<>"$BATS_TEST_TMPDIR/fifo"
}

@test "reload: new rules at once, the same processes, a port more and one less, an open connection goes on" {
	local before other
	make_up
	start_ready
	before=$(pids_of_all)
	study "$BATS_TEST_TMPDIR/open" -s 1 -n 2 -r 16 -c 16
	stay_connected "$BATS_TEST_TMPDIR"/open/*/*
	wait_for grep -q 'IM00002.dcm 0000' "$BATS_TEST_TMPDIR/sender.log"
	other=$(free_port)
	sed -i "s/port = $PORT/port = { $PORT, $other }/; s/targets = { \"archive\" }/targets = { \"new\" }/" "$CONF"
	echo 'target "new" { type = folder path = "new" }' >>"$CONF"
	run -0 --separate-stderr reload
	[ "$output" = "$CONF is what runs" ]
	[ "$(pids_of_all)" = "$before" ]
	[ -d "$SPOOL/outgoing/new" ]
	listens "$other"
	through study new 2
	[ -n "$(ls "$SPOOL/receiving")" ]
	kill "$pid_sender"
	wait_for has_images "$BATS_TEST_TMPDIR/new" 4
	sed -i "s/port = { $PORT, $other }/port = $other/" "$CONF"
	reload
	! listens "$PORT"
	echoscu -aec DCMSPOOL 127.0.0.1 "$other"
	told "no longer listening on 127.0.0.1 port $PORT"
	[ "$(pids_of_all)" = "$before" ]
	! told 'error:'
}

@test "reload: what has a mistake, or can be told by a start only, changes nothing" {
	local before
	make_up
	start_ready
	before=$(md5sum <"$SPOOL/.service/dcmspool.conf")
	unchanged() {
		[ "$(md5sum <"$SPOOL/.service/dcmspool.conf")" = "$before" ] && ! told 'beginning anew' && up_runs
	}
	cp "$CONF" "$BATS_TEST_TMPDIR/good"
	sed -i 's/targets = { "archive" }/targets = { "archiv" }/' "$CONF"
	run -100 reload
	[[ $output == *"$CONF:"*archiv*"error: nothing was changed; what runs is as it was" ]]
	{ cat "$BATS_TEST_TMPDIR/good"; echo 'target "s3" { type = s3 url = "http://127.0.0.1:1/b" key_file = "key" }'; } >"$CONF"
	run -100 reload
	[[ $output == *"key_file of target s3: there is no file $BATS_TEST_TMPDIR/key; make it"* ]]
	touch "$BATS_TEST_TMPDIR/key"
	chmod 644 "$BATS_TEST_TMPDIR/key"
	run -100 reload
	[[ $output == *"key_file of target s3: others may read $BATS_TEST_TMPDIR/key; chmod 600 "* ]]
	sed "s|\"127.0.0.1\"|\"127.0.0.1\", \"192.0.2.1\"|" "$BATS_TEST_TMPDIR/good" >"$CONF"
	run -111 reload
	[[ $output == *'unable to listen on 192.0.2.1 port '* ]]
	sed "s|^spool = .*|spool = \"$BATS_TEST_TMPDIR/elsewhere\"|" "$BATS_TEST_TMPDIR/good" >"$CONF"
	run -100 reload
	[[ $output == *"no router runs on $BATS_TEST_TMPDIR/elsewhere; start one with: dcmspool up -c $CONF"* ]]
	unchanged
	[ -z "$(find "$SPOOL/.service" -maxdepth 1 -name '.before*')" ]
}

@test "reload: a job in flight is finished with the old one, who is at it is named; its target's queue is kept" {
	make_slow
	start_ready
	one_series a 1.2.3
	one_series b 1.2.4
	send "$BATS_TEST_TMPDIR/a"
	wait_for has_jobs sending/slow 1
	sed -i 's/targets = { "slow" }/targets = { "archive" }/; /^target "slow"/d' "$CONF"
	run -0 --separate-stderr reload -t 0
	[[ $output == *"at work with the old configuration until what they are at is done: dispatcher-"* ]]
	[[ $output == *"$CONF is what runs, but for those that are still at work: dispatcher-"* ]]
	send "$BATS_TEST_TMPDIR/b"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 2
	has_jobs sending/slow 1
	mkdir "$SPOOL/outgoing/slow/20260101T000000.000001Z.00000001.00000001"
	start reload "$BIN/dcmspool" reload -c "$CONF"
	wait_for grep -q 'until what they are at is done' "$BATS_TEST_TMPDIR/reload.log"
	go_on
	wait "$pid_reload"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/reload.log")" = "$CONF is what runs" ]
	has_jobs success 2
	has_jobs outgoing/slow 1
	! told 'error:'
}

@test "reload: what a program cannot work with is taken back, all work as before" {
	local before
	make_up
	# a router that does not start with a rule called "no"
	mkdir "$BATS_TEST_TMPDIR/bin"
	for program in "$BIN"/*; do ln -s "$program" "$BATS_TEST_TMPDIR/bin"; done
	cp --remove-destination "$BIN"/dcmspool "$BIN"/dcmspool-up "$BIN"/dcmspool-reload "$BATS_TEST_TMPDIR/bin"
	rm "$BATS_TEST_TMPDIR/bin/dcmspool-router"
	cat >"$BATS_TEST_TMPDIR/bin/dcmspool-router" <<-END
		#!/bin/sh
		if [ "\$1" = -c ] && grep -q '^rule "no"' "\$2"; then exit 100; fi
		exec -a "\$0" "$BIN/dcmspool-router" "\$@"
	END
	sed -i '1s/sh$/bash/' "$BATS_TEST_TMPDIR/bin/dcmspool-router"
	chmod +x "$BATS_TEST_TMPDIR/bin/dcmspool-router"
	BIN=$BATS_TEST_TMPDIR/bin start_and_wait
	before=$(md5sum <"$SPOOL/.service/dcmspool.conf")
	echo 'rule "no" { match = "False" targets = { "archive" } }' >>"$CONF"
	run -1 timeout 100 "$BATS_TEST_TMPDIR/bin/dcmspool-reload" -c "$CONF"
	[[ $output == *"unable to work with $CONF: router-"*"the old one is back"* ]]
	[ "$(md5sum <"$SPOOL/.service/dcmspool.conf")" = "$before" ]
	wait_for up_runs
	through study archive 2
	# what went down by itself is started, what somebody has stopped is not
	s6-svc -d "$SPOOL/.service/cleaner"
	mv "$SPOOL/routing" "$SPOOL/elsewhere"
	s6-svc -r "$SPOOL/.service/router-1"
	wait_for told 'router-1 is down and stays down'
	mv "$SPOOL/elsewhere" "$SPOOL/routing"
	sed -i '/^rule "no"/d; s/300ms/400ms/' "$CONF"
	timeout 100 "$BATS_TEST_TMPDIR/bin/dcmspool-reload" -c "$CONF"
	[ "$(running dcmspool-router | wc -l)" -eq 2 ]
	[ -z "$(running dcmspool-cleaner)" ]
}

@test "reload: instances are what the new one says; in the spool the file needs no name" {
	make_up
	start_ready
	sed -i 's/dispatcher { instances = 2 }/dispatcher { instances = 3 }/' "$CONF"
	cd "$SPOOL"
	run -0 timeout 100 "$BIN/dcmspool" reload
	[[ $output == *"dispatcher: 3 at work"* ]]
	[ "$(running dcmspool-dispatcher | wc -l)" -eq 3 ]
	cd "$BATS_TEST_TMPDIR"
}

@test "reload: again and again while senders call: none is refused, nothing is lost; connections are counted on" {
	local n=0
	make_up
	start_ready
	study "$BATS_TEST_TMPDIR/study" -s 2 -n 50 -r 16 -c 16
	# shellcheck disable=SC2016 # its own words
	start callers sh -c 'find "$0" -name "*.dcm" | xargs -n 1 -P 4 "$@"' "$BATS_TEST_TMPDIR/study" \
		"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL
	while ! ended "$pid_callers"; do
		n=$((n + 1))
		sed -i "s/association_grace = [0-9]*ms/association_grace = $((300 + n))ms/" "$CONF"
		reload
	done
	wait "$pid_callers"
	[ "$n" -ge 1 ]
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 100
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
	wait_for at_rest
	# one that is open over a reload is still the receiver's child, and nobody waits for its end
	stay_connected "$BATS_TEST_TMPDIR/study/SE0001/IM00001.dcm"
	wait_for grep -q 'IM00001.dcm 0000' "$BATS_TEST_TMPDIR/sender.log"
	sed -i 's/association_grace = /association_grace = 1/' "$CONF"
	reload
	[ -z "$(pgrep -f "dcmspool-association .*$SPOOL.* -r ")" ]
	! told 'error:'
}
