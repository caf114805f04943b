# The full disk: an acknowledged image is never lost, and when there is room again everything goes on by
# itself. The spool is on a small file system of its own, the target is not.

load helper
load router

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

# fill [BYTES]: leaves about so much room, by default none
fill() {
	local room
	sync -f "$DISK"
	room=$(df --output=avail -B1 "$DISK" | tail -n 1)
	[ $# -eq 0 ] || {
		fallocate -l $((room - $1)) "$DISK/ballast"
		return 0
	}
	# in small steps at the end: what the file system keeps for its own lists differs
	dd if=/dev/zero of="$DISK/ballast" bs=64k 2>/dev/null || true
	while dd if=/dev/zero of="$DISK/ballast" bs=4k count=1 oflag=append conv=notrunc,fsync; do :; done 2>/dev/null
	df -B1 "$DISK"
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
		xargs -0 "$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL >"$BATS_TEST_TMPDIR/answers" 2>&1 && return 1
	while read -r file status; do
		[ "$status" != 0000 ] || ln "$file" "$BATS_TEST_TMPDIR/acked/$((++acked)).dcm"
	done <"$BATS_TEST_TMPDIR/answers"
	tail -n 1 "$BATS_TEST_TMPDIR/answers"
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

@test "the disk fills up while images arrive, at 8 different points: all that was acknowledged is sent, whole" {
	local i acked=0
	make_small_router
	start_receiver
	for i in 0 1; do
		rm -rf "$BATS_TEST_TMPDIR/study"
		images "$BATS_TEST_TMPDIR/study" 40
		fill $((150000 + i * 4096))
		send_until_full "$BATS_TEST_TMPDIR/study"
		make_room
		wait_for -t 60 received
	done
	echo "acknowledged: $acked"
	[ "$acked" -ge 40 ]
	start_routers 1
	start_dispatchers 1
	wait_for has_images "$BATS_TEST_TMPDIR/archive" "$acked"
	wait_for at_rest
	same_as_acked
	has_jobs error 0
}
