#!/usr/bin/env bats
# send-dicom against the contract of dcmspool-sender(7).
# bats file_tags=sender

load ../helper
load sender

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
	head -c 200 "$job/3.dcm" >"$job/cut.dcm"
	mkdir "$job/folder.dcm"
	scp
	send dicom bad.dcm 1.dcm cut.dcm missing.dcm folder.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(count '^failed')" -eq 4 ]
	[ "$(ls "$BATS_TEST_TMPDIR/received" | wc -l)" -eq 2 ]
}

@test "send-dicom: a file whose data set has no SOP Instance UID goes under that of its meta header or name" {
	images 3
	local meta
	dcmodify -q -nb -nmu -imt -e 0008,0018 "$job/1.dcm"
	meta=$(dcmdump -q +P 0002,0003 "$job/1.dcm" | sed 's/.*\[\(.*\)\].*/\1/')
	python3 - "$job/1.dcm" "$job/1.2.3~2.dcm" <<-'END'
		import sys
		data = open(sys.argv[1], 'rb').read()
		at = data.index(b'\x02\0\x03\0UI')
		open(sys.argv[2], 'wb').write(data[:at] + data[at + 8 + int.from_bytes(data[at + 6:at + 8], 'little'):])
	END
	fake 0000
	send dicom 1.dcm 1.2.3~2.dcm 2.dcm
	[ "$status" -eq 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/fake.log")" = "$meta 0000
1.2.3 0000
$(uid 2.dcm) 0000" ]
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
	grep -q $'^failed\t-\trle.dcm\tthe target accepts.*only the image\'s own, RLE Lossless (1.2.840.10008.1.2.5); decompress allows no other$' \
		<<<"$output"
	[ "$(count '^stored')" -eq 2 ]
}

@test "send-dicom: decompress = lossless, lossy: what may be decompressed is sent so" {
	images 2
	dcmcrle "$job/1.dcm" "$job/rle.dcm"
	dcmcjpeg +eb +un "$job/2.dcm" "$job/jpeg.dcm"
	profile LittleEndianExplicit
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	TARGET_DECOMPRESS=lossless send dicom rle.dcm jpeg.dcm
	[ "$status" -eq 1 ]
	grep -q $'^stored\t0000\trle.dcm' <<<"$output"
	grep -q $'^failed\t-\tjpeg.dcm\t.*only the image\'s own, JPEG Baseline' <<<"$output"
	"$TOOLS/dicomcmp" "$job/1.dcm" "$BATS_TEST_TMPDIR/received/CT.$(uid 1.dcm)"
	TARGET_DECOMPRESS=lossy send dicom jpeg.dcm
	[ "$status" -eq 0 ]
	stop_all
	profile JPEG2000
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	TARGET_DECOMPRESS=lossless send dicom 1.dcm rle.dcm
	[ "$status" -eq 1 ]
	grep -q $'^failed\t-\t1.dcm\t.*: the three uncompressed ones$' <<<"$output"
	grep -q $'^failed\t-\trle.dcm\t.*RLE Lossless .*, and the three uncompressed ones$' <<<"$output"
}

@test "send-dicom: no presentation context accepted at all" {
	images 2
	profile JPEGBaseline
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	send dicom 1.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^failed\t-\t[12].dcm\tthe target accepts')" -eq 2 ]
}

@test "send-dicom: transfer syntaxes that nobody knows go as they are, or fail alone" {
	images 2 -P 1.2.840.10008.1.2.4.201
	sed -i 's/1\.2\.840\.10008\.1\.2\.4\.201/1.2.276.0.7230010.3.9.9.1/' "$job/2.dcm"
	fake 0000
	send dicom 1.dcm 2.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 2 ]
	images 1
	profile LittleEndianExplicit
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/other" -s 1 -n 1 -r 16 -c 16 -P 1.2.840.10008.1.2.4.201 >/dev/null
	mv "$BATS_TEST_TMPDIR"/other/*/*.dcm "$job/2.dcm"
	TARGET_DECOMPRESS=lossy send dicom 2.dcm 1.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^stored\t0000\t1.dcm')" -eq 1 ]
	[ "$(count $'^never\t-\t2.dcm\t.*only the image\'s own, HTJ2K Lossless (.*), which cannot be converted here$')" -eq 1 ]
}

@test "send-dicom: association refused, aborted, no listener, unknown host: the target's fault" {
	images 2
	for option in --refuse --abort-after --abort-during; do
		scp "$option"
		send dicom 1.dcm 2.dcm
		[ "$status" -eq 111 ]
		[ "$(wc -l <<<"$output")" -eq 1 ]
		[[ $output = $'target\t-\t-\t127.0.0.1:'* || ($option = --abort-* && $output = $'doubt\t-\t1.dcm\t'*) ]]
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
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;stored 2.dcm;doubt 3.dcm;doubt 4.dcm;' ]
}

@test "send-dicom: an image that makes the target abort is in doubt, and the others get through" {
	images 5
	fake "$(uid 2.dcm)=abort" "$(uid 4.dcm)=abort" 0000
	send dicom {1..5}.dcm
	[ "$status" -eq 111 ]
	[ "$(count $'^stored\t0000\t[135].dcm')" -eq 3 ]
	[ "$(count $'^doubt\t-\t[24].dcm\tthe target aborts')" -eq 2 ]
	[ "$(count '^target')" -eq 0 ]
}

@test "send-dicom: one abort costs no other image anything" {
	images 3
	fake 0000 abort 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;doubt 2.dcm;stored 3.dcm;' ]
}

@test "send-dicom: an answer to another message is no answer" {
	images 3
	fake "$(uid 2.dcm)=wrongid" 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	grep -q $'^doubt\t-\t2.dcm\t.*another request' <<<"$output"
	fake nostatus
	send dicom 1.dcm
	[ "$status" -eq 111 ]
}

@test "send-dicom: a target that hangs is given up after the time-out" {
	images 3
	fake 0000 hang
	TARGET_TIMEOUT=1 send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;doubt 2.dcm;doubt 3.dcm;' ]
}

# tool NAME SCRIPT: a program of DCMTK that does that instead
tool() {
	mkdir -p "$BATS_TEST_TMPDIR/path"
	printf '#!/bin/sh\n%s\n' "$2" >"$BATS_TEST_TMPDIR/path/$1"
	chmod +x "$BATS_TEST_TMPDIR/path/$1"
}

@test "send-dicom: a conversion is noted, and one that fails says why" {
	images 3
	dcmconv +ti "$job/1.dcm" "$job/implicit.dcm"
	dcmcrle "$job/2.dcm" "$job/rle.dcm"
	profile LittleEndianExplicit
	scp -xf "$BATS_TEST_TMPDIR/profile" Default
	export TARGET_DECOMPRESS=lossless TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	send dicom implicit.dcm rle.dcm
	[ "$status" -eq 0 ]
	[[ $output = *'converted from Implicit VR Little Endian (1.2.840.10008.1.2) to Explicit VR Little Endian'*' by dcmconv'* ]]
	[[ $output = *'converted from RLE Lossless '*' by dcmdrle'* ]]
	[ -z "$(ls -A "$TMPDIR")" ]
	tool dcmdrle 'echo "F: no such decoder" >&2; exit 1'
	PATH=$BATS_TEST_TMPDIR/path:$PATH send dicom rle.dcm 3.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^never\t-\trle.dcm\t.*the conversion to .* by dcmdrle failed: no such decoder$')" -eq 1 ]
	[ "$(count $'^stored\t0000\t3.dcm')" -eq 1 ]
	cd "$job"
	run /usr/bin/env PATH=/nonexistent "$BIN/send-dicom" <<<rle.dcm
	[ "$status" -eq 126 ] # neither the image nor the target is to blame
	[[ $output = *'unable to run dcmdrle: '* ]]
}

@test "send-dicom: lines come while it sends; killed, it leaves no process and no file" {
	images 4
	fake 0000 0000 hang
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	cd "$job"
	printf '%s\n' {1..4}.dcm >"$BATS_TEST_TMPDIR/list"
	TARGET_TIMEOUT=600 "$BIN/send-dicom" <"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	started+=("$pid")
	wait_for grep -q 2.dcm "$BATS_TEST_TMPDIR/out"
	run pgrep -P "$pid"
	[ "$status" -eq 1 ] # it needs no other process
	stop "$pid" KILL
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 2 ]
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "send-dicom: more than a thousand images" {
	images 1
	for i in $(seq 2 1050); do ln "$job/1.dcm" "$job/$i.dcm"; done
	scp --ignore
	send dicom $(seq -f %g.dcm 1 1050)
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 1050 ]
}

# bats test_tags=torture
@test "send-dicom: an image of 5 GB, in less than 4 MB of memory of its own" {
	images 2
	truncate -s 5G "$job/1.dcm"
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	start sink "$TOOLS/sink" "$TARGET_PORT" 2
	wait_for listens "$TARGET_PORT"
	cd "$job"
	printf '%s\n' 1.dcm 2.dcm >"$BATS_TEST_TMPDIR/list"
	"$BIN/send-dicom" <"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	started+=("$pid")
	most=0
	ended() {
		local now
		now=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
		[ "${now:-0}" -le "$most" ] || most=$now
		[ -z "$now" ]
	}
	wait_for -t 120 ended
	wait "$pid"
	[ "$most" -gt 0 ]
	echo "$most kB"
	[ "$most" -lt 4096 ]
	[ "$(grep -c $'^stored\t0000' "$BATS_TEST_TMPDIR/out")" -eq 2 ]
	wait_for -t 1 [ -s "$BATS_TEST_TMPDIR/sink.log" ] # the sink has counted both
}
