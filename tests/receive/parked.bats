# The storescp that waits: a connection costs no start of DCMTK. Whoever is killed, nothing that was acknowledged is
# lost, no association ends "clean" that did not, and whatever it does not take gets a storescp of its own.

# shellcheck disable=SC2030,SC2031,SC2154 # start() sets pid_NAME

bats_require_minimum_version 1.5.0
load ../helper
load ../router

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkfifo hold
}

teardown() {
	stop_all
	wait_for no_processes
	show_state || true
}

receive() {
	make_router
	start_receiver
	wait_for waits 1
}

# waits N: a storescp has come to wait for the Nth time
waits() { [ "$(grep -c 'a storescp waits for connections' receiver.log)" -ge "$1" ]; }
# waiting: the pid of the one that waits
waiting() { pgrep -x storescp -P "$pid_receiver"; }
rawsend() { "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$@"; }
received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }
how() { journal association-ended | jq -r .how | xargs; }
parent() { ps -o ppid= -p "$1" | tr -d ' '; }
logged() { grep -q "$1" receiver.log; }
told() { [ "$(grep -c 'gets one of its own' receiver.log)" -eq "$1" ]; }

# hang NAME: an association that stays open
hang() {
	start "$1" bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $PORT -c DCMSPOOL -H open <>hold"
	wait_for grep -q accepted "$1.log"
}

# sending: a sender of 1500 images, which pauses between them, is at the 20th
sending() {
	study study -s 1 -n 1500 -r 16 -c 16 -u 1.2.3.4
	start sender "$TOOLS/rawsend" -w 10 127.0.0.1 "$PORT" -c DCMSPOOL study/*/*
	wait_for grep -q 'IM00020.dcm 0000' sender.log
}
all_filed() { [ "$(images_in "$SPOOL/incoming")" -ge "$(grep -c ' 0000$' sender.log)" ]; }

@test "waiting: a connection is a child of the one that waits, with its own directory, and no exec" {
	receive
	hang sender
	[ "$(parent "$(storescps)")" = "$(waiting)" ]
	[ "$(realpath "/proc/$(storescps)/cwd")" = "$(find "$PWD/spool/receiving" -mindepth 1 -maxdepth 1)" ]
	rawsend -E
	stop "$pid_sender"
	wait_for received
	[ "$(how)" = 'clean clean' ]
	told 0
}

@test "waiting: nobody wakes, and it is small" {
	local pid before
	receive
	rawsend -E
	wait_for received
	pid=$(waiting)
	before=$(grep ctxt "/proc/$pid/status" "/proc/$pid_receiver/status")
	read -r -t 6 <> <(:) || true # the time that is observed; storescp --fork wakes every five seconds
	[ "$before" = "$(grep ctxt "/proc/$pid/status" "/proc/$pid_receiver/status")" ]
	awk '/^Private/ { kb += $2 } END { print kb, "kB"; exit kb > 10000 }' \
		"/proc/$pid/smaps_rollup" "/proc/$pid_receiver/smaps_rollup"
}

@test "waiting: 64 callers at once, an image each; all are there, nothing is left" {
	receive
	study study -s 1 -n 64 -r 16 -c 16 -u 1.2.3.4
	find study -type f -print0 | xargs -0 -P 64 -n 1 "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL
	wait_for received
	has_images "$SPOOL/incoming" 64
	[ "$(journal association-ended | jq -r .how | sort | uniq -c | xargs)" = '64 clean' ]
	told 0
	[ "$(running storescp)" = "$(waiting)" ]
}

@test "waiting: it is killed while connections are open: they go on, the next gets one of its own, then another waits" {
	receive
	hang sender
	kill -KILL "$(waiting)"
	wait_for logged 'it ended with status 137; each gets one of its own'
	rawsend -E
	wait_for ended 1
	until waits 2; do rawsend -E; done
	hang other
	[ "$(parent "$(storescps | tail -n 1)")" = "$(waiting)" ]
	stop "$pid_sender"
	stop "$pid_other"
	wait_for received
	[ "$(how | tr -s ' ' '\n' | sort -u)" = clean ]
}
ended() { [ "$(journal association-ended | wc -l)" -ge "$1" ]; }

@test "waiting: it stands still: the connection gets one of its own, and nothing happens to it when it goes on" {
	receive
	study study -s 1 -n 2 -r 16 -c 16 -u 1.2.3.4
	kill -STOP "$(waiting)"
	rawsend study/*/* >out
	[ "$(grep -c ' 0000$' out)" -eq 2 ]
	logged 'the storescp that waits has not taken the connection association=.*: it gets one of its own'
	kill -CONT "$(waiting)"
	wait_for received
	rawsend -E
	wait_for received
	has_images "$SPOOL/incoming" 2
	[ "$(how)" = 'clean clean' ]
	[ "$(running storescp)" = "$(waiting)" ]
}

@test "its child is killed, or ends in a way of its own: broken, and what was acknowledged is filed" {
	local signal
	for signal in KILL SEGV ABRT TERM; do
		receive
		sending
		kill -"$signal" "$(storescps)"
		wait_for grep -q closed sender.log
		wait_for received
		all_filed
		[ "$(how)" = broken ]
		logged 'storescp was killed or has crashed association='
		stop "$pid_receiver"
		rm -r "$SPOOL" study receiver.log sender.log
	done
}

@test "the association is killed: its storescp dies at once, and what was acknowledged is recovered" {
	local pid
	receive
	sending
	pid=$(storescps)
	kill -KILL "$(running dcmspool-association)"
	wait_for -t 5 gone "$pid"
	wait_for grep -q closed sender.log
	wait_for received
	all_filed
	[ "$(how)" = recovered ]
	[ -n "$(waiting)" ]
}
gone() { ! kill -0 "$1" 2>/dev/null; }

@test "the receiver is killed: the one that waits ends, a connection goes on to its end" {
	local pid
	receive
	study study -s 1 -n 2 -r 16 -c 16 -u 1.2.3.4
	stay_connected study/*/*
	wait_for grep -q 'IM00002.dcm 0000' sender.log
	pid=$(waiting)
	stop "$pid_receiver" KILL
	wait_for gone "$pid"
	[ -n "$(storescps)" ]
	mv receiver.log receiver.old
	start_receiver
	wait_for waits 1
	stop "$pid_sender"
	wait_for received
	has_images "$SPOOL/incoming" 2
	[ "$(how)" = clean ]
}

@test "the receiver begins anew: another waits, with its settings, and connections go on" {
	local pid
	receive
	hang sender
	pid=$(waiting)
	sed -i 's/request_timeout/dimse_timeout = 77s request_timeout/' "$CONF"
	kill -HUP "$pid_receiver"
	wait_for waits 2
	wait_for gone "$pid"
	tr '\0' ' ' <"/proc/$(waiting)/cmdline" | grep -e '--dimse-timeout 77 '
	[ -n "$(storescps)" ]
	stop "$pid_sender"
	wait_for received
	[ "$(how)" = clean ]
}

# own_dcmtk: storescp and its network library, to be replaced
own_dcmtk() {
	mkdir dcmtk
	cp "$(command -v storescp)" dcmtk
	library=$(ldd dcmtk/storescp | awk '/libdcmnet/ { print $1 }')
	cp "$(ldd dcmtk/storescp | awk '/libdcmnet/ { print $3 }')" "dcmtk/$library"
	export PATH=$PWD/dcmtk:$PATH LD_LIBRARY_PATH=$PWD/dcmtk
}

@test "DCMTK is replaced: the one that waits is, too; its connections go on, none is refused" {
	local file n=1 pid
	own_dcmtk
	receive
	[ "$(realpath "/proc/$(waiting)/exe")" = "$PWD/dcmtk/storescp" ]
	hang sender
	for file in storescp "$library"; do
		pid=$(waiting)
		cp "dcmtk/$file" dcmtk/new
		mv dcmtk/new "dcmtk/$file"
		rawsend -E
		n=$((n + 1))
		wait_for waits $n
		wait_for gone "$pid"
		fails grep deleted "/proc/$(waiting)/maps"
	done
	[ "$(grep -c 'DCMTK was replaced: another storescp will wait for connections' receiver.log)" -eq 2 ]
	stop "$pid_sender"
	wait_for received
	[ "$(how)" = 'clean clean clean' ]
}
fails() { ! "$@"; }

@test "a storescp that does not wait: told, and every connection gets one of its own" {
	mkdir own
	cat >own/storescp <<-END
		#!/bin/sh
		case "\$*" in *" /dcmspool/profile "*) exit 7 ;; esac
		exec $(command -v storescp) "\$@"
	END
	chmod +x own/storescp
	export PATH=$PWD/own:$PATH
	make_router
	start_receiver
	wait_for logged 'unable to have a storescp wait for connections: it ended with status 7; each gets one of its own'
	study study -s 1 -n 2 -r 16 -c 16 -u 1.2.3.4
	rawsend study/*/*
	wait_for received
	has_images "$SPOOL/incoming" 2
	[ "$(how)" = clean ]
}
