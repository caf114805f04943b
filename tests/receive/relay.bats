# Transfer syntaxes that storescp does not know: they come in through the relay of dcmspool-association under
# the names of others, and getdcmtags puts the real ones into the files.

# shellcheck disable=SC2030,SC2031,SC2154 # start() sets pid_NAME

load ../helper
load ../router

HTJ2K=1.2.840.10008.1.2.4.201 JPEGXL=1.2.840.10008.1.2.4.110 PRIVATE=1.2.840.113619.5.2
LONGEST=1.2.3.4.5.6.7.8.9.1111111111111111111111111111111111111111111111
JPEG=1.2.840.10008.1.2.4.70 EXPLICIT=1.2.840.10008.1.2.1 IMPLICIT=1.2.840.10008.1.2

setup() { cd "$BATS_TEST_TMPDIR" || return; }

teardown() {
	stop_all
	wait_for no_processes || true # recoveries outlive the receiver
	show_state || true # some have no logs
}

# images NAME UID [makestudy options]: a study of that transfer syntax in study/NAME
images() {
	local name=$1 syntax=$2
	shift 2
	mkdir -p "$BATS_TEST_TMPDIR/study"
	if [ "$syntax" != "$EXPLICIT" ]; then set -- -P "$syntax" "$@"; fi
	study "$BATS_TEST_TMPDIR/study/$name" -s 1 -r 32 -c 32 "$@"
}

rawsend() { "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$@"; }
all_images() { find "$BATS_TEST_TMPDIR/study" -name '*.dcm' | sort; }
received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }
journal_has() { [ "$(journal "$1" | wc -l)" -ge "$2" ]; }
fails() { ! "$@"; }

# the_association: the pid of the only one that is alive
the_association() { running dcmspool-association | head -n 1; }

# syntaxes TREE: how many images have which transfer syntax by their meta header
syntaxes() {
	find "$1" -name '*.dcm' -exec "$BIN/getdcmtags" -p {} + | jq -r .TransferSyntaxUID | sort | uniq -c |
		awk '{ print $1, $2 }'
}

# Every acknowledged image is in TREE, and what is there is as it was sent: data set, meta header.
arrived() {
	local tree=$1 file status
	mkdir -p "$BATS_TEST_TMPDIR/acked"
	while read -r file status; do
		[ "$status" != 0000 ] || [ "$file" = echo ] || ln -f "$file" "$BATS_TEST_TMPDIR/acked/${file//\//_}"
	done <"$2"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/acked" "$tree" >"$BATS_TEST_TMPDIR/compared" || true
	tail -n 1 "$BATS_TEST_TMPDIR/compared"
	grep -q ' 0 missing, .* 0 twice, 0 different' "$BATS_TEST_TMPDIR/compared"
}

@test "unknown syntaxes beside known ones, from the sender to a folder, with an echo" {
	make_router
	start_all
	images a $HTJ2K -n 3
	images b $JPEGXL -n 2
	images c $PRIVATE -n 2
	images d $LONGEST -n 1
	images e $EXPLICIT -n 2
	images f 1.2.840.10008.1.2.4.50 -n 1 # the first stand-in, were it not proposed
	# shellcheck disable=SC2046 # no name here has spaces
	rawsend -E $(all_images | sed "s|.*/|& |" | sort -k 2 | tr -d " ") >out # one syntax after the other
	cat out
	[ "$(grep '^context' out | cut -d ' ' -f 3- | sort)" = "$(printf '0 %s\n' $HTJ2K $JPEGXL $PRIVATE $EXPLICIT $IMPLICIT \
		$LONGEST 1.2.840.10008.1.2.4.50 | sort)" ]
	grep -qx 'echo 0000' out
	[ "$(tail -n 1 out)" = released ]
	wait_for has_jobs success 6
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
	[ "$(syntaxes "$BATS_TEST_TMPDIR/archive")" = "$(syntaxes "$BATS_TEST_TMPDIR/study")" ]
	[ "$(cat "$SPOOL"/success/*/series.json | jq -r .tags.TransferSyntaxUID | sort)" = \
		"$(syntaxes "$BATS_TEST_TMPDIR/study" | cut -d ' ' -f 2 | sort)" ]
	fails grep -l stand_ins "$SPOOL"/success/*/*.json
	[ "$(journal association-ended | jq -r .how)" = clean ]
}

@test "the meta header: a right group length, the real UID, padded" {
	make_router
	start_receiver
	images a $HTJ2K -n 1
	images b 1.2.999.3 -n 1 # shorter than any stand-in, and odd
	# shellcheck disable=SC2046
	rawsend $(all_images)
	wait_for received
	for file in "$SPOOL"/incoming/*/*.dcm; do
		python3 - "$file" <<-'PYTHON'
			import struct, sys
			data = open(sys.argv[1], 'rb').read()
			assert data[132:144 - 4] == b'\2\0\0\0UL\4\0'
			end, at, found = 144 + struct.unpack('<I', data[140:144])[0], 144, {}
			while at < end:
			    group, element = struct.unpack('<HH', data[at:at + 4])
			    wide = data[at + 4:at + 6] in (b'OB', b'UN')
			    head = 12 if wide else 8
			    length = struct.unpack('<I' if wide else '<H', data[at + head - (4 if wide else 2):at + head])[0]
			    assert group == 2 and length % 2 == 0, (hex(group), length)
			    found[element] = data[at + head:at + head + length]
			    at += head + length
			assert at == end and data[end:end + 2] == b'\x08\x00', 'the data set begins elsewhere'
			assert list(found) == [1, 2, 3, 0x10, 0x12, 0x13, 0x16], found
			assert found[0x10] in (b'1.2.840.10008.1.2.4.201\0', b'1.2.999.3\0'), found
		PYTHON
	done
}

@test "the sender's order decides among unknown syntaxes" {
	make_router
	start_receiver
	images a $HTJ2K -n 1
	file=$(all_images)
	rawsend -t $HTJ2K -t $PRIVATE "$file" | grep -qx "context 1 0 $HTJ2K"
	rawsend -t $PRIVATE -t $HTJ2K "$file" | grep -qx "context 1 0 $PRIVATE"
	rawsend -q 1.3.12.2.1107.5.9.1 -t $JPEGXL -t $HTJ2K "$file" | grep -qx "context 1 0 $JPEGXL" # private class
}

@test "34 unknown syntaxes in one association; what is beyond is refused, and only that" {
	make_router
	start_receiver
	for i in {10..45}; do images "$i" "1.2.999.$i" -n 1; done
	# shellcheck disable=SC2046
	fails rawsend $(all_images) >out
	cat out
	[ "$(grep -c '^context [0-9]* 0 1.2.999' out)" -eq 34 ]
	[ "$(grep -c '^context [0-9]* 4' out)" -eq 2 ]
	[ "$(grep -c ' 0000$' out)" -eq 34 ]
	[ "$(tail -n 1 out)" = released ]
	wait_for received
	arrived "$SPOOL/incoming" out
	[ "$(syntaxes "$SPOOL/incoming")" = "$(for i in {10..43}; do echo "1 1.2.999.$i"; done)" ]
}

@test "128 presentation contexts with unknown syntaxes" {
	make_router
	start_receiver
	images a $HTJ2K -n 1
	rawsend -P 128 -t $HTJ2K -t $PRIVATE "$(all_images)" >out
	[ "$(grep -c "^context [0-9]* 0 $HTJ2K$" out)" -eq 128 ]
	wait_for received
	[ "$(syntaxes "$SPOOL/incoming")" = "1 $HTJ2K" ]
}

# connect_and_hang OPTION...: an association that stays open; $pid is that of dcmspool-association
connect_and_hang() {
	stay_connected "$@"
	wait_for grep -q accepted "$BATS_TEST_TMPDIR/sender.log"
	pid=$(the_association)
}

# sockets PID: besides the one by which storescp tells its end
sockets() { find "/proc/$1/fd" -lname 'socket:*' | tail -n +2 | wc -l; }

@test "an association without unknown syntaxes has no relay; nor one that only asks for something else" {
	make_router
	start_receiver
	connect_and_hang -P 2 -t $EXPLICIT -t $JPEG
	[ "$(sockets "$pid")" -eq 0 ]
	fails grep stand_ins "$SPOOL"/receiving/*/association.json
	stop "$pid_sender"
	wait_for received
	rm "$BATS_TEST_TMPDIR/stay"
	connect_and_hang -q 1.2.840.10008.5.1.4.1.2.1.1 -t $HTJ2K -t $EXPLICIT # C-FIND
	[ "$(sockets "$pid")" -eq 0 ]
	stop "$pid_sender"
	wait_for received
	rm "$BATS_TEST_TMPDIR/stay"
	connect_and_hang -t $HTJ2K -P 1
	[ "$(sockets "$pid")" -eq 2 ]
	[ "$(jq -c .stand_ins "$SPOOL"/receiving/*/association.json)" = "{\"1.2.840.10008.1.2.5\":\"$HTJ2K\"}" ]
}

@test "accept = uncompressed refuses unknown syntaxes" {
	make_router
	sed -i 's/^receiver {/& accept = uncompressed/' "$CONF"
	start_receiver
	images a $HTJ2K -n 1
	fails rawsend -t $HTJ2K "$(all_images)" >out
	grep -q '^context 1 4' out
	rawsend -t $HTJ2K -t $EXPLICIT "$(all_images)" | grep -qx "context 1 0 $EXPLICIT"
}

# A sender that fills every buffer on the way: from SIGUSR1 on, until nothing more goes out.
stuck_sender='
import signal, socket, struct, sys
def item(kind, data): return struct.pack(">BxH", kind, len(data)) + data
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
context = item(0x20, b"\1\0\0\0" + item(0x30, b"1.2.840.10008.5.1.4.1.1.7") + item(0x40, sys.argv[2].encode()))
body = b"\0\1\0\0" + b"%-16s%-16s" % (b"DCMSPOOL", b"STUCK") + bytes(32)
body += item(0x10, b"1.2.840.10008.3.1.1.1") + context
body += item(0x50, item(0x51, b"\0\0\x40\0") + item(0x52, b"2.25.1"))
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(struct.pack(">BxL", 1, len(body)) + body)
print("accepted" if s.recv(65536)[0] == 2 else "not accepted", flush=True)
signal.sigwait([signal.SIGUSR1])
s.settimeout(1)
try:
    while True: s.send(bytes(1 << 16))
except TimeoutError:
    print("stuck", flush=True)
signal.sigwait([signal.SIGUSR1])
'

@test "idle, an open relay does not wake; nor does one whose two ends are stuck, or one whose sender has gone" {
	make_router
	start_receiver
	connect_and_hang -t $HTJ2K -P 1
	asleep
	stop "$pid_sender"
	wait_for received
	start stuck python3 -c "$stuck_sender" "$PORT" $HTJ2K
	wait_for grep -q accepted "$BATS_TEST_TMPDIR/stuck.log"
	kill -STOP "$(storescps)"
	kill -USR1 "$pid_stuck" # begins to send
	wait_for grep -q stuck "$BATS_TEST_TMPDIR/stuck.log"
	pid=$(the_association)
	asleep
	stop "$pid_stuck" KILL
	asleep
	kill -CONT "$(storescps)"
	wait_for received
}

# asleep: the association did not run during half a second
asleep() {
	local before
	before=$(grep ctxt "/proc/$pid/status")
	read -r -t 0.5 <> <(:) || true # the time that is observed
	[ "$before" = "$(grep ctxt "/proc/$pid/status")" ]
}

@test "a sender that dies in the middle of an image, or closes early" {
	make_router
	start_receiver
	images a $HTJ2K -n 5 -r 256 -c 256
	# shellcheck disable=SC2046
	rawsend -D 3 $(all_images) >out
	cat out
	wait_for received
	[ "$(images_in "$SPOOL/incoming")" -eq 2 ]
	arrived "$SPOOL/incoming" out
	# shellcheck disable=SC2046
	rawsend -R -A 4 $(all_images) >out
	wait_for received
	arrived "$SPOOL/incoming" out
	[ "$(syntaxes "$SPOOL/incoming")" = "4 $HTJ2K" ]
	[ "$(find "$SPOOL/error" -type f | wc -l)" -eq 0 ]
}

@test "SIGTERM, and storescp dying, end the connection; what was acknowledged is filed" {
	make_router
	start_receiver
	images a $HTJ2K -n 1500
	# shellcheck disable=SC2046
	start sender "$TOOLS/rawsend" -w 10 127.0.0.1 "$PORT" $(all_images)
	wait_for grep -q IM00020.dcm "$BATS_TEST_TMPDIR/sender.log"
	kill -KILL "$(storescps)"
	wait_for grep -qE 'closed|aborted' "$BATS_TEST_TMPDIR/sender.log"
	wait_for received
	arrived "$SPOOL/incoming" "$BATS_TEST_TMPDIR/sender.log"
	# shellcheck disable=SC2046
	start second "$TOOLS/rawsend" -w 10 127.0.0.1 "$PORT" $(all_images)
	wait_for grep -q IM00020.dcm "$BATS_TEST_TMPDIR/second.log"
	stop "$pid_receiver"
	wait_for grep -qE 'closed|aborted' "$BATS_TEST_TMPDIR/second.log"
	received
	arrived "$SPOOL/incoming" "$BATS_TEST_TMPDIR/second.log"
	[ "$(syntaxes "$SPOOL/incoming" | cut -d ' ' -f 2)" = $HTJ2K ]
}

@test "kill -9 of the association in the middle: what was acknowledged is recovered with the real syntax" {
	make_router
	start_all
	images a $HTJ2K -n 1500
	images b $PRIVATE -n 1
	# shellcheck disable=SC2046
	start sender "$TOOLS/rawsend" -w 10 127.0.0.1 "$PORT" $(all_images | sort -r)
	wait_for grep -q IM01400.dcm "$BATS_TEST_TMPDIR/sender.log"
	kill -KILL "$(the_association)"
	wait_for grep -q closed "$BATS_TEST_TMPDIR/sender.log"
	wait_for journal_has association-ended 1
	[ "$(journal association-ended | jq -r .how)" = recovered ]
	wait_for at_rest
	arrived "$BATS_TEST_TMPDIR/archive" "$BATS_TEST_TMPDIR/sender.log"
	[ "$(syntaxes "$BATS_TEST_TMPDIR/archive" | cut -d ' ' -f 2)" = "$(printf '%s\n' $HTJ2K $PRIVATE)" ]
	[ "$(find "$SPOOL/error" -type f | wc -l)" -eq 0 ]
}

# make_receiving: a dead association with two images under a stand-in, one that was corrected before the
# death, and a copy that was being made.
make_receiving() {
	local dir=$SPOOL/receiving/20260101T000000.000001Z.1
	rm -rf "$SPOOL"
	"$BIN/dcmspool-layout" "$SPOOL"
	mkdir "$dir"
	echo "{\"association\": \"x\", \"stand_ins\": {\"$JPEG\": \"$HTJ2K\"}}" >"$dir/association.json"
	cp "$BATS_TEST_TMPDIR"/study/a/SE0001/* "$dir"
	cp "$BATS_TEST_TMPDIR"/study/b/SE0001/IM00001.dcm "$dir/corrected.dcm"
	echo half >"$dir/.corrected"
	touch -d '2026-01-01 UTC' "$dir"/*.dcm
}

getdcmtags_watch() { "$@" "$BIN/getdcmtags" -c "$CONF" -w receiving/20260101T000000.000001Z.1 <<<b; }

filed_right() {
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$SPOOL/incoming" &&
		[ "$(syntaxes "$SPOOL/incoming")" = "3 $HTJ2K" ] &&
		[ "$(cat "$SPOOL"/incoming/*/series.json | jq -r .tags.TransferSyntaxUID | sort -u)" = $HTJ2K ]
}

@test "no room for the corrected copy: the image waits as it was; later it is filed" {
	command -v strace >/dev/null || skip "strace is missing"
	export ASAN_OPTIONS=detect_leaks=0 # which cannot work under strace
	make_router
	images a $JPEG -n 2
	images b $HTJ2K -n 1
	for n in 1 2; do # the meta header, the data set
		make_receiving
		run getdcmtags_watch strace -qq -o /dev/null -P "$SPOOL/receiving/20260101T000000.000001Z.1/.corrected" \
			-e "inject=write:error=ENOSPC:when=$n"
		[ "$status" -eq 111 ]
		[[ $output == *'No space left on device'* ]]
		[ ! -e "$SPOOL/receiving/20260101T000000.000001Z.1/.corrected" ]
		cmp "$BATS_TEST_TMPDIR/study/a/SE0001/IM00001.dcm" "$SPOOL"/receiving/*/IM00001.dcm
		getdcmtags_watch env
		filed_right
	done
}

@test "association.json that cannot be read for a moment: nothing is filed without its real syntax" {
	command -v strace >/dev/null || skip "strace is missing"
	export ASAN_OPTIONS=detect_leaks=0 # which cannot work under strace
	make_router
	images a $JPEG -n 2
	images b $HTJ2K -n 1
	make_receiving
	run getdcmtags_watch strace -qq -o /dev/null -P "$SPOOL/receiving/20260101T000000.000001Z.1" \
		-e inject=openat:error=EMFILE:when=1 # the first that it opens there
	[ "$status" -eq 111 ]
	[[ $output == *'Too many open files'* ]]
	getdcmtags_watch env
	filed_right
}
