#!/usr/bin/env bats
# send-folder: the marker of a directory that is complete.
# bats file_tags=sender

load ../helper
load sender

@test "send-folder: the marker comes last, durably, before the last answer" {
	images 3 -i PAT1
	export TARGET_MARKER=complete TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm'
	mkdir "$archive/PAT1"
	cd "$job"
	printf '%s\n' {1..3}.dcm >"$BATS_TEST_TMPDIR/list"
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=renameat2,openat,fsync,write \
		"$BIN/send-folder" <"$BATS_TEST_TMPDIR/list" >/dev/null
	[ ! -s "$archive/PAT1/complete" ] && [ -f "$archive/PAT1/complete" ]
	order=$(grep -oE 'renameat2|"complete", O_|fsync|write\(1' "$BATS_TEST_TMPDIR/trace" |
		sed -n '/renameat2/,$p' | uniq | tr '\n' ' ')
	echo "$order"
	[ "$order" = 'renameat2 fsync write(1 "complete", O_ fsync write(1 ' ]
	touch -d @1 "$archive/PAT1/complete"
	send folder 1.dcm 2.dcm 3.dcm
	[ "$(stat -c %Y "$archive/PAT1/complete")" -gt 1 ]
}

@test "send-folder: no marker while an image of the job is missing in its directory, one as soon as it is there" {
	images 3 -i PAT1
	images 1 -i PAT2 && mv "$job/1.dcm" "$job/other.dcm"
	images 3 -i PAT1
	head -c 300 /dev/zero >"$job/bad.dcm" # goes nowhere
	export TARGET_MARKER=.complete TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm'
	send folder 1.dcm 2.dcm bad.dcm other.dcm # 3.dcm was given up: neither here nor in sent.log
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 3 ]
	[ "$(find "$archive" -name .complete)" = "$archive/PAT2/.complete" ]
	printf 'now\tt\tstored\t-\t%s\t1\tstored\n' 1.dcm 2.dcm >"$job/sent.log"
	printf 'now\telsewhere\tstored\t-\t3.dcm\t1\tstored\nnow\tt\tfailed\t-\t3.dcm\t1\tno\ncut' >>"$job/sent.log"
	send folder other.dcm
	[ "$(find "$archive" -name .complete)" = "$archive/PAT2/.complete" ]
	send folder 3.dcm
	[ "$status" -eq 0 ]
	[ -f "$archive/PAT1/.complete" ]
}

@test "send-folder: what stands in the way of the marker fails an image, an error of the folder fails the target" {
	images 2 -i PAT1
	export TARGET_MARKER=complete TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}'
	mkdir -p "$archive/PAT1/complete"
	send folder 1.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 1 ]
	[[ $output = *$'\ta directory or a link has the name of the marker; move it away' ]]
	rmdir "$archive/PAT1/complete"
	ln -s /dev/null "$archive/PAT1/complete"
	send folder 1.dcm 2.dcm
	[ "$status" -eq 1 ]
	rm "$archive/PAT1/complete"
	TARGET_MARKER=$(uid 1.dcm) send folder 1.dcm
	[ "$status" -eq 1 ]
	[[ $output = *'it would be called like the marker'* ]]
	rm -r "$archive/PAT1"
	mkdir "$archive/PAT1"
	run bash -c 'cd "$1" && printf "%s\n" 1.dcm 2.dcm | strace -f -o /dev/null -e trace=utimensat \
		-e inject=utimensat:error=EIO "$2"' - "$job" "$BIN/send-folder"
	[ "$status" -eq 111 ]
	[ "$(count '^stored')" -eq 1 ] # the one that completes the directory is not told
	for name in a/b x.dcm ..x '-x' $'a\nb'; do
		TARGET_MARKER=$name send folder 1.dcm
		[ "$status" -eq 100 ]
		[[ $output = *'cannot be the name of a marker'* ]]
	done
}

@test "send-folder: killed at any moment, the marker is there at the end" {
	images 3 -i PAT1
	export TARGET_MARKER=complete
	cd "$job"
	printf '%s\n' {1..3}.dcm >"$BATS_TEST_TMPDIR/list"
	for call in renameat2:1 utimensat:1 fsync:6 fsync:7 fsync:8 write:1 write:2 write:3; do
		rm -rf "$archive"
		mkdir "$archive"
		strace -f -o /dev/null -e trace="${call%:*}" -e inject="${call%:*}:signal=KILL:when=${call#*:}" \
			"$BIN/send-folder" <"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" || true
		# What the dispatcher does with the lines.
		awk -F '\t' '$1 == "stored" { print "now\tt\tstored\t-\t" $3 "\t1\tstored" }' "$BATS_TEST_TMPDIR/out" >sent.log
		mapfile -t rest < <(cut -f 5 sent.log | sort | comm -13 - "$BATS_TEST_TMPDIR/list")
		[ ${#rest[@]} -eq 0 ] || send folder "${rest[@]}"
		[ "$(find "$archive" -name complete | wc -l)" -eq 1 ]
		[ "$(find "$archive" -name '*.dcm' | wc -l)" -eq 3 ]
		rm sent.log
	done
}
