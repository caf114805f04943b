# send-dicom-settings.bats: the settings of send-dicom, each with a target that shows its effect.

load ../helper
load sender

# sent_by PEER CALLING CALLED: series.json of a job that came from there
sent_by() {
	jq -n --arg peer "$1" --arg calling "$2" --arg called "$3" '{association: {association: "a", peer: $peer,
		calling_aet: $calling, called_aet: $called}}' >"$job/series.json"
}

# titles: calling and called AE title of the last association at the fake target, as "CALLING>CALLED"
titles() {
	sed -n 's/^association \(.\{16\}\) \(.\{16\}\)$/\1>\2/p' "$BATS_TEST_TMPDIR/fake.log" | tail -n 1 |
		sed 's/^ *//; s/ *> */>/; s/ *$//'
}

@test "send-dicom: pass_aet: both AE titles as they were received" {
	images 1
	fake show=1 0000
	export TARGET_PASS_AET=yes
	sent_by 192.0.2.7 'CT 1' PACS2
	send dicom 1.dcm
	[ "$status" -eq 0 ]
	[ "$(titles)" = 'CT 1>PACS2' ]
	sent_by local '' ''
	send dicom 1.dcm
	[ "$status" -eq 0 ]
	[ "$(titles)" = 'DCMSPOOL>PACS' ]
	grep -q 'no calling_aet' "$BATS_TEST_TMPDIR/stderr"
	rm "$job/series.json"
	send dicom 1.dcm
	[ "$status" -eq 0 ]
	[ "$(titles)" = 'DCMSPOOL>PACS' ]
}

@test "send-dicom: pass_aet: AE titles never become options, files or commands" {
	images 1
	fake show=1 0000
	echo '--help' >"$job/x"
	export TARGET_PASS_AET=yes
	for title in --help -x @x @234567890123456 '`id`' '$(id)' '"' "a'b\"c" '%s%n'; do
		sent_by 192.0.2.7 "$title" "$title"
		send dicom 1.dcm
		[ "$status" -eq 0 ]
		[ "$(titles)" = "$title>$title" ]
	done
	for title in 'a\b' $'a\nb' 12345678901234567 é; do
		sent_by 192.0.2.7 "$title" "$title"
		send dicom 1.dcm
		[ "$status" -eq 0 ]
		[ "$(titles)" = 'DCMSPOOL>PACS' ]
	done
}

@test "send-dicom: return_to_sender: to the address and the AE title that the images came from" {
	images 2
	fake show=1 0000
	unset TARGET_HOST TARGET_AEC
	export TARGET_RETURN_TO_SENDER=yes
	sent_by 127.0.0.1 CT1 ROUTER
	send dicom 1.dcm
	[ "$status" -eq 0 ]
	[ "$(titles)" = 'DCMSPOOL>CT1' ]
	TARGET_PASS_AET=yes send dicom 1.dcm
	[ "$(titles)" = 'ROUTER>CT1' ]
	for peer in local '' --help '127.0.0.1 -v' '@x' '$(id)'; do
		sent_by "$peer" CT1 ROUTER
		send dicom 1.dcm 2.dcm
		[ "$status" -eq 1 ] # these images only; the target is not to blame
		[ "$(count $'^failed\t-\t[12].dcm\treturn_to_sender')" -eq 2 ]
	done
	sent_by ::1 CT1 ROUTER # at which nobody listens
	send dicom 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t::1:'* ]]
	run env -u DCMSPOOL_JOB "$BIN/send-dicom" -p </dev/null
	[ "$status" -eq 0 ] # nobody to ask
	[ -z "$output" ]
}

# probe: what send-dicom -p says to an operator, and probe_job to a dispatcher with a job
probe() { run /usr/bin/env -u DCMSPOOL_JOB "$BIN/send-dicom" -p </dev/null; }
probe_job() { run bash -c 'cd "$1" && exec "$2" -p </dev/null 2>"$3"' - "$job" "$BIN/send-dicom" "$BATS_TEST_TMPDIR/stderr"; }

@test "send-dicom -p: a C-ECHO tells whether the target can be used, and why not" {
	cd "$BATS_TEST_TMPDIR"
	scp
	probe
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	stop_all
	probe
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t127.0.0.1:'*'Connection refused' ]]
	scp --refuse
	probe
	[ "$status" -eq 111 ]
	[[ $output = $'target\t'*'rejects the association: no reason given' ]]
	TARGET_HOST=no-such-host.invalid probe
	[ "$status" -eq 111 ]
	[[ $output = *'unknown host'* ]]
	TARGET_PORT=0 probe
	[ "$status" -eq 100 ]
}

@test "send-dicom -p: a target that hangs, aborts, or answers a failure; one without C-ECHO can be used" {
	cd "$BATS_TEST_TMPDIR"
	fake echo=hang
	TARGET_TIMEOUT=1 probe
	[ "$status" -eq 111 ]
	[[ $output = *'does not answer in time'* ]]
	fake echo=abort
	probe
	[ "$status" -eq 111 ]
	[[ $output = *aborts* ]]
	fake echo=a700
	probe
	[ "$status" -eq 111 ]
	[[ $output = *'status A700'*'out of resources' ]]
	fake echo=0122
	probe
	[ "$status" -eq 0 ]
	printf '%s\n' '[[TransferSyntaxes]]' '[A]' 'TransferSyntax1 = LittleEndianExplicit' '[[PresentationContexts]]' \
		'[P]' 'PresentationContext1 = CTImageStorage\A' '[[Profiles]]' '[Default]' 'PresentationContexts = P' \
		>"$BATS_TEST_TMPDIR/profile"
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	probe
	[ "$status" -eq 0 ]
}

@test "send-dicom -p: a target that refuses no more than the C-ECHO can be used for a job" {
	local what
	images 1
	for what in reject abort close; do
		fake "verify=$what" 0000
		probe_job
		[ "$status" -eq 0 ]
		[ -z "$output" ]
		grep -q 'refuses a C-ECHO, so it is there.*the target \(rejects\|aborts\|closes\)' "$BATS_TEST_TMPDIR/stderr"
		send dicom 1.dcm
		[ "$status" -eq 0 ]
		probe # an operator is told
		[ "$status" -eq 111 ]
		[[ $output = $'target\t'*' the target '* ]]
		stop_all
	done
	fake echo=0124
	probe_job
	[ "$status" -eq 0 ]
	stop_all
	for what in verify=busy echo=a700 echo=hang limit=0; do
		fake "$what"
		TARGET_TIMEOUT=1 probe_job
		[ "$status" -eq 111 ]
		[[ $output = $'target\t'* ]]
		stop_all
	done
	probe_job
	[ "$status" -eq 111 ]
	[[ $output = *'Connection refused' ]]
}

@test "send-dicom -p: pass_aet: it calls as the job's images do" {
	images 1
	fake show=1 only=CT1 0000
	export TARGET_PASS_AET=yes
	sent_by 192.0.2.7 CT1 PACS2
	send dicom 1.dcm
	[ "$status" -eq 0 ]
	probe_job
	[ "$status" -eq 0 ]
	[ "$(titles)" = 'CT1>PACS2' ]
	[ ! -s "$BATS_TEST_TMPDIR/stderr" ]
	probe
	[ "$status" -eq 111 ]
	[[ $output = *'calling AE title not recognised' ]]
	unset TARGET_HOST TARGET_AEC
	sent_by 127.0.0.1 CT1 ROUTER # one sender that is away stops nobody else's jobs
	TARGET_PORT=$(free_port) TARGET_RETURN_TO_SENDER=yes probe_job
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "send-dicom: connect_timeout is for the connection, timeout for what comes later" {
	images 1
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	# one call is taken by the kernel, and answered by nobody; others are not even taken, once its queue is full
	start deaf python3 -c 'import signal, socket, sys
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(0)
print("listens", flush=True)
signal.pause()' "$TARGET_PORT"
	wait_for grep -q listens "$BATS_TEST_TMPDIR/deaf.log"
	TARGET_TIMEOUT=1 TARGET_CONNECT_TIMEOUT=600 send dicom 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *'does not answer in time (1 s)' ]]
	start full python3 -c 'import signal, socket, sys
calls = [socket.socket() for _ in range(8)]
for c in calls:
    c.setblocking(False)
    c.connect_ex(("127.0.0.1", int(sys.argv[1])))
print("full", flush=True)
signal.pause()' "$TARGET_PORT"
	wait_for grep -q full "$BATS_TEST_TMPDIR/full.log"
	TARGET_TIMEOUT=600 TARGET_CONNECT_TIMEOUT=1 send dicom 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *'no connection in time (1 s)' ]]
}

@test "send-dicom: without TARGET_TIMEOUT it waits for 30 seconds" {
	images 1
	fake 0000
	unset TARGET_TIMEOUT
	cd "$job"
	strace -o "$BATS_TEST_TMPDIR/trace" -e trace=poll "$BIN/send-dicom" <<<1.dcm
	grep -q 'poll.*, \(30000\|299[0-9][0-9]\))' "$BATS_TEST_TMPDIR/trace"
}

@test "send-dicom: connections: one job over several associations at once" {
	images 9
	fake show=1 0000
	TARGET_CONNECTIONS=3 send dicom {1..9}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000')" -eq 9 ]
	[ "$(cut -f3 <<<"$output" | sort -u | wc -l)" -eq 9 ]
	[ "$(grep -c ^association "$BATS_TEST_TMPDIR/fake.log")" -eq 3 ]
	TARGET_CONNECTIONS=16 send dicom {1..2}.dcm
	[ "$status" -eq 0 ]
	[ "$(grep -c ^association "$BATS_TEST_TMPDIR/fake.log")" -eq 5 ]
}

@test "send-dicom: connections: they are open at the same time" {
	images 2
	# neither image is answered before the other one has come
	fake show=1 "$(uid 1.dcm)=meet" "$(uid 2.dcm)=meet"
	TARGET_CONNECTIONS=2 send dicom 1.dcm 2.dcm
	[ "$status" -eq 0 ]
}

@test "send-dicom: connections: refusals and breaks are those images' alone" {
	images 9
	fake "$(uid 2.dcm)=a700" "$(uid 5.dcm)=abort" 0000
	TARGET_CONNECTIONS=4 send dicom {1..9}.dcm
	[ "$status" -eq 111 ]
	[ "$(count $'^stored\t0000')" -eq 7 ]
	grep -q $'^failed\tA700\t2.dcm' <<<"$output"
	grep -q $'^doubt\t-\t5.dcm\tthe target aborts' <<<"$output"
	# also when the image is all that its association had to send
	fake "$(uid 2.dcm)=abort" 0000
	TARGET_CONNECTIONS=3 send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(count '^stored')" -eq 2 ]
	grep -q $'^doubt\t-\t2.dcm\tthe target aborts' <<<"$output"
}

@test "send-dicom: connections: a target that takes fewer gets all images all the same" {
	images 9
	fake limit=1 show=1 0000
	TARGET_CONNECTIONS=4 send dicom {1..9}.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 9 ]
	[ "$(cut -f3 <<<"$output" | sort -u | wc -l)" -eq 9 ]
}

@test "send-dicom: connections: a dead target is told once; what was answered counts" {
	images 8
	TARGET_PORT=$(free_port)
	export TARGET_PORT TARGET_CONNECTIONS=4
	send dicom {1..8}.dcm
	[ "$status" -eq 111 ]
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[[ $output = $'target\t-\t-\t127.0.0.1:'*refused ]]
	fake 0000 0000 0000 abort
	send dicom {1..8}.dcm
	[ "$status" -eq 111 ]
	[ "$(count '^stored')" -eq 3 ]
	[ "$(count '^doubt')" -ge 2 ]
	[ "$(count '^failed')" -eq 0 ]
}

@test "send-dicom: connections: one that is killed costs no image anything" {
	images 4
	fake "$(uid 1.dcm)=hang,0000" 0000
	cd "$job"
	printf '%s\n' {1..4}.dcm >"$BATS_TEST_TMPDIR/list"
	TARGET_TIMEOUT=600 TARGET_CONNECTIONS=2 \
		"$BIN/send-dicom" <"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	started+=("$pid")
	one_left() { # the other one is a zombie
		[ "$(grep -c ^stored "$BATS_TEST_TMPDIR/out")" -eq 2 ] && [ "$(pgrep -c -P "$pid" -r Z)" -eq 1 ]
	}
	wait_for one_left
	kill -KILL "$(pgrep -P "$pid" -r S)"
	wait "$pid"
	[ "$(cut -f1-3 "$BATS_TEST_TMPDIR/out" | sort | tr '\t\n' ' ;')" = \
		'stored 0000 1.dcm;stored 0000 2.dcm;stored 0000 3.dcm;stored 0000 4.dcm;' ]
}

@test "send-dicom: connections: killed, it leaves no process" {
	images 8
	fake hang
	cd "$job"
	printf '%s\n' {1..8}.dcm >"$BATS_TEST_TMPDIR/list"
	TARGET_TIMEOUT=600 TARGET_CONNECTIONS=4 "$BIN/send-dicom" <"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	started+=("$pid")
	requests() { [ "$(wc -l <"$BATS_TEST_TMPDIR/fake.log")" -ge 4 ]; }
	wait_for requests
	mapfile -t children < <(pgrep -P "$pid")
	[ "${#children[@]}" -eq 4 ]
	stop "$pid" KILL
	gone() { ! kill -0 "${children[@]}" 2>/dev/null; }
	wait_for gone
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
}

@test "send-dicom: rate_limit is kept, over one connection and over several" {
	images 6 -r 500 -c 500 # 500 KB each
	scp --ignore
	for n in 1 3; do
		begin=${EPOCHREALTIME/./}
		TARGET_RATE_LIMIT=2000000 TARGET_CONNECTIONS=$n send dicom {1..6}.dcm
		[ "$status" -eq 0 ]
		# 3 MB, of which ten segments of each connection may go out at once: 32 KB and more each here
		[ $((${EPOCHREALTIME/./} - begin)) -ge $(((3000000 - n * 400000) / 2)) ]
	done
	# the target has as long for its answer as ever, though the images take longer
	TARGET_TIMEOUT=1 TARGET_RATE_LIMIT=300000 send dicom 1.dcm 2.dcm
	[ "$status" -eq 0 ]
}

@test "send-dicom: max_pdu is what we take and send at most; the target's own is kept; nodelay" {
	images 1 -r 300 -c 300 # 180 KB
	# longest: of the PDUs that came
	longest() { sed -n 's/^pdu //p' "$BATS_TEST_TMPDIR/fake.log" | sort -n | tail -n 1; }
	fake pdus=1 0000
	TARGET_MAX_PDU=16384 send dicom 1.dcm
	[ "$status" -eq 0 ]
	[ "$(longest)" -eq 16384 ]
	grep -qx 'takes 16384' "$BATS_TEST_TMPDIR/fake.log"
	send dicom 1.dcm
	[ "$(longest)" -eq 131072 ]
	for n in 0 4096 16385 8; do # any, some, an odd number (fragments are even), two bytes each
		stop_all
		fake pdus=1 "takes=$n" 0000
		[ "$n" -ne 8 ] || images 1 -r 4 -c 4
		send dicom 1.dcm
		[ "$status" -eq 0 ]
		[ "$(longest)" -eq "$(($n == 0 ? 131072 : $n - $n % 2))" ]
	done
	for n in 1 7; do
		stop_all
		fake pdus=1 "takes=$n" 0000
		send dicom 1.dcm
		[ "$status" -eq 111 ]
		[[ $output = *"takes PDUs of $n bytes only"* ]]
	done
	stop_all
	fake 0000
	cd "$job"
	strace -o "$BATS_TEST_TMPDIR/trace" -e trace=setsockopt "$BIN/send-dicom" <<<1.dcm
	grep -q TCP_NODELAY "$BATS_TEST_TMPDIR/trace"
	TARGET_NODELAY=no strace -o "$BATS_TEST_TMPDIR/trace" -e trace=setsockopt "$BIN/send-dicom" <<<1.dcm
	run grep TCP_NODELAY "$BATS_TEST_TMPDIR/trace"
	[ "$status" -eq 1 ]
}

@test "send-dicom: bad settings are permanent errors" {
	images 1
	export TARGET_PORT=104
	for setting in TARGET_HOST= TARGET_HOST=-x 'TARGET_HOST=a b' TARGET_AEC= TARGET_AEC=12345678901234567 \
		'TARGET_AET=a\b' TARGET_PORT=0 TARGET_PORT=x TARGET_TIMEOUT=5s TARGET_CONNECT_TIMEOUT=0 TARGET_CONNECTIONS=17 \
		TARGET_MAX_PDU=100 TARGET_DECOMPRESS=all TARGET_PASS_AET=maybe TARGET_RATE_LIMIT=x; do
		run env "$setting" "$BIN/send-dicom" <<<1.dcm
		[ "$status" -eq 100 ]
		[[ $output = *"${setting%%=*}"* ]]
	done
	for name in ../x.dcm -x .x.dcm a/b 'a b' ''; do
		run "$BIN/send-dicom" <<<"$name"
		[ "$status" -eq 100 ]
	done
}
