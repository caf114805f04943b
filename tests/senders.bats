#!/usr/bin/env bats
# send-dicom and send-folder against the contract of dcmspool-sender(7).
# bats file_tags=sender

load helper

setup() {
	job=$BATS_TEST_TMPDIR/job
	archive=$BATS_TEST_TMPDIR/archive
	mkdir "$job" "$archive"
	export DCMSPOOL_JOB=20261122T140301.123456Z.3f9a1c2b.77d0aa1e DCMSPOOL_TARGET=t
	export TARGET_HOST=127.0.0.1 TARGET_AEC=PACS TARGET_AET=DCMSPOOL TARGET_TIMEOUT=5
	export TARGET_PATH=$archive
}

teardown() { stop_all; }

# images N [OPTIONS OF makestudy]: the job gets the images 1.dcm ... N.dcm.
images() {
	local i=0 file count=$1
	shift
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 1 -n "$count" -r 16 -c 16 "$@" >"$BATS_TEST_TMPDIR/made"
	for file in "$BATS_TEST_TMPDIR"/study/*/*.dcm; do
		i=$((i + 1))
		mv "$file" "$job/$i.dcm"
	done
}

# uid FILE: its SOP Instance UID.
uid() { dcmdump -q +P 0008,0018 "$job/$1" | sed 's/.*\[\(.*\)\].*/\1/'; }

# send TYPE NAME...: runs a sender in the job directory; stdout in $output, stderr in stderr.
send() {
	local type=$1
	shift
	run bash -c 'cd "$1" && shift && type=$1 && shift && printf "%s\n" "$@" | "$type" 2>"$BATS_TEST_TMPDIR/stderr"' \
		- "$job" "$BIN/send-$type" "$@"
}

# scp OPTION...: a real storescp that keeps what it gets in received/.
scp() {
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	mkdir -p "$BATS_TEST_TMPDIR/received"
	TCP_NODELAY=1 start scp storescp +B -od "$BATS_TEST_TMPDIR/received" "$@" "$TARGET_PORT"
	wait_for listens "$TARGET_PORT"
}

# fake ANSWER...: a target that plays faults.
fake() {
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	start fake python3 "$BATS_TEST_DIRNAME/fakescp.py" "$TARGET_PORT" "$@"
	wait_for listens "$TARGET_PORT"
}

answers() { [ "$output" = "$(printf "$1\n")" ] || { echo "got: $output" >&2; return 1; }; }
count() { grep -c "$1" <<<"$output"; }
inode() { stat -c %d:%i "$1"; }

@test "layout: unit test" {
	run "$TOOLS/test_layout"
	echo "$output"
	[ "$status" -eq 0 ]
}

# --- send-dicom

@test "send-dicom: every image arrives once, its bytes as they were" {
	images 7
	scp
	send dicom {1..7}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000\t[1-7].dcm\tsuccess$')" -eq 7 ]
	[ "$(ls "$BATS_TEST_TMPDIR/received" | wc -l)" -eq 7 ]
	for i in {1..7}; do
		"$TOOLS/dicomcmp" "$job/$i.dcm" "$BATS_TEST_TMPDIR/received/CT.$(uid $i.dcm)"
	done
	[ "$(ls "$job" | wc -l)" -eq 7 ] # nothing is added to the job
}

@test "send-dicom: refusals, warnings and errors are told per image" {
	images 8
	fake 0000 a700 b000 b006 b007 c123 0122 0107
	send dicom {1..8}.dcm
	[ "$status" -eq 1 ]
	[ "$(cut -f1-3 <<<"$output" | tr '\t\n' ' ;')" = "stored 0000 1.dcm;failed A700 2.dcm;stored B000 3.dcm;\
stored B006 4.dcm;stored B007 5.dcm;failed C123 6.dcm;failed 0122 7.dcm;failed 0107 8.dcm;" ]
	grep -q 'out of resources' <<<"$output"
}

@test "send-dicom: an unreadable file costs no other image anything" {
	images 3
	head -c 300 /dev/zero >"$job/bad.dcm"
	head -c 600 "$job/3.dcm" >"$job/cut.dcm"
	scp
	send dicom bad.dcm 1.dcm cut.dcm missing.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(count '^failed')" -eq 3 ]
	[ "$(ls "$BATS_TEST_TMPDIR/received" | wc -l)" -eq 2 ]
}

@test "send-dicom: a file whose data set has no SOP Instance UID is not stored" {
	images 2
	dcmodify -q -nb -nmu -imt -e 0008,0018 "$job/1.dcm"
	scp
	send dicom 1.dcm 2.dcm
	[ "$status" -eq 1 ]
	grep -q $'^failed\t-\t1.dcm' <<<"$output"
	grep -q $'^stored\t0000\t2.dcm' <<<"$output"
}

# profile SYNTAX: a storescp profile that accepts CT images in this transfer syntax only.
profile() {
	printf '%s\n' '[[TransferSyntaxes]]' '[A]' "TransferSyntax1 = $1" '[[PresentationContexts]]' '[P]' \
		'PresentationContext1 = CTImageStorage\A' '[[Profiles]]' '[Default]' 'PresentationContexts = P' \
		>"$BATS_TEST_TMPDIR/profile"
}

@test "send-dicom: images without an accepted presentation context fail, the others are stored" {
	images 3
	dcmcrle "$job/2.dcm" "$job/rle.dcm"
	profile LittleEndianExplicit
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	send dicom 1.dcm rle.dcm 3.dcm
	[ "$status" -eq 1 ]
	grep -q $'^failed\t-\trle.dcm\tthe target accepts' <<<"$output"
	[ "$(count '^stored')" -eq 2 ]
}

@test "send-dicom: no presentation context accepted at all, though dcmsend exits 0" {
	images 2
	profile JPEGBaseline
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	send dicom 1.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^failed\t-\t[12].dcm\tthe target accepts')" -eq 2 ]
}

@test "send-dicom: association refused, aborted, no listener, unknown host: the target's fault" {
	images 2
	for option in --refuse --abort-after --abort-during; do
		scp "$option"
		send dicom 1.dcm 2.dcm
		[ "$status" -eq 111 ]
		[ "$(wc -l <<<"$output")" -eq 1 ]
		[[ $output = $'target\t-\t-\t127.0.0.1:'* ]]
		stop_all
	done
	send dicom 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *refused* ]]
	TARGET_HOST=no-such-host.invalid send dicom 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *"unknown host"* ]]
}

@test "send-dicom: what was answered before the target died counts" {
	images 5
	fake 0000 b000 abort
	send dicom {1..5}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;stored 2.dcm;target -;' ]
}

@test "send-dicom: an image that makes the target abort fails alone" {
	images 5
	fake "$(uid 2.dcm)=abort" "$(uid 4.dcm)=abort" 0000
	send dicom {1..5}.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^stored\t0000\t[135].dcm')" -eq 3 ]
	[ "$(count $'^failed\t-\t[24].dcm\tthe association breaks')" -eq 2 ]
}

@test "send-dicom: one abort costs nothing" {
	images 3
	fake 0000 abort 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 3 ]
}

@test "send-dicom: an answer to another message is no answer" {
	images 3
	fake "$(uid 2.dcm)=wrongid" 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 1 ]
	grep -q $'^failed\t-\t2.dcm\t.*another request' <<<"$output"
	fake nostatus
	send dicom 1.dcm
	[ "$status" -eq 111 ]
}

@test "send-dicom: a target that hangs is given up after the time-out" {
	images 3
	fake 0000 hang
	TARGET_TIMEOUT=1 send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;target -;' ]
}

# play SCRIPT: a dcmsend that runs SCRIPT for each file, in which say SOURCE LEVEL TEXT logs a line and
# dump DIRECTION ID [STATUS] a message as DCMTK dumps it.
play() {
	mkdir -p "$BATS_TEST_TMPDIR/path"
	cat >"$BATS_TEST_TMPDIR/path/dcmsend" <<-EOF
		#!/bin/bash
		say() { echo "\$2|./dcmnet/libsrc/\$1|\$3"; }
		dump() {
			say "\${source:-scu.cc}" D "===================== \$1 DIMSE MESSAGE ===================="
			if [ "\$1" = OUTGOING ]; then say "\${source:-scu.cc}" D "Message ID                    : \$2"; else
				say "\${source:-scu.cc}" D "Message ID Being Responded To : \$2"
				say "\${source:-scu.cc}" D "DIMSE Status                  : 0x\$3: words"
			fi
			say "\${source:-scu.cc}" D '======================= END DIMSE MESSAGE ======================='
		}
		for file; do case \$file in *.dcm)
			say dstorscu.cc D "sending SOP instance from file: \$file"
			$1
		esac; done
	EOF
	chmod +x "$BATS_TEST_TMPDIR/path/dcmsend"
	PATH=$BATS_TEST_TMPDIR/path:$PATH
}

@test "send-dicom: only the line from the right place of DCMTK counts" {
	touch "$job"/{1,2,3}.dcm
	play 'dump OUTGOING 1; dump INCOMING 1 0000'
	send dicom {1..3}.dcm
	[ "$status" -eq 0 ] # the play itself is right
	play 'source=dstorscu.cc; dump OUTGOING 1; dump INCOMING 1 0000'
	send dicom {1..3}.dcm
	! grep -q '^stored' <<<"$output" || return 1
	play 'dump INCOMING 1 0000'
	send dicom {1..3}.dcm
	! grep -q '^stored' <<<"$output" || return 1
	play 'dump OUTGOING 1; say dstorscu.cc D "sending SOP instance from file: 3.dcm"; dump INCOMING 1 0000'
	send dicom {1..3}.dcm
	! grep -q '^stored' <<<"$output"
}

@test "send-dicom: an image that makes dcmsend crash fails alone" {
	touch "$job"/{1,2,3}.dcm
	play '[ $file != 2.dcm ] || kill -SEGV $$; dump OUTGOING 1; dump INCOMING 1 0000'
	send dicom {1..3}.dcm
	[ "$status" -eq 1 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;failed 2.dcm;stored 3.dcm;' ]
}

@test "send-dicom: a dcmsend that is missing, killed, or fails costs no image anything" {
	touch "$job/1.dcm"
	for script in 'kill -KILL $$' 'exit 1'; do
		play "$script"
		send dicom 1.dcm
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\t'* ]]
	done
	play 'true' # an end of which we know nothing must not be tried for ever
	send dicom 1.dcm
	[ "$status" -eq 1 ]
	[[ $output = $'failed\t-\t1.dcm\t'* ]]
	run env PATH=/nonexistent "$BIN/send-dicom" <<<1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *'unable to run dcmsend'* ]]
}

@test "send-dicom: lines come while it sends; killed, it leaves no process and no file" {
	images 4
	fake 0000 0000 hang
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	cd "$job"
	printf '%s\n' {1..4}.dcm >"$BATS_TEST_TMPDIR/list"
	"$BIN/send-dicom" <"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	started+=("$pid")
	wait_for grep -q 2.dcm "$BATS_TEST_TMPDIR/out"
	child=$(pgrep -P "$pid")
	stop "$pid" KILL
	gone() { ! kill -0 "$child" 2>/dev/null; }
	wait_for gone
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 2 ]
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "send-dicom: more images than one dcmsend gets" {
	images 1
	for i in $(seq 2 1050); do ln "$job/1.dcm" "$job/$i.dcm"; done
	scp --ignore
	send dicom $(seq -f %g.dcm 1 1050)
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 1050 ]
}

@test "send-dicom: bad settings are permanent errors" {
	images 1
	export TARGET_PORT=104
	for setting in TARGET_HOST= TARGET_HOST=-x 'TARGET_HOST=a b' TARGET_AEC= TARGET_AEC=12345678901234567 \
		'TARGET_AET=a\b' TARGET_PORT=0 TARGET_PORT=x TARGET_TIMEOUT=5s; do
		run env "$setting" "$BIN/send-dicom" <<<1.dcm
		[ "$status" -eq 100 ]
		[[ $output = *"${setting%%=*}"* ]]
	done
	for name in ../x.dcm -x .x.dcm a/b 'a b' ''; do
		run "$BIN/send-dicom" <<<"$name"
		[ "$status" -eq 100 ]
	done
}

# --- send-folder

@test "send-folder: the layout, by hard links, bytes unchanged" {
	images 3 -i PAT1
	send folder {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t-\t[1-3].dcm\tstored$')" -eq 3 ]
	[ "$(ls -A "$archive")" = PAT1 ]
	for i in 1 2 3; do
		[ "$(inode "$job/$i.dcm")" = "$(inode "$archive"/PAT1/*/*/"$(uid $i.dcm)".dcm)" ]
	done
}

@test "send-folder: on another file system by copies" {
	other=/dev/shm
	[ -w "$other" ] && [ "$(stat -c %d "$other")" != "$(stat -c %d "$job")" ] || skip "no other file system"
	images 2 -i PAT1
	TARGET_PATH=$(mktemp -d -p "$other" dcmspool-test.XXXXXX)
	send folder 1.dcm 2.dcm
	result=$status found=$(find "$TARGET_PATH" -type f | wc -l) hidden=$(ls -Ad "$TARGET_PATH"/.[!.]* 2>/dev/null | wc -l)
	cmp "$job/1.dcm" "$TARGET_PATH"/PAT1/*/*/"$(uid 1.dcm)".dcm && same=0 || same=1
	rm -r "$TARGET_PATH"
	[ "$result" -eq 0 ] && [ "$found" -eq 2 ] && [ "$hidden" -eq 0 ] && [ "$same" -eq 0 ]
}

@test "send-folder: twice the same is once; other bytes are kept beside" {
	images 2 -i PAT1
	TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm'
	export TARGET_LAYOUT
	send folder 1.dcm 2.dcm
	cp --remove-destination "$job/2.dcm" "$job/copy" && mv "$job/copy" "$job/2.dcm" # same bytes, other inode
	send folder 1.dcm 2.dcm
	[ "$status" -eq 0 ]
	[ "$(ls "$archive/PAT1" | wc -l)" -eq 2 ]
	cp "$job/1.dcm" "$job/other.dcm"
	dcmodify -q -nb -i 0010,0010=Other "$job/other.dcm"
	before=$(cksum <"$archive/PAT1/$(uid 1.dcm).dcm")
	for again in 1 2; do
		send folder other.dcm
		[ "$status" -eq 0 ]
		[ "$(ls "$archive/PAT1" | wc -l)" -eq 3 ]
	done
	cmp "$job/other.dcm" "$archive/PAT1/$(uid 1.dcm)~2.dcm"
	[ "$before" = "$(cksum <"$archive/PAT1/$(uid 1.dcm).dcm")" ]
}

@test "send-folder: a new series appears by one rename" {
	images 5 -i PAT1
	cd "$job"
	printf '%s\n' {1..5}.dcm >"$BATS_TEST_TMPDIR/list"
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=renameat2,rename,renameat,fsync,link,linkat,write \
		"$BIN/send-folder" <"$BATS_TEST_TMPDIR/list" >/dev/null
	[ "$(grep -c 'rename' "$BATS_TEST_TMPDIR/trace")" -eq 1 ]
	# Nothing is told before the rename and an fsync after it.
	order=$(grep -oE 'renameat2|fsync|write\(1' "$BATS_TEST_TMPDIR/trace" | uniq | tr '\n' ' ')
	[ "$order" = 'fsync renameat2 fsync write(1 ' ]
}

@test "send-folder: hostile PatientIDs stay inside" {
	export TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm'
	mkdir "$BATS_TEST_TMPDIR/outside"
	i=0
	for id in '../../x' '..' '.' '/etc/x' $'a\nb' '.hidden' '-rf' "$(printf 'x%.0s' $(seq 5000))" '{PatientName}'; do
		i=$((i + 1))
		images 1 -i "$id"
		mv "$job/1.dcm" "$job/h$i.dcm"
	done
	before=$(find "$BATS_TEST_TMPDIR" -path "$archive" -prune -o -print | sort)
	send folder $(seq -f h%g.dcm 1 $i)
	echo "$output"
	[ "$(grep -c . <<<"$output")" -eq "$i" ]
	[ "$status" -eq 0 ] || [ "$status" -eq 1 ]
	[ "$(find "$archive" -mindepth 2 -type f | wc -l)" -eq "$(count '^stored')" ]
	[ "$(find "$archive" -mindepth 3 | wc -l)" -eq 0 ]
	[ -z "$(find "$archive" -mindepth 1 -name '.*')" ]
	rm -f "$BATS_TEST_TMPDIR/stderr"
	[ "$before" = "$(find "$BATS_TEST_TMPDIR" -path "$archive" -prune -o -print | sort)" ]
}

@test "send-folder: a link in the target is not followed" {
	images 1 -i PAT1
	mkdir "$BATS_TEST_TMPDIR/outside"
	ln -s ../outside "$archive/PAT1"
	send folder 1.dcm
	[ "$status" -eq 1 ]
	grep -q $'^failed\t-\t1.dcm\ta file or a link' <<<"$output"
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/outside")" ]
	[ "$(ls -A "$archive")" = PAT1 ]
}

@test "send-folder: an unreadable image fails alone" {
	images 2
	head -c 300 /dev/zero >"$job/bad.dcm"
	send folder 1.dcm bad.dcm 2.dcm missing.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(count '^failed')" -eq 2 ]
	[ "$(find "$archive" -type f | wc -l)" -eq 2 ]
}

@test "send-folder: a missing folder is made only beside something" {
	images 1
	rm -r "$archive"
	mkdir "$BATS_TEST_TMPDIR/mnt"
	TARGET_PATH=$BATS_TEST_TMPDIR/mnt/archive send folder 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'mount it or make it' ]]
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/mnt")" ]
	send folder 1.dcm
	[ "$status" -eq 0 ]
	[ "$(find "$archive" -type f | wc -l)" -eq 1 ]
}

@test "send-folder: a folder that cannot be written to" {
	images 1
	rm -r "$archive"
	touch "$archive"
	send folder 1.dcm
	[ "$status" -eq 111 ]
	TARGET_PATH=/proc/self send folder 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\tunable to write to /proc/self: '* ]]
}

@test "send-folder: a full disk is the target's fault and leaves nothing" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mount -t tmpfs -o size=64k,nr_inodes=64 none "$archive" 2>/dev/null || skip "cannot mount"
	images 4 -r 128 -c 128
	send folder {1..4}.dcm
	left=$(ls -A "$archive")
	umount "$archive"
	[ "$status" -eq 111 ]
	[ -z "$left" ]
	[[ $output = $'target\t-\t-\t'*'No space left on device' ]]
}

@test "send-folder: killed at any rename, the next run finishes" {
	images 4 -i PAT1
	mkdir "$archive/PAT1"
	cd "$job"
	printf '%s\n' {1..4}.dcm >"$BATS_TEST_TMPDIR/list"
	for call in mkdirat linkat fsync renameat2 unlinkat; do
		for n in 1 2 4; do
			rm -rf "$archive"
			mkdir -p "$archive/PAT1"
			strace -f -o /dev/null -e trace="$call" -e inject="$call":signal=KILL:when=$n \
				"$BIN/send-folder" <"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" || true
			# What was told is there.
			while IFS=$'\t' read -r result _ file _; do
				[ "$result" != stored ] || cmp "$file" "$archive"/PAT1/*/*/"$(uid "$file")".dcm
			done <"$BATS_TEST_TMPDIR/out"
			send folder {1..4}.dcm
			[ "$status" -eq 0 ]
			[ "$(find "$archive" -type f | wc -l)" -eq 4 ]
			[ "$(ls -A "$archive")" = PAT1 ]
		done
	done
}

@test "send-folder: association values, and bad settings are permanent errors" {
	images 1 -m MR
	echo '{"tags":{},"association":{"calling_aet":"CT/1","called_aet":"US","peer":"::1"}}' >"$job/series.json"
	TARGET_LAYOUT='{SenderAET}/{ReceiverAET}-{Modality}/{InstanceNumber}.dcm' send folder 1.dcm
	[ "$status" -eq 0 ]
	[ "$(cd "$archive" && echo CT_1~*/US-MR/1.dcm)" != 'CT_1~*/US-MR/1.dcm' ]
	for setting in 'TARGET_LAYOUT={Nope}/{SOPInstanceUID}' 'TARGET_LAYOUT={Modality}/x' 'TARGET_LAYOUT=../{SOPInstanceUID}' \
		TARGET_PATH=relative TARGET_PATH= DCMSPOOL_JOB=../x; do
		run env "$setting" "$BIN/send-folder" <<<1.dcm
		[ "$status" -eq 100 ]
	done
}

@test "senders: man pages" {
	for page in src/send-dicom/send-dicom.8 src/send-folder/send-folder.8 src/lib/dcmspool-sender.7; do
		run mandoc -T lint -W warning "$TOP/$page"
		echo "$output"
		[ "$status" -eq 0 ]
	done
}
