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

# anew: with the configuration of now
anew() {
	kill -HUP "$pid_receiver"
	wait_for ready_again
}
ready_again() { [ "$(grep -c ': info: ready' receiver.log)" -eq 2 ]; }

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
	kill -ALRM "$(storescps)"
	wait_for ended 1
	grep -q 'storescp did neither answer nor end in time association=' receiver.log
	[ "$(journal association-ended | jq -r .how)" = broken ]
}

# silent NAME ARGUMENTS...: callers that say nothing
silent() {
	local name=$1
	shift
	start "$name" python3 "$BATS_TEST_DIRNAME/caller.py" "$PORT" silent "$@"
	wait_for grep -q ready "$name.log"
}

switches() { grep ctxt "/proc/$pid_receiver/status"; }

@test "300 silent callers of one address and 300 of 300 addresses hold no place, no process, and nobody up" {
	receive max_associations = 1 request_timeout = 60s
	silent one 300
	silent many 300 each
	for _ in 1 2 3; do
		rawsend -E # long before a silent one has to go
		wait_for received
	done
	[ -z "$(running dcmspool-association)" ]
	journal association-refused | jq -r .reason | grep -q 'too many connections.* without a request'
	stop "$pid_one"
	stop "$pid_many"
	[ "$(grep -c refused receiver.log)" -lt 100 ] # not each is told of
}

@test "a slow caller holds no place until his request is whole, and asleep means asleep" {
	receive max_associations = 1 request_timeout = 60s
	mkfifo half
	start slow bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $PORT -H half <>half"
	silent few 3
	rawsend -E
	wait_for received
	before=$(switches)
	read -r -t 2 <> <(:) || true # the time that is observed
	[ "$before" = "$(switches)" ]
}

@test "a request that is not whole in time: told, once per connection" {
	receive request_timeout = 1s
	mkfifo half
	run -1 timeout 15 "$TOOLS/rawsend" 127.0.0.1 "$PORT" -H half <>half
	run -1 timeout 15 "$TOOLS/rawsend" 127.0.0.1 "$PORT" -H connect <>half
	[ "$(journal association-refused | jq -r .reason | xargs)" = \
		'the A-ASSOCIATE-RQ did not come whole in time no request came in time' ]
}

@test "whoever has locked receiving/ and stands still keeps nobody out" {
	receive
	mkfifo hold
	start lock flock -F "$SPOOL/receiving" sh -c 'echo locked; read -r _ <>hold'
	wait_for grep -q locked lock.log
	signal "$pid_lock" STOP
	timeout 20 "$TOOLS/rawsend" 127.0.0.1 "$PORT" -E
	signal "$pid_lock" CONT
}

@test "an association that stands still keeps its own place, and its address' one, no more" {
	receive max_associations = 2 max_associations_per_peer = 1
	mkfifo hold
	start hang bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $PORT -H open <>hold"
	wait_for grep -q accepted hang.log
	association=$(running dcmspool-association)
	kill -STOP "$association"
	run -1 rawsend -E
	[[ $output == *'rejected 2 3 2'* ]]
	caller from 127.0.0.9 >other
	grep -q '^02' other # accepted
	kill -CONT "$association"
	stop "$pid_hang"
	wait_for received
	rawsend -E
}

refusals() { journal association-refused | jq -r "$1"; }

@test "sender: the first section that fits replaces the receiver's keys; none refuses by being there" {
	receive 'calling_aets = { "SCU" } called_aets = { "ROUTER" } accept = uncompressed request_timeout = 5s'
	cat >>"$CONF" <<-'END'
		sender "elsewhere" { calling_aets = "CT1" allow = "10.0.0.0\/8" called_aets = "NOBODY" }
		sender "CT1" { calling_aets = "CT1" called_aets = { "ROUTER", "NEW" } accept = all allow = "127.0.0.0\/8" }
		sender "CT2" { calling_aets = { "CT2", "CT3" } }
	END
	sed -i 's|\\/|/|g' "$CONF"
	anew
	study made -s 1 -n 1 -r 16 -c 16
	image=$(find made -name '*.dcm')
	raw() { "$TOOLS/rawsend" 127.0.0.1 "$PORT" "$@"; }
	run -1 raw -E -a CT4 -c ROUTER
	[[ $output == *'rejected 1 1 3'* ]]
	run -1 raw -E -a CT3 -c NEW
	[[ $output == *'rejected 1 1 7'* ]]
	run -1 raw -E -a CT1 -c OTHER
	[[ $output == *'rejected 1 1 7'* ]]
	raw -E -a SCU -c ROUTER
	raw -E -a CT3 -c ROUTER
	raw -a CT1 -c NEW -t 1.2.840.10008.1.2.4.70 "$image" >out # it sends all
	grep -q '^context 1 0 1.2.840.10008.1.2.4.70$' out
	run -1 raw -a CT2 -c ROUTER -t 1.2.840.10008.1.2.4.70 "$image" # the receiver's: uncompressed
	[ "$(refusals .reason | sort)" = "$(printf '%s\n' 'calling AE title empty or not in receiver.calling_aets' \
		'called AE title empty or not in receiver.called_aets' \
		'called AE title empty or not in sender.CT1.called_aets' | sort)" ]
	[ "$(refusals '.sender // "-"' | xargs)" = '- CT2 CT1' ]
	wait_for ended 4
	[ "$(journal association-opened | jq -r '.sender // "-"' | xargs)" = '- CT2 CT1 CT2' ]
	[ "$(cat "$SPOOL"/incoming/*/series.json | jq -r .association.sender)" = CT1 ]
	"$BIN/dcmspool" find -c "$CONF" sender=CT1
	run -1 "$BIN/dcmspool" find -c "$CONF" sender=CT2
}

@test "sender: places of its own, which nobody else can take" {
	receive max_associations = 1
	echo 'sender "CT1" { calling_aets = "CT1" max_associations = 1 }' >>"$CONF"
	anew
	mkfifo hold
	start hang bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $PORT -H open <>hold"
	wait_for grep -q accepted hang.log
	run -1 rawsend -E
	rawsend -E -a CT1
	wait_for ended 1
	start own bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $PORT -a CT1 -H open <>hold"
	wait_for grep -q accepted own.log
	run -1 rawsend -E -a CT1
	[[ $output == *'rejected 2 3 2'* ]]
	[ "$(refusals .reason | xargs)" = 'more associations than receiver.max_associations more associations than sender.CT1.max_associations' ]
}

@test "hold --receiver: callers are told to come back, while what is open goes on; release ends it" {
	receive
	mkfifo hold
	study made -s 1 -n 1 -r 16 -c 16
	start open "$TOOLS/rawsend" 127.0.0.1 "$PORT" -w 100 made/*/*.dcm
	wait_for grep -q accepted open.log
	"$BIN/dcmspool" hold -c "$CONF" -r 'new disk' --receiver | grep -qx -- 'reception: held'
	grep -q ': new disk$' "$SPOOL/receiving/held"
	run -1 rawsend -E
	[[ $output == *'rejected 2 3 1'* ]]
	[ "$(refusals .reason)" = 'reception is held' ]
	wait_for grep -q released open.log
	grep -q 0000 open.log
	stop "$pid_receiver"
	start_receiver # it survives a restart, and no recovery minds it
	run -1 rawsend -E
	grep -q 'warning: reception is held (since .*: new disk): callers are told to come back later; end that with: dcmspool release --receiver' receiver.log
	grep -q 'warning: association refused .*: reception is held; end that with: dcmspool release --receiver' receiver.log
	"$BIN/dcmspool" release -c "$CONF" --receiver | grep -qx -- 'reception: released'
	rawsend -E
	run -100 "$BIN/dcmspool" hold -c "$CONF" --receiver archive
	[ "$(journal held | jq -r .target)" = --receiver ]
}

@test "a dead name server delays no connection: storescp asks none for the host's own name" {
	unshare -rmn true || skip "no namespaces here"
	make_router
	run -0 unshare -rmn timeout 60 python3 "$BATS_TEST_DIRNAME/deadname.py" bash -c '
		"$1"/dcmspool-receiver -c "$2" 2>/dev/null & receiver=$! # <() below is one more
		until "$3"/rawsend 127.0.0.1 "$4" -E; do read -r -t 0.05 <> <(:); done
		kill $receiver
		wait' - "$BIN" "$CONF" "$TOOLS" "$PORT"
	[[ $output == *released*'queries 1' ]] # the first is its own, to see that it would be seen
}

@test "an image of odd length: the log and the journal name it and its sender" {
	receive
	# the command set of a C-STORE-RQ, then a data set fragment of 3 bytes
	caller odd 1.2.840.99.1 >out
	wait_for ended 1
	[ "$(journal image-refused | jq -r '.image + " " + .calling_aet + " " + .peer + " " + .association')" = \
		"1.2.840.99.1 ODD 127.0.0.1 $(journal association-ended | jq -r .association)" ]
	grep -q 'image refused .*calling=ODD image=1.2.840.99.1: its length is odd.* has to pad it' receiver.log
}
