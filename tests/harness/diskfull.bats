# The full disk: an acknowledged image is never lost, and when there is room again everything goes on by
# itself. The spool is on a small file system of its own, the target is not.
# bats file_tags=root

load ../helper
load ../router

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to mount a small file system"
	DISK=$BATS_TEST_TMPDIR/disk
	mkdir "$DISK"
	truncate -s 24M "$BATS_TEST_TMPDIR/image"
	# blocks of a page, as on real disks; none kept back for root
	mkfs.ext4 -q -b 4096 -m 0 "$BATS_TEST_TMPDIR/image"
	mount -o loop "$BATS_TEST_TMPDIR/image" "$DISK" 2>"$BATS_TEST_TMPDIR/mount.log" ||
		skip "mounting is not permitted: $(cat "$BATS_TEST_TMPDIR/mount.log")"
}

teardown() {
	stop_all
	if [ -n "${SPOOL:-}" ]; then
		wait_for no_processes || true # recoveries outlive the router
		show_state
	fi
	if mountpoint -q "${DISK:-/nowhere}"; then umount "$DISK" || umount -l "$DISK"; fi
}

# make_small_router [LINE...]: make_router on the small disk, with min_free = $MIN_FREE (0) megabytes
make_small_router() {
	make_router "$@"
	SPOOL=$DISK/spool
	sed -i "s|^spool = .*|spool = \"$SPOOL\"|; s/min_free = 1/min_free = ${MIN_FREE:-0}/" "$CONF"
	"$BIN/dcmspool-layout" "$SPOOL"
}

# fill [BLOCKS]: leaves so many blocks of 4 KB, by default none
fill() {
	dd if=/dev/zero of="$DISK/ballast" bs=64k 2>/dev/null || true
	# in small steps at the end: what the file system sets aside for its own lists differs
	while dd if=/dev/zero of="$DISK/ballast" bs=4k count=1 oflag=append conv=notrunc,fsync; do :; done 2>/dev/null
	truncate -s "-$((${1:-0} * 4096))" "$DISK/ballast"
	sync -f "$DISK"
}

make_room() { rm "$DISK/ballast"; }

# images DIR N: small images of odd sizes, so that an image ends anywhere in a block
images() {
	local i
	mkdir "$1"
	for ((i = 0; i < $2; i++)); do
		study "$1/$i" -s 1 -n 1 -r $((7 + i * 13 % 83)) -c $((11 + i * 29 % 97))
	done
}

# send_until_full DIR: all of it in one connection; what was acknowledged gets a link in acked/
send_until_full() {
	local file status
	mkdir -p "$BATS_TEST_TMPDIR/acked"
	find "$1" -name '*.dcm' -print0 | sort -z |
		xargs -0 "$TOOLS/rawsend" 127.0.0.1 "$PORT" -T 20 -c DCMSPOOL >"$BATS_TEST_TMPDIR/answers" 2>&1 && return 1
	while read -r file status; do
		[ "$status" != 0000 ] || ln "$file" "$BATS_TEST_TMPDIR/acked/$((++acked)).dcm"
	done <"$BATS_TEST_TMPDIR/answers"
	# not "timeout": storescp does not wait for more of an image that it cannot write
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/answers")" = closed ]
}

received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }

same_as_acked() { "$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/acked" "$BATS_TEST_TMPDIR/archive"; }

# logged NAME TEXT: is TEXT in the log of that program?
logged() { grep -q -- "$2" "$BATS_TEST_TMPDIR/$1.log"; }

# ticks PID: CPU time it has used, in 1/100 s
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# calm NAME PID: for three seconds it neither works nor writes more than a few lines
calm() {
	local lines before
	lines=$(wc -l <"$BATS_TEST_TMPDIR/$1.log")
	before=$(ticks "$2")
	read -r -t 3 <> <(:) || true
	echo "$1: $(($(ticks "$2") - before)) ticks," \
		"$(($(wc -l <"$BATS_TEST_TMPDIR/$1.log") - lines)) lines in 3 s"
	[ $(($(ticks "$2") - before)) -le 10 ]
	[ $(($(wc -l <"$BATS_TEST_TMPDIR/$1.log") - lines)) -le 12 ]
}

# bats test_tags=sweep
@test "the disk fills up while images arrive, at 8 different points: all that was acknowledged is sent, whole" {
	local i acked=0
	make_small_router
	start_receiver
	for ((i = 0; i < 8; i += $(every 4))); do
		rm -rf "$BATS_TEST_TMPDIR/study"
		images "$BATS_TEST_TMPDIR/study" 40
		fill $((40 + i))
		send_until_full "$BATS_TEST_TMPDIR/study"
		make_room
		wait_for received
	done
	echo "acknowledged: $acked"
	[ "$acked" -ge $((5 * 8 / $(every 4))) ]
	start_routers 1
	start_dispatchers 1
	wait_for has_images "$BATS_TEST_TMPDIR/archive" "$acked"
	wait_for at_rest
	same_as_acked
	has_jobs error 0
}

@test "everything runs while the disk fills up and stays full for a while: nobody works in vain" {
	local acked=0
	make_small_router
	start_all
	images "$BATS_TEST_TMPDIR/study" 40
	fill 60
	send_until_full "$BATS_TEST_TMPDIR/study"
	fill
	wait_for logged receiver 'unable to '
	calm receiver "$pid_receiver"
	calm router1 "$pid_router1"
	calm dispatcher1 "$pid_dispatcher1"
	make_room
	wait_for at_rest
	[ "$acked" -gt 0 ]
	same_as_acked
	has_jobs error 0
}

# bats test_tags=torture
@test "the disk is full when the router decides: it says so, waits, and goes on by itself" {
	make_small_router
	start_receiver
	study "$BATS_TEST_TMPDIR/study" -s 2 -n 3
	send "$BATS_TEST_TMPDIR/study"
	wait_for received
	rm "$SPOOL"/incoming/*/filed # at the claim it would make room for plan.json
	fill
	start_routers 1
	wait_for logged router1 'unable to route routing/.*: No space left on device; '
	logged router1 'unable to decide on routing/.*: No space left on device'
	calm router1 "$pid_router1"
	start_dispatchers 1
	make_room
	wait_for has_jobs success 2
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
}

# more jobs than a dispatcher can remember to leave alone (RESTING_MAX)
# bats test_tags=torture
@test "the disk is full when 100 jobs wait and their ledgers cannot be written: no job is sent over and over" {
	make_small_router 'target "archive" { type = folder path = "archive" order = none }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	start_receiver
	start_routers 1
	study "$BATS_TEST_TMPDIR/study" -s 100 -n 1
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs outgoing/archive 100
	stop "$pid_router1"
	mkdir -p "$SPOOL/sending/archive"
	fill
	start_dispatchers 1
	wait_for logged dispatcher1 'unable to write the ledger of job .*: No space left on device'
	wait_for calm dispatcher1 "$pid_dispatcher1"
	logged dispatcher1 'unable to go on with sending/archive/.*: No space left on device; it is tried again'
	make_room
	wait_for -t 90 has_jobs success 100
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
}

# bats test_tags=torture
@test "the disk is full and the target is dead: it is not tried over and over" {
	make_small_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $(free_port) aec = \"PACS\" }" \
		'rule "all" { match = "True" targets = { "pacs" } }'
	start_receiver
	start_routers 1
	study "$BATS_TEST_TMPDIR/study" -s 3 -n 1
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs outgoing/pacs 3
	mkdir -p "$SPOOL/sending/pacs"
	fill
	start_dispatchers 1
	wait_for logged dispatcher1 'unable to write the ledger of job .*: No space left on device'
	wait_for calm dispatcher1 "$pid_dispatcher1"
	make_room
	wait_for test -e "$SPOOL/outgoing/pacs/paused.json"
	wait_for has_jobs outgoing/pacs 3
}

# bats test_tags=torture
@test "a file dropped by hand into a full spool waits there" {
	make_small_router
	study "$DISK/study" -s 1 -n 1
	cp -r "$DISK/study" "$BATS_TEST_TMPDIR/study"
	start_routers 1
	start_dispatchers 1
	fill
	mv "$DISK/study" "$SPOOL/incoming/"
	wait_for logged router1 'unable to '
	wait_for calm router1 "$pid_router1"
	make_room
	wait_for has_jobs success 1
	wait_for at_rest
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/archive"
}

@test "something dropped by hand that cannot be moved is tried now and then, the rest is not held up" {
	make_small_router
	mkdir "$DISK/study" "$SPOOL/incoming/stays"
	chattr +i "$SPOOL/incoming/stays" || skip "no immutable directories here"
	start_routers 1
	start_dispatchers 1
	wait_for logged router1 'unable to take incoming/stays: Operation not permitted; '
	calm router1 "$pid_router1"
	study "$DISK/study" -s 1 -n 1
	mv "$DISK/study" "$SPOOL/incoming/"
	wait_for -t 25 has_jobs success 1
	chattr -i "$SPOOL/incoming/stays"
}

@test "a batch for which there was no room, and that getdcmtags left behind, is no thing dropped by hand" {
	make_small_router
	mkdir "$SPOOL/incoming/1.2.3"
	touch "$SPOOL/incoming/1.2.3/.new.series.999" "$SPOOL/incoming/1.2.3/.assoc.gone"
	start_routers 1
	wait_for at_rest
	has_jobs error 0
}

@test "without storescp-write.so every association is refused for the time being, and the log says why" {
	make_small_router
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$BIN"/dcmspool-receiver "$BIN"/dcmspool-association "$BIN"/getdcmtags "$BATS_TEST_TMPDIR/bin"
	BIN=$BATS_TEST_TMPDIR/bin
	start_receiver
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 1
	run "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$BATS_TEST_TMPDIR/study"/*/*.dcm
	[[ "$output" = *"rejected 2 3 1"* ]]
	logged receiver 'unable to open .*/storescp-write.so: No such file or directory; '
	wait_for received
}

@test "below min_free senders are asked to come back later, and are let in when there is room" {
	MIN_FREE=2
	make_small_router
	start_receiver
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 1
	fill 400
	run "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$BATS_TEST_TMPDIR/study"/*/*.dcm
	[[ "$output" = *"rejected 2 3 2"* ]]
	logged receiver 'less free disk space than receiver.min_free'
	make_room
	send "$BATS_TEST_TMPDIR/study"
}
