#!/usr/bin/env bats
# send-command against the contract of dcmspool-sender(7).
# bats file_tags=sender

load ../helper
load sender

# program: the script on standard input becomes the target's program
program() {
	{ echo '#!/bin/bash'; cat; } >"$BATS_TEST_TMPDIR/program"
	chmod +x "$BATS_TEST_TMPDIR/program"
	export TARGET_COMMAND="$BATS_TEST_TMPDIR/program $*" OUT=$BATS_TEST_TMPDIR/out
	unset TARGET_TIMEOUT # that of sender.bash
}

files() {
	local name
	for name; do echo "$name" >"$job/$name"; done
}

@test "send-command: once for the job: names on standard input, its directory, its arguments, no shell" {
	files {1..3}.dcm
	program ' one  $(id)  *  ' <<-'E'
		printf '%s\n' "$#" "$@" "$PWD" "$DCMSPOOL_JOB" "$DCMSPOOL_TARGET" >"$OUT"
		cat >>"$OUT"
		echo out
		echo first >&2
		printf 'on tape 7' >&2
	E
	send command {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$output" = $'stored\t-\t1.dcm\ton tape 7\nstored\t-\t2.dcm\ton tape 7\nstored\t-\t3.dcm\ton tape 7' ]
	[ "$(cat "$OUT")" = "3
one
\$(id)
*
$job
$DCMSPOOL_JOB
t
1.dcm
2.dcm
3.dcm" ]
	grep -q 'send-command: info: .*/program: first' "$BATS_TEST_TMPDIR/stderr"
}

@test "send-command: exit status 111 is the target's, any other the images'" {
	files 1.dcm 2.dcm
	program <<-'E'
		echo no tape >&2
		exit "$CODE"
	E
	CODE=111 send command 1.dcm 2.dcm
	[ "$status" -eq 111 ]
	[ "$output" = $'target\t-\t-\tno tape' ]
	CODE=100 send command 1.dcm 2.dcm
	[ "$status" -eq 1 ]
	[ "$output" = $'failed\t-\t1.dcm\texit status 100: no tape\nfailed\t-\t2.dcm\texit status 100: no tape' ]
	program <<<'kill -SEGV $$'
	send command 1.dcm
	[ "$status" -eq 1 ]
	[ "$output" = $'failed\t-\t1.dcm\tended by signal 11' ]
	program <<<'exit 111'
	send command 1.dcm
	[ "$output" = $'target\t-\t-\texit status 111' ]
}

@test "send-command: once for each image, one failing alone" {
	files {1..4}.dcm
	program -v <<-'E'
		[ -z "$(cat)" ] || exit 9
		echo "$*" >>"$OUT"
		[ "$2" != 2.dcm ] || { echo bad >&2; exit 1; }
		[ "$2" != 4.dcm ] || exit 111
	E
	export TARGET_PER=image
	send command {1..3}.dcm
	[ "$status" -eq 1 ]
	[ "$output" = $'stored\t-\t1.dcm\tstored\nfailed\t-\t2.dcm\texit status 1: bad\nstored\t-\t3.dcm\tstored' ]
	[ "$(cat "$OUT")" = $'-v 1.dcm\n-v 2.dcm\n-v 3.dcm' ]
	: >"$OUT"
	send command 1.dcm 4.dcm 3.dcm
	[ "$status" -eq 111 ]
	[ "$output" = $'stored\t-\t1.dcm\tstored\ntarget\t-\t-\texit status 111' ]
	[ "$(cat "$OUT")" = $'-v 1.dcm\n-v 4.dcm' ]
}

@test "send-command: tags come as variables, whatever is in them" {
	files 1.dcm
	cat >"$job/series.json" <<-'E'
		{"tags": {"Modality": "MR", "PatientName": "a\n'; id; $(id)", "SenderAET": "CT1", "Empty": "",
		 "0019,xx0c,SIEMENS MR HEADER": "x", "A=B": "x", "Number": 3, "PATH": "/evil"}}
	E
	jq -c '.tags.Long = "x" * 200000' "$job/series.json" >"$job/new"
	mv "$job/new" "$job/series.json"
	program <<-'E'
		env -0 | tr '\n\0' '@\n' | grep '^DCMSPOOL_TAG_' | sort >"$OUT"
		[ "$PATH" != /evil ]
	E
	send command 1.dcm
	[ "$status" -eq 0 ]
	[ "$(grep -v Long "$OUT")" = "DCMSPOOL_TAG_Modality=MR
DCMSPOOL_TAG_PATH=/evil
DCMSPOOL_TAG_PatientName=a '; id; \$(id)
DCMSPOOL_TAG_SenderAET=CT1" ]
	[ "$(grep Long "$OUT" | wc -c)" -eq $((18 + 1000 + 1)) ]
	echo '{' >"$job/series.json"
	send command 1.dcm
	[ "$status" -eq 0 ]
}

running() { [ -d "/proc/$1" ] && [ "$(awk '/^State/ { print $2 }' "/proc/$1/status" 2>/dev/null)" != Z ]; }
gone() { ! running "$1"; }

@test "send-command: too slow: killed with all that it has started, and the target's fault" {
	files {1..3}.dcm
	program <<-'E'
		(setsid sleep 1000 & echo $! >>"$OUT"; sleep 1000 & echo $! >>"$OUT"; wait) &
		echo $! >>"$OUT"
		sleep 1000
	E
	export TARGET_TIMEOUT=1
	send command 1.dcm 2.dcm
	[ "$status" -eq 111 ]
	[ "$output" = $'target\t-\t-\t'"$BATS_TEST_TMPDIR/program was still running after 1 seconds and was killed" ]
	mapfile -t started <"$OUT"
	[ ${#started[@]} -eq 3 ]
	for pid in "${started[@]}"; do wait_for gone "$pid"; done
	started=()
}

@test "send-command: one image that takes for ever does not hold up the others" {
	files {1..4}.dcm
	program <<-'E'
		case $1 in [23].dcm) [ "$1" != "$SLOW" ] && [ "$SLOW" != all ] || exec sleep 1000 ;; esac
	E
	export TARGET_TIMEOUT=1 TARGET_PER=image
	SLOW=2.dcm send command {1..4}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;doubt 2.dcm;stored 3.dcm;stored 4.dcm;target -;' ]
	grep -q $'^doubt\t-\t2.dcm\t.*still running after 1 seconds' <<<"$output"
	SLOW=all send command {1..4}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;doubt 2.dcm;doubt 3.dcm;target -;' ]
	SLOW=2.dcm send command 2.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1 <<<"$output" | tr '\n' ' ')" = 'doubt target ' ]
}

@test "send-command: a child that keeps the standard error open holds up nothing and is left alone" {
	files 1.dcm
	program <<-'E'
		sleep 1000 &
		echo $! >"$OUT"
		echo done >&2
	E
	send command 1.dcm
	running "$(cat "$OUT")"
	kill "$(cat "$OUT")" # it is no child of ours, so stop_all would leave it alone
	[ "$status" -eq 0 ]
	[ "$output" = $'stored\t-\t1.dcm\tdone' ]
}

@test "send-command: the program dies with its sender" {
	files 1.dcm
	program <<-'E'
		echo $$ >"$OUT.new"
		mv "$OUT.new" "$OUT"
		exec sleep 1000
	E
	cd "$job"
	echo 1.dcm >"$BATS_TEST_TMPDIR/list"
	# shellcheck disable=SC2016 # the inner shell's words
	start sender sh -c 'exec "$0" <"$1"' "$BIN/send-command" "$BATS_TEST_TMPDIR/list"
	wait_for test -s "$OUT"
	stop "$pid_sender" KILL
	wait_for gone "$(cat "$OUT")"
}

@test "send-command: a long line, many lines, control characters on standard error" {
	files 1.dcm
	program <<-'E'
		for ((i = 0; i < 20000; i++)); do echo "line $i"; done >&2
		printf '%0100000d\n' 7 >&2
		printf 'a\tb\rc\n\n' >&2
		exit 3
	E
	send command 1.dcm
	[ "$status" -eq 1 ]
	[ "$output" = $'failed\t-\t1.dcm\texit status 3: a b c' ]
}

@test "send-command: bad settings; a program that is not there" {
	files 1.dcm
	for setting in TARGET_COMMAND= 'TARGET_COMMAND=true x' 'TARGET_COMMAND= ' 'TARGET_PER=study' TARGET_TIMEOUT=0; do
		run env TARGET_COMMAND=/bin/true "$setting" "$BIN/send-command" <<<1.dcm
		[ "$status" -eq 100 ]
		[[ $output = $'target\t-\t-\tTARGET_'* ]]
	done
	TARGET_COMMAND=/nonexistent send command 1.dcm
	[ "$status" -eq 111 ]
	[ "$output" = $'target\t-\t-\tunable to run /nonexistent: No such file or directory' ]
	run bash -c 'cd "$1" && echo 1.dcm | TARGET_COMMAND=/bin/true strace -f -o /dev/null -e inject=pipe2:error=EMFILE "$2"' - "$job" "$BIN/send-command"
	[ "$status" -eq 126 ]
	[[ $output = *"error: unable to run /bin/true: Too many open files" ]]
}

@test "send-command: -p looks whether the program can be run, and runs nothing" {
	program <<<'touch "$OUT"'
	probe command
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$OUT" ]
	for command in /nonexistent "$BATS_TEST_TMPDIR" /etc/passwd; do
		TARGET_COMMAND=$command probe command
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\tunable to run '* ]]
	done
}
