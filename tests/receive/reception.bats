# Reception: dcmspool-receiver and dcmspool-association with the real storescp and real senders.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # start() sets pid_NAME; titles are not expanded

bats_require_minimum_version 1.5.0
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p bin made spool/{receiving,incoming,routing,outgoing,sending,success,discard,error,journal}
	cp "$BIN"/{dcmspool-receiver,dcmspool-association,storescp.dic,storescp-write.so} bin/
	mkfifo unlock
}

teardown() {
	stop_all
	wait_for nothing_left
}

nothing_left() { ! pgrep -f "$BATS_TEST_TMPDIR/bin/" >/dev/null; }

# receiver [KEYS]: starts it, with these additional keys of the section receiver.
receiver() {
	: "${port:=$(free_port)}"
	cat >test.conf <<-EOF
		spool = "$BATS_TEST_TMPDIR/spool"
		receiver {
		    listen = { "127.0.0.1" }
		    port = $port
		    ${*:-min_free = 0}
		}
	EOF
	start receiver "$BATS_TEST_TMPDIR/bin/dcmspool-receiver" -c test.conf
	wait_for listens "$port"
}

rawsend() { "$TOOLS/rawsend" 127.0.0.1 "$port" "$@"; }

# study N: N CT images in made/.
study() { "$TOOLS/makestudy" made -s 1 -n "$1" -r 32 -c 32 -u 1.2.3.4 >/dev/null; }

# lock DIRECTORY, unlock: as a router has a batch, longer than getdcmtags waits for it
lock() {
	mkdir -p "$1"
	start lock flock -F "$1" bash -c 'echo locked; read -r _ <>unlock'
}
locked() { wait_for grep -q locked lock.log; }
unlock() { echo >unlock; }

events() { cat spool/journal/*.jsonl 2>/dev/null | jq -r "select(.event == \"$1\") | .${2:-association}"; }
ended() { [ "$(events association-ended | wc -l)" -ge "$1" ]; }
# associations: the pids that the names of their directories tell
associations() { find spool/receiving -mindepth 1 -maxdepth 1 | sort | sed 's/.*\.//'; }
alive() { [ "$(find spool/receiving -mindepth 1 -maxdepth 1 | wc -l)" -eq "$1" ]; }
fails() { ! "$@"; } # bats does not notice a failing "! command"
acknowledged() { grep -c ' 0000$' "$1"; } # images, by rawsend's output
filed() { find spool/incoming -name '*.dcm' | wc -l; }
clean() { [ -z "$(find spool/receiving -mindepth 1)" ] && [ -z "$(find spool/incoming -name '.assoc.*')" ]; }

# data FILE: the data set of a Part 10 file, after the group 0002, as checksum of dcmdump's text.
data() { dcmdump -q +L "$1" | grep -v '^(0002,' | grep -v '^#' | md5sum; }

@test "C-ECHO is answered" {
	receiver
	echoscu 127.0.0.1 "$port"
	wait_for ended 1
	clean
	[ "$(events association-opened calling_aet)" = ECHOSCU ]
	[ "$(events association-ended how)" = clean ]
}

@test "images arrive as sent, with who sent them; nothing of the connection remains" {
	receiver
	study 5
	dcmsend +sd +r 127.0.0.1 "$port" -aet SCANNER -aec ROUTER made
	wait_for ended 1
	clean
	[ "$(filed)" -eq 5 ]
	[ "$(jq -r '.association | [.calling_aet, .called_aet, .peer, .local_port] | join(" ")' spool/incoming/*/series.json)" = \
		"SCANNER ROUTER 127.0.0.1 $port" ]
	[ "$(jq -r .association.association spool/incoming/*/series.json)" = "$(events association-ended)" ]
	for file in made/*/*.dcm; do data "$file"; done | sort >sent
	for file in spool/incoming/*/*.dcm; do data "$file"; done | sort >got
	cmp sent got
}

@test "every storage SOP class and transfer syntax that storescp can receive is accepted" {
	receiver
	study 1
	file=$(find made -name '*.dcm')
	for syntax in 1.2.840.10008.1.2 1.2.840.10008.1.2.{1,2,5,1.99} \
		1.2.840.10008.1.2.4.{50,51,53,55,57,70,80,81,90,91,92,93,100,103,108}; do
		rawsend -t "$syntax" -q 1.3.12.2.1107.5.9.1 "$file" >out
		grep -q "^context 1 0 $syntax\$" out
		rawsend -t "$syntax" -q 1.2.840.10008.5.1.4.1.1.999.7 "$file" >out
		grep -q " 0000\$" out
	done
}

@test "the sender's order of transfer syntaxes decides" {
	receiver
	study 1
	file=$(find made -name '*.dcm')
	jpeg=1.2.840.10008.1.2.4.70 explicit=1.2.840.10008.1.2.1 implicit=1.2.840.10008.1.2
	rawsend -t $jpeg -t $explicit -t $implicit "$file" | grep -q "^context 1 0 $jpeg\$"
	rawsend -t $implicit -t $explicit -t $jpeg "$file" | grep -q "^context 1 0 $implicit\$"
	rawsend -t $explicit -t $jpeg "$file" | grep -q "^context 1 0 $explicit\$"
}

@test "a transfer syntax that storescp does not know is accepted, a service that is no storage is not" {
	receiver
	study 1
	file=$(find made -name '*.dcm')
	rawsend -t 1.2.840.10008.1.2.4.201 -t 1.2.840.10008.1.2.4.202 "$file" >out # more in relay.bats
	grep -q '^context 1 0 1.2.840.10008.1.2.4.201$' out
	grep -q released out
	fails rawsend -q 1.2.840.10008.5.1.4.1.2.1.1 "$file" >out # C-FIND
	grep -q '^context 1 3' out
}

@test "what storescp knows goes before what it does not know, in any order" {
	receiver
	study 1
	file=$(find made -name '*.dcm')
	unknown=2.16.840.1.113709.1.2.2 htj2k=1.2.840.10008.1.2.4.201 j2k=1.2.840.10008.1.2.4.90
	rawsend -t $unknown -t 1.2.840.10008.1.2 "$file" | grep -q '^context 1 0 1.2.840.10008.1.2$'
	rawsend -t $unknown -t $htj2k -t $j2k -t 1.2.840.10008.1.2.1 "$file" | grep -q "^context 1 0 $j2k\$"
	rawsend -t $unknown -t $htj2k "$file" | grep -q "^context 1 0 $unknown\$"
}

@test "accept = uncompressed refuses compressed syntaxes" {
	receiver 'accept = uncompressed'
	study 1
	file=$(find made -name '*.dcm')
	fails rawsend -t 1.2.840.10008.1.2.4.70 "$file" >out
	grep -q '^context 1 4' out
	rawsend -t 1.2.840.10008.1.2.4.70 -t 1.2.840.10008.1.2.1 "$file" >out
	grep -q '^context 1 0 1.2.840.10008.1.2.1$' out
}

@test "128 presentation contexts" {
	receiver
	rawsend -P 128 >out
	[ "$(grep -c '^context [0-9]* 0 ' out)" -eq 128 ]
}

@test "rejections: unknown callers, permanently" {
	receiver 'calling_aets = { "GOOD", "BETTER" } called_aets = { "ROUTER" }'
	fails rawsend -E -a BAD -c ROUTER >out
	grep -qx 'rejected 1 1 3' out
	fails rawsend -E -a GOOD -c OTHER >out
	grep -qx 'rejected 1 1 7' out
	rawsend -E -a BETTER -c ROUTER
	clean || wait_for clean
	[ "$(events association-refused reason | sort -u | wc -l)" -eq 2 ]
}

@test "rejections: addresses by prefix" {
	receiver 'allow = { "10.0.0.0/8", "127.0.0.128/25" }'
	fails rawsend -E >out
	grep -qx 'rejected 1 1 1' out
	stop "$pid_receiver"
	receiver 'allow = { "10.0.0.0/8", "127.0.0.0/25" }'
	rawsend -E
}

@test "rejections: local limits, for now" {
	receiver 'max_associations = 3 max_associations_per_peer = 2'
	for i in 1 2; do
		mkfifo "hold$i"
		start "hang$i" bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $port -H open <>hold$i"
		wait_for alive "$i"
	done
	wait_for grep -q accepted hang2.log
	fails rawsend -E >out
	grep -qx 'rejected 2 3 2' out
	refused() { [ "$(events association-refused reason)" = "$1" ]; }
	wait_for refused 'more associations of one address than receiver.max_associations_per_peer'
	stop "$pid_hang1"
	wait_for alive 1
	rawsend -E
	wait_for alive 1
	for i in 1 2 3; do # what the router makes of files dropped by hand does not count
		mkdir "spool/receiving/dropped$i"
		echo '{"association": "x", "time": "x", "peer": "local", "calling_aet": "", "called_aet": "", "dropped": "y", "ok": false}' >"spool/receiving/dropped$i/association.json"
		start "reader$i" flock -F "spool/receiving/dropped$i" bash -c 'echo locked; read -r <>hold1'
		wait_for grep -q locked "reader$i.log"
	done
	rawsend -E
}

@test "rejections: not enough free disk space" {
	receiver 'min_free = 99999999'
	fails rawsend -E >out
	grep -qx 'rejected 2 3 2' out
	clean
}

@test "hostile AE titles are only text" {
	receiver
	study 1
	file=$(find made -name '*.dcm')
	for title in "a\`touch x\`b" 'a";touch x;"' '../../x' 'a\nb' '%s%n$(id)' '\xff\x01'; do
		rawsend -a "$title" -c "$title" "$file"
	done
	wait_for ended 6
	clean
	[ -z "$(find . -name x)" ]
	[ "$(events association-opened calling_aet | sort)" = \
		"$(printf '%s\n' "a\`touch x\`b" 'a";touch x;"' '../../x' 'a\x0ab' '%s%n$(id)' '\xff\x01' | sort)" ]
	jq -e .association.association spool/incoming/*/series.json
	[ "$(grep -c 'association opened' receiver.log)" -eq 6 ]
	fails rawsend -E -a '' >out
	grep -qx 'rejected 1 1 3' out
	fails rawsend -E -c '' >out
	grep -qx 'rejected 1 1 7' out
}

@test "callers that send nothing, half a request, garbage, or claim too much are let go" {
	receiver 'request_timeout = 1s'
	mkfifo hold
	for how in connect half; do
		run -1 timeout 15 "$TOOLS/rawsend" 127.0.0.1 "$port" -H "$how" <>hold
	done
	run -1 rawsend -G
	run -1 rawsend -L 4000000000
	run -1 rawsend -L 10
	refused() { [ "$(events association-refused reason | wc -l)" -ge 5 ]; }
	wait_for refused
	events association-refused reason | grep -q 'no request came in time'
	events association-refused reason | grep -q 'did not come whole'
	events association-refused reason | grep -q 'not an A-ASSOCIATE-RQ'
	events association-refused reason | grep -q 'longer than 1 MiB'
	events association-refused reason | grep -q 'too short'
	clean
	rawsend -E
}

@test "a sender that dies in the middle of an image: the image is no image" {
	receiver
	study 3
	rawsend -D 3 made/*/*.dcm
	wait_for ended 1
	clean
	[ "$(filed)" -eq 2 ]
	[ "$(events association-ended how)" = clean ]
	grep -q 'storescp: .*Store SCP Failed' receiver.log
}

@test "kill -9 of the receiver keeps its connections; the next one recovers what they leave" {
	receiver
	mkfifo hold
	start hang bash -c "exec '$TOOLS/rawsend' 127.0.0.1 $port -H open <>hold"
	wait_for grep -q accepted hang.log
	stop "$pid_receiver" KILL
	alive 1
	kill -0 "$pid_hang"
	receiver
	rawsend -E
	wait_for ended 1
	alive 1
	kill -KILL "$(associations)"
	wait_for clean
	wait_for grep -q closed hang.log
	[ "$(events association-ended how | sort | xargs)" = 'clean recovered' ]
}

@test "kill -9 of an association: its children die, what it received is recovered" {
	receiver
	study 2
	lock spool/incoming/1.2.3.4
	locked
	rawsend made/*/*.dcm
	wait_for grep -q 'getdcmtags ended early' receiver.log
	start other flock -F spool/receiving/*.* bash -c 'echo locked; read -r _ <>unlock' # when it is free
	kill -KILL "$(associations)"
	wait_for grep -q locked other.log
	wait_for pgrep -f "$BATS_TEST_TMPDIR/bin/dcmspool-association .* -r" # waits for the lock
	unlock
	unlock
	wait_for clean
	[ "$(filed)" -eq 2 ]
	[ "$(events association-ended how)" = recovered ]
}

@test "kill -9 of everything: at the next start all is recovered" {
	study 7
	mkdir -p spool/receiving/20260101T000000.000001Z.{1,2,3,4,5,6,7,8} spool/incoming/1.2.3.4
	for dir in spool/receiving/*.[1-7]; do
		echo '{"association": "x"}' >"$dir/association.json"
		cp "made/SE0001/IM0000${dir##*.}.dcm" "$dir/CT.X"
		touch "spool/incoming/1.2.3.4/.assoc.${dir##*/}"
	done
	receiver
	wait_for clean
	[ "$(filed)" -eq 7 ]
	[ "$(events association-ended how | grep -c recovered)" -eq 7 ]
}

@test "a file on which getdcmtags crashes is quarantined, the others are filed" {
	receiver
	study 2
	lock spool/incoming/1.2.3.5
	"$TOOLS/makestudy" bad -s 1 -n 1 -r 32 -c 32 -u 1.2.3.5 >/dev/null
	locked
	rawsend -q 1.2.840.10008.5.1.4.1.1.128 "$(find bad -name '*.dcm')" # PET: named PI.X...
	wait_for grep -qs PI spool/receiving/*/.reading
	kill -SEGV "$(pgrep -x getdcmtags -P "$(associations)")"
	rawsend made/*/*.dcm
	wait_for ended 2
	wait_for clean
	[ "$(filed)" -eq 2 ]
	[ "$(find spool/error -name "PI*" | wc -l)" -eq 1 ]
	grep -q crashed spool/error/*/reason.txt
	[ "$(events quarantined | wc -l)" -eq 1 ]
}

@test "getdcmtags cannot file now: the images wait, the connection does not" {
	receiver
	study 500
	lock spool/incoming/1.2.3.4
	locked
	rawsend made/*/IM0000[12].dcm
	wait_for grep -q 'getdcmtags ended early' receiver.log
	alive 1
	start sender "$TOOLS/rawsend" -w 10 127.0.0.1 "$port" made/*/*.dcm
	wait_for grep -q 'IM00020.dcm 0000' sender.log
	last=$(find "$PWD/spool/receiving" -mindepth 1 -maxdepth 1 | sort | tail -1)
	for pid in $(pgrep storescp); do [ ! "/proc/$pid/cwd" -ef "$last" ] || kill -KILL "$pid"; done
	wait_for grep -q closed sender.log # though its images are not filed yet
	alive 2
	unlock
	wait_for clean
	[ "$(filed)" -ge "$(acknowledged sender.log)" ]
	[ "$(events association-ended how | sort | xargs)" = 'broken clean' ]
}

@test "SIGTERM ends all at once, with 0, and what was acknowledged is filed" {
	receiver
	study 500
	start sender "$TOOLS/rawsend" -w 10 127.0.0.1 "$port" made/*/*.dcm
	wait_for grep -q 'IM00020.dcm 0000' sender.log
	kill -TERM "$pid_receiver"
	wait "$pid_receiver"
	clean
	fails listens "$port"
	[ "$(events association-ended how)" = broken ]
	wait_for grep -q closed sender.log
	[ "$(filed)" -ge "$(acknowledged sender.log)" ]
	[ "$(filed)" -lt 500 ]
}

@test "several addresses and ports" {
	port=$(free_port)
	other=$(free_port)
	cat >test.conf <<-EOF
		spool = "$BATS_TEST_TMPDIR/spool"
		receiver { listen = { "127.0.0.1", "::1" } port = { $port, $other } min_free = 0 }
	EOF
	start receiver "$BATS_TEST_TMPDIR/bin/dcmspool-receiver" -c test.conf
	wait_for listens "$other"
	for p in "$port" "$other"; do
		echoscu 127.0.0.1 "$p"
		if [ -s /proc/net/if_inet6 ]; then (exec 4<>"/dev/tcp/::1/$p"); fi
	done
}

@test "a port in use: an error that says so, and exit 111" {
	receiver
	run -111 bin/dcmspool-receiver -c test.conf
	[[ $output == *"unable to listen on 127.0.0.1 port $port: Address already in use"* ]]
}

@test "idle, the receiver does not wake" {
	receiver
	rawsend -E
	wait_for clean
	before=$(grep ctxt "/proc/$pid_receiver/status")
	read -r -t 3 <> <(:) || true # the time that is observed
	[ "$before" = "$(grep ctxt "/proc/$pid_receiver/status")" ]
}

# play MESSAGES: an association for CT in implicit VR, then these bytes (PDUs in hexadecimal)
play() { python3 "$TOP/tests/receive/odd_association.py" "$port" "$1"; }

@test "how an association ended: by the sender, or by storescp" {
	receiver
	play "0500 00000004 00000000" # a release
	wait_for ended 1
	play "0700 00000004 00000000" # an abort
	wait_for ended 2
	play "0400 00000008 00000004 01 02 6161" # of a data set, where a command belongs
	wait_for ended 3
	[ "$(events association-ended how | tr '\n' ' ')" = "clean clean aborted " ]
}
