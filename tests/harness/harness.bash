# harness.bash: what attacks the whole system is a Python program each; here is how often and in which folder.

load ../helper

# much FEW MANY: how often: FEW for a sample (make check), MANY for make torture; divided by SWEEP
much() {
	[ -n "${SWEEP-}" ] || { echo "$1"; return; }
	echo $((($2 + SWEEP - 1) / SWEEP))
}

# attack PROGRAM WORD...: in a folder of its own
attack() {
	local program=$1
	shift
	BIN=$BIN BUILD=$BUILD /usr/bin/python3 "$TOP/tests/harness/$program.py" "$BATS_TEST_TMPDIR/scenario" "$@" 3>&-
}

# needs PROGRAM...: what is not there
needs() {
	local program
	for program; do command -v "$program" >/dev/null || [ -e "$program" ] || skip "$program is missing"; done
}

needs_mounts() {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to mount a file system"
	mkdir -p "$BATS_TEST_TMPDIR/tried"
	mount -t tmpfs tried "$BATS_TEST_TMPDIR/tried" 2>"$BATS_TEST_TMPDIR/mount.log" ||
		skip "mounting is not permitted: $(cat "$BATS_TEST_TMPDIR/mount.log")"
	umount "$BATS_TEST_TMPDIR/tried"
	losetup -f >/dev/null 2>&1 || skip "no loop device can be had"
}
