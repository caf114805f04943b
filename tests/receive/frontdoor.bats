# Callers that do not behave keep nobody out: what storescp would leave without an answer or without an end is
# answered and ended by us, and who says nothing has no place.

# shellcheck disable=SC2030,SC2031,SC2154 # start() sets pid_NAME

bats_require_minimum_version 1.5.0
load ../helper
load ../router

teardown() {
	stop_all
	wait_for no_processes
	show_state || true
}

# receive [KEYS]: a receiver with these keys of its section
receive() {
	cd "$BATS_TEST_TMPDIR"
	make_router
	sed -i "s/request_timeout = 5s/${*:-request_timeout = 5s}/" "$CONF"
	start_receiver
}

caller() { python3 "$BATS_TEST_DIRNAME/caller.py" "$PORT" "$@"; }
rawsend() { "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$@"; }
received() { [ -z "$(find "$SPOOL/receiving" -mindepth 1 -type d)" ]; }
ended() { [ "$(journal association-ended | wc -l)" -ge "$1" ]; }

@test "requests that storescp leaves without an answer get one, and the connection is closed" {
	receive max_associations = 1
	caller answer no-contexts no-syntax no-abstract no-user no-application other-application version-0 cut-off \
		nothing >out
	cat out
	abort=07000000000400000000
	diff - out <<-END
		no-contexts $abort
		no-syntax $abort
		no-abstract $abort
		no-user $abort
		no-application $abort
		other-application 03000000000400010102
		version-0 03000000000400010202
		cut-off $abort
		nothing $abort
	END
	received # before anything was answered
	rawsend -E
	[ "$(journal association-refused | jq -r .rejected | sort | uniq -c | awk '{ print $1, $2 }' | xargs)" = \
		'1 1/1/2 1 1/2/2 7 aborted' ]
	journal association-refused | jq -r .reason | grep -q 'no presentation context'
}

@test "a sender that does not hang up after storescp's last word is left" {
	receive
	caller keep '0500 00000004 00000000' >released & # a release
	caller keep '0400 00000008 00000004 01 02 6161' >aborted # of a data set, where a command belongs
	wait $!
	cat released aborted
	wait_for ended 2
	grep -qx '06000000000400000000 [456]' released
	grep -qx '07[0-9]* [456]' aborted
	[ "$(journal association-ended | jq -r .how | sort | xargs)" = 'aborted clean' ]
}

@test "a storescp that misses its deadline is ended" {
	receive
	mkfifo hold
	start hang bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $PORT -H open <>hold"
	wait_for grep -q accepted hang.log
	kill -ALRM "$(pgrep -P "$(running dcmspool-association)" storescp)"
	wait_for ended 1
	grep -q 'storescp did neither answer nor end in time association=' receiver.log
	[ "$(journal association-ended | jq -r .how)" = broken ]
}
