#!/usr/bin/env bats
# send-folder against the contract of dcmspool-sender(7), and the layout of folder targets.
# bats file_tags=sender

load ../helper
load sender

@test "layout: unit test" {
	run "$TOOLS/test_layout"
	echo "$output"
	[ "$status" -eq 0 ]
}

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

# bats test_tags=root
@test "send-folder: mounted = yes: nothing is written where nothing is mounted" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	images 1
	export TARGET_MOUNTED=yes
	send folder 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"$archive is not mounted; mount it, or"* ]]
	probe folder
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"is not mounted"* ]]
	[ -z "$(ls -A "$archive")" ]
	TARGET_PATH=$archive/below send folder 1.dcm # and is not made
	[ "$status" -eq 111 ]
	[ -z "$(ls -A "$archive")" ]
	mount -t tmpfs none "$archive" 2>/dev/null || skip "cannot mount"
	probe folder
	probed=$status
	send folder 1.dcm
	found=$(find "$archive" -type f | wc -l)
	umount "$archive"
	[ "$probed" -eq 0 ]
	[ "$status" -eq 0 ]
	[ "$found" -eq 1 ]
	mkdir "$BATS_TEST_TMPDIR/disk" # of the same device
	mount --bind "$BATS_TEST_TMPDIR/disk" "$archive"
	send folder 1.dcm
	umount "$archive"
	[ "$status" -eq 0 ]
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
	rm "$archive"
	mkdir "$archive"
	command -v strace >/dev/null || skip "strace is missing"
	export ASAN_OPTIONS=detect_leaks=0
	TARGET_PATH=$archive run strace -qq -o /dev/null -P "$archive" -e inject=openat:error=EACCES \
		"$BIN/send-folder" -p
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*': Permission denied; let the user who runs dcmspool write there' ]]
}

# bats test_tags=root
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

@test "send-folder: killed at any moment, the next run finishes" {
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

@test "send-folder: what killed runs of other jobs have left is removed when it is nobody's" {
	local old=$archive/.dcmspool.20261101T140301.1Z.a.b locked=$archive/.dcmspool.locked new=$archive/.dcmspool.new
	images 1
	mkdir -p "$old/PAT1/x" "$locked/PAT1" "$new/PAT1" "$archive/.dcmspool.-x"
	ln "$job/1.dcm" "$old/PAT1/x/1.dcm"
	ln -s "$job" "$old/PAT1/link"
	ln -s "$job" "$archive/.dcmspool.link"
	touch -hd '2 days ago' "$old" "$locked" "$archive"/.dcmspool.{link,-x}
	exec 9<"$locked"
	flock -n 9
	send folder 1.dcm
	[ "$status" -eq 0 ]
	[ "$(cd "$archive" && echo .dcmspool.*)" = '.dcmspool.-x .dcmspool.link .dcmspool.locked .dcmspool.new' ]
	[ -d "$locked/PAT1" ] && [ -d "$new/PAT1" ]
	[ -f "$job/1.dcm" ]
	exec 9<&-
	send folder 1.dcm
	[ ! -e "$locked" ] && [ -d "$new" ]
}

# faulty INJECTION...: send-folder with system calls that fail as told, for 1.dcm to 3.dcm.
faulty() {
	local options=()
	for injection; do options+=(-e inject="$injection"); done
	run bash -c 'cd "$1" && shift && printf "%s\n" {1..3}.dcm | strace -f -o /dev/null "$@"' - "$job" \
		"${options[@]}" "$BIN/send-folder"
}

@test "send-folder: file systems without RENAME_NOREPLACE, without links" {
	images 3 -i PAT1
	for what in renameat2:error=EINVAL linkat:error=EXDEV 'linkat:error=EPERM renameat2:error=EINVAL'; do
		rm -r "$archive"
		mkdir "$archive"
		for again in 1 2; do
			# shellcheck disable=SC2086
			faulty $what
			[ "$status" -eq 0 ]
			[ "$(count '^stored')" -eq 3 ]
			[ "$(find "$archive" -type f | wc -l)" -eq 3 ]
			[ "$(ls -A "$archive")" = PAT1 ]
			cmp "$job/2.dcm" "$archive"/PAT1/*/*/"$(uid 2.dcm)".dcm
		done
	done
}

@test "send-folder: an error of the folder at any point is the target's, and nothing untrue is told" {
	images 3 -i PAT1
	for what in mkdirat:error=EROFS linkat:error=ENOSPC fsync:error=EIO:when=1 fsync:error=ESTALE:when=5 \
		renameat2:error=EACCES 'linkat:error=EXDEV fsync:error=ENOSPC:when=2'; do
		rm -r "$archive"
		mkdir "$archive"
		# shellcheck disable=SC2086
		faulty $what
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\tunable to write to '* ]]
		[ "$(wc -l <<<"$output")" -eq 1 ]
		[ -z "$(find "$archive" -name '.*' -mindepth 1)" ]
	done
}

@test "send-folder: names that the folder does not take are the image's, no descriptors left is ours" {
	images 1 -i PAT2
	mv "$job/1.dcm" "$job/other.dcm"
	images 1 -i PAT1
	cd "$job"
	printf '%s\n' 1.dcm other.dcm >"$BATS_TEST_TMPDIR/list"
	for error in ENAMETOOLONG EILSEQ; do
		run strace -f -o /dev/null -P PAT2 -e trace=mkdirat -e inject=mkdirat:error=$error "$BIN/send-folder" <"$BATS_TEST_TMPDIR/list"
		[ "$status" -eq 1 ]
		[ "$(count '^stored')" -eq 1 ]
		grep -q $'^failed\t-\tother.dcm\t' <<<"$output"
	done
	for error in ENOSPC EIO EDQUOT; do
		run strace -f -o /dev/null -P PAT2 -e trace=mkdirat -e inject=mkdirat:error=$error "$BIN/send-folder" <"$BATS_TEST_TMPDIR/list"
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\tunable to write to '* ]]
	done
	for error in EMFILE ENOMEM; do
		run strace -f -o /dev/null -P other.dcm -e trace=openat -e inject=openat:error=$error "$BIN/send-folder" <"$BATS_TEST_TMPDIR/list"
		[ "$status" -eq 126 ]
		[ "$(count $'\t')" -eq 0 ]
		[[ $output = *"error: unable to "* ]]
	done
}

@test "send-folder: two at once of the same job" {
	images 1
	mkdir "$archive/.dcmspool.$DCMSPOOL_JOB"
	start lock flock -F "$archive/.dcmspool.$DCMSPOOL_JOB" sleep 60
	locked() { ! flock -n "$archive/.dcmspool.$DCMSPOOL_JOB" true; }
	wait_for locked
	send folder 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *'another send-folder'* ]]
}

@test "send-folder: association values, and bad settings are permanent errors" {
	images 1 -m MR
	echo '{"tags":{},"association":{"calling_aet":"CT/1","called_aet":"US","peer":"::1"}}' >"$job/series.json"
	TARGET_LAYOUT='{SenderAET}/{ReceiverAET}-{Modality}/{InstanceNumber}.dcm' send folder 1.dcm
	[ "$status" -eq 0 ]
	[ "$(cd "$archive" && echo CT_1~*/US-MR/1.dcm)" != 'CT_1~*/US-MR/1.dcm' ]
	for setting in 'TARGET_LAYOUT={Nope}/{SOPInstanceUID}' 'TARGET_LAYOUT={Modality}/x' 'TARGET_LAYOUT=../{SOPInstanceUID}' \
		TARGET_LAYOUT= TARGET_PATH=relative TARGET_PATH= DCMSPOOL_JOB=../x; do
		run env "$setting" "$BIN/send-folder" <<<1.dcm
		[ "$status" -eq 100 ]
	done
}

@test "send-folder: copy = yes makes no links" {
	images 2 -i PAT1
	export TARGET_COPY=yes
	for again in 1 2; do
		send folder 1.dcm 2.dcm
		[ "$status" -eq 0 ]
		[ "$(find "$archive" -type f -links 1 | wc -l)" -eq 2 ]
	done
	cmp "$job/1.dcm" "$archive"/PAT1/*/*/"$(uid 1.dcm)".dcm
	TARGET_COPY=perhaps send folder 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *"TARGET_COPY is 'perhaps'; it must be yes or no" ]]
}

@test "send-folder: -p tells whether the folder can be written to, and leaves nothing" {
	export TARGET_MARKER=complete
	probe folder
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ -z "$(ls -A "$archive")" ]
	TARGET_PATH=/proc/self probe folder
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\tunable to write to /proc/self: '* ]]
	mkdir "$BATS_TEST_TMPDIR/mnt"
	TARGET_PATH=$BATS_TEST_TMPDIR/mnt/archive probe folder
	[ "$status" -eq 111 ]
	[[ $output = *'mount it or make it' ]]
}

@test "send-folder: a tag beyond the usual ones in the layout" {
	images 1 -i PAT1
	dcmodify -q -nb -m 0008,0020=20240229 "$job/1.dcm"
	TARGET_LAYOUT='{StudyDate}/{PatientID}/{SOPInstanceUID}.dcm' send folder 1.dcm
	[ "$status" -eq 0 ]
	[ "$(cd "$archive" && echo */*)" = 20240229/PAT1 ]
}
