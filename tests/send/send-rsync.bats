#!/usr/bin/env bats
# send-rsync against the contract of dcmspool-sender(7): a local path, rsync over a real sshd, and a real
# rsync daemon on loopback.
# bats file_tags=sender

load ../helper
load sender
load ssh

TARGET_LAYOUT='{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}'

# daemon [LINE...]: with these lines in its module; the user joe, the password in TARGET_PASSWORD_FILE
daemon() {
	local dir=$BATS_TEST_TMPDIR/rsyncd port root=()
	[ "$(id -u)" -ne 0 ] || root=('uid = 0' 'gid = 0') # else it would be nobody
	mkdir -p "$dir"
	port=$(free_port)
	echo joe:secret >"$dir/secrets"
	echo secret >"$dir/password"
	chmod 600 "$dir/secrets" "$dir/password"
	printf '%s\n' 'use chroot = no' 'address = 127.0.0.1' "port = $port" 'reverse lookup = no' \
		"${root[@]}" '[module]' "path = $archive" 'read only = no' \
		'auth users = joe' "secrets file = $dir/secrets" "$@" >"$dir/conf"
	start rsyncd rsync --daemon --no-detach --config="$dir/conf"
	wait_for listens "$port"
	export TARGET_DESTINATION=rsync://joe@127.0.0.1:$port/module TARGET_PASSWORD_FILE=$dir/password
}

over_ssh() {
	sshd_start
	export TARGET_DESTINATION=$TARGET_USERNAME@127.0.0.1:$archive
}

local_path() { export TARGET_DESTINATION=$archive; }

files() { find "$archive" -type f | wc -l; }

# delivers: what must be so over each kind of connection
delivers() {
	images 3 -i PAT1
	send rsync {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t-\t[1-3].dcm\tstored$')" -eq 3 ]
	[ "$(files)" -eq 3 ]
	for i in 1 2 3; do cmp "$job/$i.dcm" "$archive"/PAT1/*/*/$i.dcm; done
	[ ! -s "$BATS_TEST_TMPDIR/stderr" ]
	# once more: not sent again
	before=$(find "$archive" -type f -printf '%i %C@\n' | sort)
	send rsync {1..3}.dcm
	[ "$(count '^stored')" -eq 3 ]
	[ "$before" = "$(find "$archive" -type f -printf '%i %C@\n' | sort)" ]
	# other bytes under a name: both are kept
	old=$(cksum <"$job/2.dcm")
	dcmodify -q -nb -i 0010,0030=19700101 "$job/2.dcm"
	for again in 1 2; do
		send rsync 2.dcm
		[ "$status" -eq 0 ]
		[ "$(files)" -eq 4 ]
	done
	cmp "$job/2.dcm" "$archive"/PAT1/*/*/2.dcm
	[ "$old" = "$(cat "$archive"/PAT1/*/*/2.dcm~"$DCMSPOOL_JOB" | cksum)" ]
	run "$BIN/send-rsync" -p </dev/null
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "send-rsync: to a local path" {
	local_path
	delivers
}

@test "send-rsync: over ssh" {
	over_ssh
	delivers
}

@test "send-rsync: to a daemon" {
	daemon
	delivers
}

# hostile: values of all kinds, and a directory that a pattern would match
hostile() {
	local n=0 value
	for value in '../../x' 'a b'\''c"d' '-rf' '#x;id' 'a[b]c' '[b]$(id)`id`' 'a\b*c?' $'new\nline' '~' '!id' 'ü,;&{}'; do
		n=$((n + 1))
		"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 1 -n 1 -r 8 -c 8 -i "$value" >/dev/null
		mv "$BATS_TEST_TMPDIR"/study/*/*.dcm "$job/$n.dcm"
	done
	mkdir "$archive/abc"
	TARGET_LAYOUT='{PatientID}' send rsync $(seq -f %g.dcm "$n")
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq "$n" ]
	[ -z "$(ls -A "$archive/abc")" ]
	[ "$(find "$archive" -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq $((n + 1)) ]
	[ "$(find "$archive" -mindepth 2 -maxdepth 2 -type f | wc -l)" -eq "$n" ]
	[ -f "$archive/a b'c"*/2.dcm ]
	[ -f "$archive/-rf/3.dcm" ]
	[ -f "$archive/#x;id/4.dcm" ]
	[ -f "$(echo "$archive"/a_b\]c~????????/5.dcm)" ]
	[ -f "$archive/~/9.dcm" ]
	[ -f "$archive/ü,;&{}/11.dcm" ]
}

@test "send-rsync: hostile values, locally" {
	local_path
	hostile
}

@test "send-rsync: hostile values, over ssh" {
	over_ssh
	odd_files
	hostile
}

@test "send-rsync: hostile values, to a daemon" {
	daemon
	hostile
}

@test "send-rsync: the marker comes last, and only to a complete directory" {
	daemon
	images 2 -i PAT1
	head -c 300 /dev/zero >"$job/bad.dcm"
	export TARGET_MARKER=.complete TARGET_LAYOUT='{PatientID}'
	send rsync 1.dcm
	[ "$status" -eq 0 ]
	[ ! -e "$archive/PAT1/.complete" ] # 2.dcm is neither sent nor in the ledger
	send rsync 1.dcm bad.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[ -f "$archive/PAT1/.complete" ] && [ ! -s "$archive/PAT1/.complete" ]
	[ "$(files)" -eq 3 ]
}

@test "send-rsync: a file in the way, and a name that is a directory, fail alone" {
	local_path
	images 3 -i PAT1
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/study" -s 1 -n 1 -r 8 -c 8 -i PAT2 >/dev/null
	mv "$BATS_TEST_TMPDIR"/study/*/*.dcm "$job/4.dcm"
	touch "$archive/PAT2"
	mkdir -p "$archive/PAT1/2.dcm/full"
	export TARGET_LAYOUT='{PatientID}'
	for how in local_path daemon over_ssh; do
		$how
		rm -f "$archive"/PAT1/*.dcm 2>/dev/null || true
		send rsync {1..4}.dcm
		[ "$status" -eq 1 ]
		[ "$(count '^stored')" -eq 2 ]
		grep -q $'^failed\t-\t2.dcm\t.*2.dcm' <<<"$output"
		grep -q $'^failed\t-\t4.dcm\t.*PAT2' <<<"$output"
	done
}

@test "send-rsync: unknown host key, refused key, refused password, unknown module: in words" {
	over_ssh
	images 1
	mv "$TARGET_KNOWN_HOSTS" "$BATS_TEST_TMPDIR/known"
	send rsync 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"its host key is not in $TARGET_KNOWN_HOSTS; add"* ]]
	cp "$BATS_TEST_TMPDIR/known" "$TARGET_KNOWN_HOSTS"
	: >"$BATS_TEST_TMPDIR/ssh/authorized"
	send rsync 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"the key $TARGET_KEY_FILE is refused; its"* ]]
	unset TARGET_PORT
	daemon
	echo wrong >"$TARGET_PASSWORD_FILE"
	send rsync 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'auth failed on module module' ]]
	TARGET_DESTINATION=${TARGET_DESTINATION%module}other send rsync 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"Unknown module 'other'" ]]
	stop "$pid_rsyncd"
	send rsync 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'Connection refused'* ]]
	[ "$(files)" -eq 0 ]
}

@test "send-rsync: a missing destination is not made, a read-only module and a silent peer are the target's" {
	images 1
	daemon
	for destination in "$archive/none" "$TARGET_DESTINATION/none"; do
		TARGET_DESTINATION=$destination send rsync 1.dcm
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\t'*"$destination does not exist; mount it or make it" ]]
		TARGET_DESTINATION=$destination run "$BIN/send-rsync" -p </dev/null
		[ "$status" -eq 111 ]
	done
	stop "$pid_rsyncd"
	daemon 'read only = yes'
	send rsync 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'module is read only'* ]]
	stop "$pid_rsyncd"
	daemon 'write only = yes'
	send rsync 1.dcm
	[ "$status" -eq 0 ]
	kill -STOP "$pid_rsyncd"
	TARGET_TIMEOUT=2 send rsync 1.dcm
	kill -CONT "$pid_rsyncd"
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'* ]]
	[ "$(files)" -eq 1 ]
}

@test "send-rsync: bad settings are permanent errors" {
	images 1
	over_ssh
	chmod 644 "$TARGET_KEY_FILE"
	send rsync 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *'chmod 600'* ]]
	chmod 600 "$TARGET_KEY_FILE"
	for setting in TARGET_DESTINATION= TARGET_DESTINATION=relative TARGET_DESTINATION=host::module \
		TARGET_DESTINATION=-oProxyCommand=id:/x 'TARGET_DESTINATION=a b:/x' TARGET_DESTINATION=h:-x \
		'TARGET_DESTINATION=h:/x*' TARGET_DESTINATION=rsync://h TARGET_DESTINATION=rsync://h/ \
		TARGET_DESTINATION=rsync://h:0/m 'TARGET_DESTINATION=rsync://-h/m' $'TARGET_DESTINATION=/a\nb' \
		TARGET_KEY_FILE= TARGET_KNOWN_HOSTS= 'TARGET_LAYOUT={PatientID}*' TARGET_LAYOUT=../x TARGET_LAYOUT= \
		TARGET_PORT=x TARGET_MARKER=a/b DCMSPOOL_JOB=../x; do
		run env "$setting" "$BIN/send-rsync" <<<1.dcm
		echo "$setting: $status"
		[ "$status" -eq 100 ]
	done
	for setting in rsync://alice:Geheim@h/mod rsync://alice:@Geheim@h/mod alice:Geheim@h:/x; do
		TARGET_DESTINATION=$setting send rsync 1.dcm
		echo "$output"
		[ "$status" -eq 100 ]
		[[ $output = *'has a password in it'* ]]
		run cat "$BATS_TEST_TMPDIR/stderr"
		[[ $output = *password* && $output != *eheim* ]]
	done
	daemon
	chmod 644 "$TARGET_PASSWORD_FILE"
	send rsync 1.dcm
	[ "$status" -eq 100 ]
}

# bats test_tags=root
@test "send-rsync: a full disk is the target's fault, says so, and leaves nothing half" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	images 4 -r 128 -c 128
	daemon
	mount -t tmpfs -o size=80k,nr_inodes=64 none "$archive" 2>/dev/null || skip "cannot mount"
	send rsync {1..4}.dcm
	half=$(find "$archive" -type f -size -32k | wc -l) whole=$(files) stored=$(count '^stored')
	stop "$pid_rsyncd"
	umount "$archive"
	[ "$status" -eq 111 ]
	[ "$half" -eq 0 ]
	[ "$whole" -eq "$stored" ]
	[[ $output = *$'target\t-\t-\t'*': No space left on device' ]]
}

@test "send-rsync: a destination without permission is the target's, a directory without it fails alone" {
	[ "$(id -u)" -ne 0 ] || skip "root may write everywhere"
	images 1 -i PAT1
	mkdir "$archive/PAT1"
	chmod 555 "$archive/PAT1"
	for how in local_path over_ssh; do
		$how
		send rsync 1.dcm
		[ "$status" -eq 1 ]
		echo "$how: $output"
		[[ $output = $'failed\t-\t1.dcm\t'*'Permission denied'* ]]
	done
	rmdir "$archive/PAT1"
	rm "$archive/.dcmspool-probe"
	chmod 555 "$archive"
	send rsync 1.dcm
	chmod 755 "$archive"
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'Permission denied'* ]]
}

# begun: a temporary file has something in it
begun() { [ -n "$(find "$archive" -name '.[12].dcm.*' -size +0)" ]; }
none_aside() { [ -z "$(find "$archive" -name '.[12].dcm.*')" ]; }

# dies_in_the_middle: the server, then the sender
dies_in_the_middle() {
	images 2 -r 512 -c 512 -i PAT1
	cd "$job"
	printf '%s\n' 1.dcm 2.dcm >"$BATS_TEST_TMPDIR/list"
	for who in server sender; do
		TARGET_RATE_LIMIT=50000 start "$who" bash -c 'exec "$1" <"$2"' - "$BIN/send-rsync" "$BATS_TEST_TMPDIR/list"
		local pid=pid_$who
		wait_for begun
		if [ "$who" = sender ]; then
			mine=$(descendants "${!pid}")
			[ -n "$mine" ]
			stop "${!pid}" KILL
			gone() { ! kill -0 $mine 2>/dev/null; }
			wait_for gone
			wait_for none_aside
		else
			descendants "$1" | xargs -r kill -KILL || true # they end with each other
			! wait "${!pid}"
			[ "$(cut -f1,3 "$BATS_TEST_TMPDIR/server.log" | tr '\t\n' ' ;')" = 'doubt 1.dcm;target -;' ]
			find "$archive" -name '.[12].dcm.*' -delete # rsync's own, of a receiver killed by -9
		fi
	done
	ends_well rsync 1.dcm 2.dcm
}

@test "send-rsync: daemon and sender die in the middle: nothing half" {
	daemon
	dies_in_the_middle "$pid_rsyncd"
}

@test "send-rsync: sshd and sender die in the middle: nothing half" {
	over_ssh
	dies_in_the_middle "$pid_sshd"
}

# play_rsync: the rsync of standard input is the one that is found
play_rsync() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/rsync"
	chmod +x "$BATS_TEST_TMPDIR/bin/rsync"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "send-rsync: an error without words is asked for once more: whose it is depends on them" {
	local_path
	images 1 -i PAT1
	play_rsync <<-'EOF'
		#!/bin/bash
		case " $* " in *' --list-only '* | *' --dry-run '*) exec /usr/bin/rsync "$@" ;; esac
		echo >>"$BATS_TEST_TMPDIR/runs"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" -le 2 ] || echo 'rsync: write failed: No space left on device (28)' >&2
		exit 11
	EOF
	send rsync 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*': No space left on device' ]]
}

@test "send-rsync: what rsync's exit status hides is not told as stored" {
	local_path
	images 3 -i PAT1
	# an rsync that says all is well, and has sent but one
	play_rsync <<-'EOF'
		#!/bin/bash
		case " $* " in
		*' --list-only '* | *' --dry-run '*) exec /usr/bin/rsync "$@" ;;
		esac
		printf '2.dcm\0' | /usr/bin/rsync "$@"
	EOF
	send rsync {1..3}.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 1 ]
	grep -q $'^stored\t-\t2.dcm' <<<"$output"
	[ "$(count '^failed.*does not find it')" -eq 2 ]
}

@test "send-rsync: a connection that breaks at an image: that is in doubt; none at all is the target's, no rsync is ours" {
	local_path
	images 4 -i PAT1
	# an rsync that breaks off at 3.dcm, or always
	play_rsync <<-'EOF'
		#!/bin/bash
		case " $* " in
		*' --list-only '*) exec /usr/bin/rsync "$@" ;;
		*' --dry-run '*) [ -n "$BREAKS" ] || exec /usr/bin/rsync "$@" ;;
		*) printf '1.dcm\0002.dcm\000' | /usr/bin/rsync "$@" ;;
		esac
		echo 'rsync: connection unexpectedly closed (0 bytes received so far) [sender]' >&2
		exit 12
	EOF
	send rsync {1..4}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | sort | tr '\t\n' ' ;')" = 'doubt 3.dcm;stored 1.dcm;stored 2.dcm;target -;' ]
	BREAKS=1 send rsync {1..4}.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'connection was closed' ]]
	PATH=/nonexistent run "$BIN/send-rsync" -p </dev/null
	[ "$status" -eq 126 ]
	[[ $output = *"unable to run rsync"*"install it" ]]
}

@test "send-rsync: an old rsync at the other side does without fsync" {
	local_path
	images 1
	play_rsync <<-'EOF'
		#!/bin/bash
		case " $* " in *' --fsync '*)
			echo 'rsync: on remote machine: --fsync: unknown option' >&2
			exit 4
		esac
		exec /usr/bin/rsync "$@"
	EOF
	send rsync 1.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 1 ]
	[ "$(grep -c 'older than 3.2.4' "$BATS_TEST_TMPDIR/stderr")" -eq 1 ]
}
