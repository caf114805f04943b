#!/usr/bin/env bats
# send-sftp against the contract of dcmspool-sender(7), with a real sshd on loopback.
# bats file_tags=sender

load ../helper
load sender
load ssh

server() {
	sshd_start "$@"
	export TARGET_FOLDER=$archive
}

# files: what is in the archive, markers and temporary files too
files() { find "$archive" -type f | wc -l; }
parts() { find "$archive" -name '.*.part' | wc -l; }

@test "send-sftp: the layout, bytes unchanged, nothing left aside" {
	server
	images 3 -i PAT1
	send sftp {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t-\t[1-3].dcm\tstored$')" -eq 3 ]
	[ "$(files)" -eq 3 ]
	for i in 1 2 3; do cmp "$job/$i.dcm" "$archive"/PAT1/*/*/"$(uid $i.dcm)".dcm; done
	[ ! -s "$BATS_TEST_TMPDIR/stderr" ]
}

@test "send-sftp: a folder relative to the login, and a limited rate" {
	server 'internal-sftp -d '"$BATS_TEST_TMPDIR"
	images 2
	TARGET_FOLDER=archive TARGET_RATE_LIMIT=1000000 send sftp 1.dcm 2.dcm
	[ "$status" -eq 0 ]
	[ "$(files)" -eq 2 ]
}

@test "send-sftp: twice the same is once; other bytes are kept beside" {
	server
	images 3 -i PAT1
	export TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm'
	send sftp 1.dcm 2.dcm
	before=$(cksum <"$archive/PAT1/$(uid 1.dcm).dcm")
	send sftp {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$(count 'stored already$')" -eq 2 ]
	[ "$(files)" -eq 3 ]
	cp "$job/1.dcm" "$job/other.dcm"
	dcmodify -q -nb -i 0010,0010=Other "$job/other.dcm"
	for again in 1 2; do
		send sftp other.dcm
		[ "$status" -eq 0 ]
		[ "$(files)" -eq 4 ]
	done
	cmp "$job/other.dcm" "$archive/PAT1/$(uid 1.dcm)~2.dcm"
	[ "$before" = "$(cksum <"$archive/PAT1/$(uid 1.dcm).dcm")" ]
	[ "$(parts)" -eq 0 ]
}

@test "send-sftp: the marker comes last, and only to a complete directory" {
	server
	images 2 -i PAT1
	head -c 300 /dev/zero >"$job/bad.dcm"
	export TARGET_MARKER=.complete TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm'
	send sftp 1.dcm
	[ "$status" -eq 0 ]
	[ ! -e "$archive/PAT1/.complete" ] # 2.dcm is neither sent nor in the ledger
	send sftp 1.dcm bad.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[ -f "$archive/PAT1/.complete" ] && [ ! -s "$archive/PAT1/.complete" ]
	send sftp 2.dcm 1.dcm
	[ "$status" -eq 0 ]
	[ "$(files)" -eq 3 ]
	rm "$archive/PAT1/.complete"
	mkdir "$archive/PAT1/.complete"
	send sftp 1.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^failed')" -eq 1 ]
	[ "$(count '^stored')" -eq 1 ]
	[ "$(parts)" -eq 0 ]
}

@test "send-sftp: hostile values become the same names as in a folder" {
	server
	odd_files
	local n=0 value
	for value in '../../x' 'a b'\''c"d' '-rf' '#x' '[b]$(id)`id`' 'a\b*c?' $'new\nline' '~' '!id' 'ü,;&{}'; do
		n=$((n + 1))
		"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 1 -n 1 -r 8 -c 8 -i "$value" >/dev/null
		mv "$BATS_TEST_TMPDIR"/study/*/*.dcm "$job/$n.dcm"
	done
	export TARGET_LAYOUT='-a *?[x] "'\''#\ {PatientID}/{PatientID} -l/{PatientID}{SOPInstanceUID}.dcm'
	seq -f %g.dcm "$n" | xargs echo
	send sftp $(seq -f %g.dcm "$n")
	[ "$status" -eq 0 ]
	mkdir "$BATS_TEST_TMPDIR/folder"
	TARGET_PATH=$BATS_TEST_TMPDIR/folder send folder $(seq -f %g.dcm "$n")
	[ "$status" -eq 0 ]
	diff -r "$BATS_TEST_TMPDIR/folder" "$archive"
	[ "$(files)" -eq "$n" ]
	# and once more, found by these names
	send sftp $(seq -f %g.dcm "$n")
	[ "$(count 'stored already')" -eq "$n" ]
}

@test "send-sftp: an unreadable image, and a file in the way, fail alone" {
	server
	images 2 -i PAT1
	head -c 300 /dev/zero >"$job/bad.dcm"
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 1 -n 2 -r 8 -c 8 -i PAT2 >/dev/null
	mv "$BATS_TEST_TMPDIR"/study/*/IM00001.dcm "$job/3.dcm"
	mv "$BATS_TEST_TMPDIR"/study/*/IM00002.dcm "$job/4.dcm"
	touch "$archive/PAT2"
	send sftp 1.dcm bad.dcm 3.dcm 4.dcm missing.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(count '^failed')" -eq 4 ]
	grep -q $'^failed\t-\t4.dcm\t.*not a directory' <<<"$output"
	[ "$(files)" -eq 3 ]
	[ "$(parts)" -eq 0 ]
}

@test "send-sftp: host key unknown, host key changed, key refused: in words" {
	server
	images 1
	mv "$TARGET_KNOWN_HOSTS" "$BATS_TEST_TMPDIR/known"
	send sftp 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"its host key is not in $TARGET_KNOWN_HOSTS; add"* ]]
	[ ! -e "$TARGET_KNOWN_HOSTS" ]
	sed 's/ .*/ '"$(cut -d' ' -f1,2 <"$TARGET_KEY_FILE.pub" | sed 's|/|\\/|g')"'/' "$BATS_TEST_TMPDIR/known" >"$TARGET_KNOWN_HOSTS"
	send sftp 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'its host key is not the one in'* ]]
	cp "$BATS_TEST_TMPDIR/known" "$TARGET_KNOWN_HOSTS"
	: >"$BATS_TEST_TMPDIR/ssh/authorized"
	send sftp 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"the key $TARGET_KEY_FILE is refused; its"* ]]
	cp "$TARGET_KEY_FILE.pub" "$BATS_TEST_TMPDIR/ssh/authorized"
	echo garbage >"$TARGET_KEY_FILE"
	send sftp 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *"must be a private key without a passphrase"* ]]
	[ "$(files)" -eq 0 ]
}

@test "send-sftp: a target that is down, or hangs" {
	server '/bin/sh -c "cat >/dev/null"'
	images 1
	TARGET_TIMEOUT=2 send sftp 1.dcm
	[ "$status" -eq 111 ]
	[ "$(wc -l <<<"$output")" -eq 1 ] # nothing was sent
	[[ $output = $'target\t-\t-\t'*'no progress for 2 s' ]]
	stop "$pid_sshd"
	send sftp 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'Connection refused' ]]
	run "$BIN/send-sftp" -p </dev/null
	[ "$status" -eq 111 ]
	PATH=/nonexistent run "$BIN/send-sftp" -p </dev/null
	[ "$status" -eq 126 ] # ours
	[[ $output = *"unable to run sftp"*"install it" ]]
}

@test "send-sftp: -p asks for the folder" {
	server
	run "$BIN/send-sftp" -p </dev/null
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	touch "$archive/file"
	for folder in nowhere file; do
		TARGET_FOLDER=$archive/$folder run "$BIN/send-sftp" -p </dev/null
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\t'*"folder $archive/$folder: "* ]]
	done
}

@test "send-sftp: bad settings are permanent errors" {
	server
	images 1
	chmod 644 "$TARGET_KEY_FILE"
	send sftp 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *'chmod 600'* ]]
	chmod 600 "$TARGET_KEY_FILE"
	for setting in TARGET_HOST=-oProxyCommand=id TARGET_HOST= 'TARGET_USERNAME=a b' TARGET_USERNAME=-l TARGET_PORT=0 \
		TARGET_FOLDER= $'TARGET_FOLDER=a\n!id' TARGET_LAYOUT=x 'TARGET_KNOWN_HOSTS=/a$HOME' TARGET_KEY_FILE= \
		TARGET_MARKER=../x DCMSPOOL_JOB=../x; do
		run env "$setting" "$BIN/send-sftp" <<<1.dcm
		[ "$status" -eq 100 ]
	done
}

@test "send-sftp: a directory without permission fails alone, a folder without it is the target's" {
	[ "$(id -u)" -ne 0 ] || skip "root may write everywhere"
	server
	images 1 -i PAT1
	mkdir "$archive/PAT1"
	chmod 555 "$archive/PAT1"
	send sftp 1.dcm
	[ "$status" -eq 1 ]
	[[ $output = $'failed\t-\t1.dcm\t'*'Permission denied'* ]]
	rmdir "$archive/PAT1"
	chmod 555 "$archive"
	send sftp 1.dcm
	chmod 755 "$archive"
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"unable to write to $archive: "*'Permission denied'* ]]
}

@test "send-sftp: a read-only target, and a directory that takes nothing" {
	server 'internal-sftp -R'
	images 1 -i PAT1
	send sftp 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"unable to write to $archive: "*'Permission denied'* ]]
}

@test "send-sftp: a server that cannot rename fails as the target, once" {
	server 'internal-sftp -P rename'
	images 3 -i PAT1
	send sftp {1..3}.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"unable to rename in $archive: "*'Permission denied'* ]]
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ "$(files)" -eq 0 ]
	stop "$pid_sshd"
	# SSH_FX_FAILURE: the request comes, and fails
	server 'strace -o /dev/null -e trace=link,linkat,rename,renameat,renameat2 -e inject=link,linkat,rename,renameat,renameat2:error=EIO /usr/lib/openssh/sftp-server'
	send sftp {1..3}.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"unable to rename in $archive: "*'Failure'* ]]
	[ "$(files)" -eq 0 ]
}

@test "send-sftp: a failed fsync is no success" {
	server 'strace -o /dev/null -e trace=fsync -e inject=fsync:error=EIO /usr/lib/openssh/sftp-server'
	images 1
	send sftp 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'remote fsync: Failure'* ]]
	[ "$(files)" -eq 0 ]
}

# bats test_tags=root
@test "send-sftp: a full disk is the target's fault, says so, and leaves nothing" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	server
	images 4 -r 128 -c 128
	mount -t tmpfs -o size=64k,nr_inodes=64 none "$archive" 2>/dev/null || skip "cannot mount"
	send sftp {1..4}.dcm
	left=$(find "$archive" -type f -size -32k | wc -l) whole=$(files) stored=$(count '^stored')
	umount "$archive"
	[ "$status" -eq 111 ]
	[ "$left" -eq 0 ]
	[ "$whole" -eq "$stored" ]
	[[ $output = *$'target\t-\t-\t'*'is its disk full?)' ]]
}

# begun: a temporary file has something in it that was written since stamp
begun() { [ -n "$(find "$archive" -name '.*.part' -size +0 -newer "$BATS_TEST_TMPDIR/stamp")" ]; }

@test "send-sftp: the server dies in the middle, the sender dies in the middle: nothing half" {
	server
	images 2 -r 512 -c 512 -i PAT1
	cd "$job"
	export TARGET_RATE_LIMIT=50000
	printf '%s\n' 1.dcm 2.dcm >"$BATS_TEST_TMPDIR/list"
	touch "$BATS_TEST_TMPDIR/stamp"
	start one bash -c 'exec "$1" <"$2"' - "$BIN/send-sftp" "$BATS_TEST_TMPDIR/list"
	wait_for begun
	sshd_kill
	! wait "$pid_one"
	[ "$(cut -f1,3 "$BATS_TEST_TMPDIR/one.log" | tr '\t\n' ' ;')" = 'doubt 1.dcm;target -;' ] # it broke at this one
	[ "$(find "$archive" -name '*.dcm' | wc -l)" -ge "$(grep -c ^stored "$BATS_TEST_TMPDIR/one.log")" ]
	touch "$BATS_TEST_TMPDIR/stamp"
	start two bash -c 'exec "$1" <"$2"' - "$BIN/send-sftp" "$BATS_TEST_TMPDIR/list"
	wait_for begun
	mine=$(descendants "$pid_two")
	[ -n "$mine" ]
	stop "$pid_two" KILL
	gone() { ! kill -0 $mine 2>/dev/null; }
	wait_for gone
	unset TARGET_RATE_LIMIT
	ends_well sftp "$(uid 1.dcm).dcm" "$(uid 2.dcm).dcm"
}

@test "send-sftp: a server that ends each connection after an image, one that breaks at an image" {
	local rename='-e trace=link,linkat,rename,renameat,renameat2 -e inject=link,linkat,rename,renameat,renameat2:signal=KILL'
	server "strace -o /dev/null $rename:when=2 /usr/lib/openssh/sftp-server"
	images 3 -i PAT1
	send sftp {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;doubt 2.dcm;target -;' ]
	stop "$pid_sshd"
	server "strace -o /dev/null $rename:when=1 /usr/lib/openssh/sftp-server"
	send sftp 2.dcm 3.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'doubt 2.dcm;target -;' ]
	[ "$(find "$archive" -name '*.dcm' | wc -l)" -eq 1 ]
}
