# What fails for a moment while a program starts must not keep it down: each call of its start fails once, by
# strace's fault injection, and no program then exits 100, which says that a person must mend something.

bats_require_minimum_version 1.5.0
load ../helper
load ../router

setup() {
	command -v strace >/dev/null || skip "strace is missing"
	make_router 'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	mkdir "$BATS_TEST_TMPDIR/conf.d"
	cd "$BATS_TEST_TMPDIR" || return
}

OPENS='openat access newfstatat chdir readlink getdents64 read pread64 flock socket bind listen'
MAKES='mmap brk inotify_init1 inotify_add_watch timerfd_create signalfd4 pipe2 memfd_create'

# traced OPTION... PROGRAM...: a watcher is ended, by the signal that would end it, where it waits for the first time.
traced() { timeout 20 strace -qq -o "$trace" -e inject=poll,ppoll:signal=TERM "$@" </dev/null >"$log" 2>&1; }

before() { :; } # makes what a run uses up

# never_100 PROGRAM...: every STEPth call of its start fails with each error in turn.
never_100() {
	local call n count status error runs=0 step errors=(EIO ENOMEM EMFILE) trace=trace log=log
	step=$(every 17)
	status=0
	before
	traced -e "trace=${OPENS// /,},${MAKES// /,},poll,ppoll" "$@" || status=$?
	[ "$status" -ne 100 ] || { cat log && return 1; }
	cp trace whole
	for call in $OPENS $MAKES; do
		count=$(sed '/^p*poll(/q' whole | grep -c "^$call(" || true)
		for ((n = 1 + runs % step; n <= count; n += step)); do
			[ "$step" = 1 ] || errors=("${errors[@]:1}" "${errors[0]}")
			for error in "${errors[@]:0:$((step == 1 ? 3 : 1))}"; do
				status=0
				before
				traced -e "trace=$call,poll,ppoll" -e "inject=$call:error=$error:when=$n" "$@" || status=$?
				runs=$((runs + 1))
				[ "$status" -ne 100 ] || { echo "$*: $call $n $error:" && cat log && echo "$*: $call $n $error" >>failed; }
			done
		done
	done
	echo "${1##*/}: $runs runs"
	[ "$runs" -ge 3 ]
}

# bats test_tags=sweep
@test "start: no passing failure makes a watcher exit 100" {
	local program
	for program in receiver router dispatcher cleaner; do
		never_100 "$BIN/dcmspool-$program" -c "$CONF"
	done
	[ ! -e failed ]
}

# bats test_tags=sweep
@test "start: no passing failure makes a command exit 100" {
	study study -s 1 -n 1 -r 32 -c 32
	local image=$BATS_TEST_TMPDIR/study/SE0001/IM00001.dcm association=20261122T140301.123456Z.1
	echo '{"targets": {}, "rules": {}}' >mercure.json
	never_100 "$BIN/dcmspool-conf" -c "$CONF" spool
	never_100 "$BIN/dcmspool-rule" 'tags.Modality == "CT"' "$image"
	never_100 "$BIN/dcmspool-explain" -c "$CONF" "$image"
	never_100 "$BIN/dcmspool-what-if" -c "$CONF"
	never_100 "$BIN/dcmspool-import-mercure" mercure.json
	never_100 "$BIN/dcmspool-hold" -c "$CONF" archive
	never_100 "$BIN/dcmspool-release" -c "$CONF" archive
	never_100 "$BIN/dcmspool-retry" -c "$CONF" all
	never_100 "$BIN/dcmspool-echo" -c "$CONF" archive
	never_100 "$BIN/getdcmtags" -p "$image"
	before() {
		rm -rf "$SPOOL/receiving/$association"
		mkdir "$SPOOL/receiving/$association"
		cp "$image" "$SPOOL/receiving/$association/one.dcm"
		echo "{\"association\": \"$association\", \"peer\": \"127.0.0.1\"}" \
			>"$SPOOL/receiving/$association/association.json"
		cp "$image" one.dcm
	}
	never_100 "$BIN/getdcmtags" -c "$CONF" "$BATS_TEST_TMPDIR/one.dcm" 127.0.0.1 CT1 DCMSPOOL
	never_100 "$BIN/getdcmtags" -c "$CONF" -w "receiving/$association"
	never_100 "$BIN/dcmspool-association" -c "$CONF" -r "$association"
	[ ! -e failed ]
}

# bats test_tags=sweep
@test "start: no passing failure makes a sender exit 100 that is asked for its target" {
	local type
	mkdir archive
	echo access:secret >key
	chmod 600 key
	export DCMSPOOL_TARGET=t TARGET_HOST=127.0.0.1 TARGET_PORT=1 TARGET_TIMEOUT=60 TARGET_AEC=PACS TARGET_AET=ME \
		TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm' TARGET_PATH=$PWD/archive TARGET_FOLDER=/x \
		TARGET_URL=http://127.0.0.1:1/x TARGET_KEY_FILE=$PWD/key TARGET_KNOWN_HOSTS=$PWD/key \
		TARGET_DESTINATION=$PWD/archive TARGET_COMMAND=/bin/true
	for type in folder s3 rsync command dicom dicomweb; do never_100 "$BIN/send-$type" -p; done
	TARGET_USERNAME=joe never_100 "$BIN/send-sftp" -p
	[ ! -e failed ]
}

@test "start: a configuration that cannot be read now is read later; one that is wrong is not" {
	local status=0
	strace -qq -o /dev/null -P "$CONF" -e inject=openat:error=EMFILE "$BIN/dcmspool-router" -n -c "$CONF" >log 2>&1 || status=$?
	cat log
	[ "$status" -eq 111 ]
	grep -q "unable to read configuration: Too many open files" log
	echo 'odd = 1' >>"$CONF"
	run -100 "$BIN/dcmspool-router" -n -c "$CONF"
}
