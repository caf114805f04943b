# An association and its getdcmtags are children of the receiver that are forked and not executed: they have nothing of
# its descriptors but the spool's, they are processes of their own, and they keep the configuration that they began with.

# shellcheck disable=SC2030,SC2031,SC2154 # start() sets pid_NAME

bats_require_minimum_version 1.5.0
load ../helper
load ../router

setup() { cd "$BATS_TEST_TMPDIR" || return; }

teardown() {
	stop_all
	wait_for no_processes
	show_state || true
}

rawsend() { "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$@"; }
received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }

# open_association: of a connection that stays; its pid and that of its getdcmtags
open_association() {
	study study -s 1 -n 2 -r 16 -c 16 -u 1.2.3.4
	stay_connected study/*/*
	wait_for has_images "$SPOOL/incoming" 2
	association=$(running dcmspool-association)
	tags=$(running getdcmtags)
}

# descriptors PID: what they are, without the numbers of one run
descriptors() {
	find "/proc/$1/fd" -type l -printf '%l\n' | sed -E "s|$PWD/||; s/:\[[0-9]+\]//; s|receiving/2.*|receiving/A|" | sort
}

@test "forked: an association has no descriptor of the receiver's but the spool's, getdcmtags none of the association's but the lock" {
	make_router
	start_receiver
	wait_for grep -q 'a storescp waits' receiver.log
	start silent python3 "$BATS_TEST_DIRNAME/caller.py" "$PORT" silent 9
	wait_for grep -q ready silent.log
	open_association
	descriptors "$association" >is
	cat is
	# 0, its output twice; signals and a timer; the end of getdcmtags' input; storescp's log and its end
	grep -vxE 'spool(/[a-z]+)?|spool/receiving/A' is | sort | uniq -c | awk '{ print $1, $2 }' >others
	diff others - <<-END
		1 /dev/null
		1 anon_inode:[signalfd]
		1 anon_inode:[timerfd]
		2 pipe
		2 receiver.log
		1 socket
		1 spool/.places
	END
	[ "$(grep -c 'spool/receiving/A' is)" -eq 1 ]
	descriptors "$tags" >is
	cat is
	grep -vxE 'spool(/[a-z]+)?|spool/receiving/A|spool/incoming/.*' is | sort | uniq -c | awk '{ print $1, $2 }' >others
	diff others - <<-END
		1 anon_inode:[timerfd]
		1 anon_inode:inotify
		1 pipe
		2 receiver.log
	END
}

@test "forked: reload does not wait for what is open; that keeps its configuration, the next has the new one" {
	local before
	make_router
	start_receiver
	open_association
	before=$(stat -c %i "$CONF")
	cp "$CONF" new
	sed -i 's/receiver {/receiver { calling_aets = "NOBODY"/' new
	mv new "$CONF"
	rawsend -E # what runs goes by what it has read
	kill -HUP "$pid_receiver"
	wait_for grep -q 'beginning anew' receiver.log
	ready() { [ "$(grep -c ': info: ready' receiver.log)" -eq 2 ]; }
	wait_for ready
	run -1 rawsend -E
	[[ $output == *'rejected 1 1 3'* ]]
	[ "$(running dcmspool-association)" = "$association" ]
	[ -z "$(find /proc/[0-9]*/fd -inum "$before" 2>/dev/null)" ]
	stop "$pid_sender"
	wait_for received
	[ "$(journal association-ended | jq -r .how | xargs)" = 'clean clean' ]
}

@test "forked: an association that is killed, or getdcmtags, takes nobody along" {
	make_router
	start_receiver
	open_association
	kill -SEGV "$tags"
	wait_for grep -q 'getdcmtags ended early association=.* status=139' receiver.log
	wait_for files_again
	kill -SEGV "$association"
	wait_for received
	rawsend -E
	kill -0 "$pid_receiver"
	[ "$(journal association-ended | jq -r .how | sort | xargs)" = 'clean recovered' ]
	has_images "$SPOOL/incoming" 2
}
files_again() { [ -n "$(running getdcmtags)" ]; }
