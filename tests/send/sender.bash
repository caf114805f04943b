# sender.bash: what the tests of the senders share. A job directory, and a sender run in it.

setup() {
	job=$BATS_TEST_TMPDIR/job
	archive=$BATS_TEST_TMPDIR/archive
	mkdir "$job" "$archive"
	export DCMSPOOL_JOB=20261122T140301.123456Z.3f9a1c2b.77d0aa1e DCMSPOOL_TARGET=t
	export TARGET_HOST=127.0.0.1 TARGET_AEC=PACS TARGET_AET=DCMSPOOL TARGET_TIMEOUT=300
	export TARGET_PATH=$archive
	# as the configuration has it; a sender knows no default
	export TARGET_LAYOUT=${TARGET_LAYOUT:-'{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm'}
	export ASAN_OPTIONS=detect_leaks=0 # which cannot work under strace
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

# probe TYPE: the sender asked whether the target can be used; no job, nothing on standard input
probe() {
	cd "$BATS_TEST_TMPDIR" || return
	run env -u DCMSPOOL_JOB "$BIN/send-$1" -p </dev/null
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
	start fake python3 "$TOP/tests/tools/fakescp.py" "$TARGET_PORT" "$@"
	wait_for listens "$TARGET_PORT"
}

count() { grep -c "$1" <<<"$output"; }
inode() { stat -c %d:%i "$1"; }
