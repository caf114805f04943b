# kill -9 at every state-changing system call of what receives, and of the router that takes what was dropped
# by hand: afterwards every image is where STATES.md says.

load ../helper
load ../router
load crash

# What a dead association leaves behind: three images, of which nobody knows whether they are whole.
make_receiving() {
	[ -d "$BATS_TEST_TMPDIR/study" ] || study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 32 -c 32 -u 1.2.3.4
	rm -rf "$SPOOL"
	"$BIN/dcmspool-layout" "$SPOOL"
	local a=$SPOOL/receiving/20261122T140301.123456Z.1
	mkdir "$a"
	echo '{"association": "20261122T140301.123456Z.1", "peer": "127.0.0.1"}' >"$a/association.json"
	cp "$BATS_TEST_TMPDIR"/study/SE0001/* "$a/"
}

# make_acknowledged: the same, acknowledged; and one more that is whole, but was not
make_acknowledged() {
	make_receiving
	local a=$SPOOL/receiving/20261122T140301.123456Z.1 f
	for f in "$a"/*.dcm; do mv "$f" "$f.ok"; done
	[ -d "$BATS_TEST_TMPDIR/other" ] || study "$BATS_TEST_TMPDIR/other" -s 1 -n 1 -r 32 -c 32 -u 1.2.3.9
	cp "$BATS_TEST_TMPDIR"/other/SE0001/* "$a/CT.X.9"
	echo '{"association": "20261122T140301.123456Z.1", "peer": "127.0.0.1", "ok": true}' >"$a/association.json"
}

# each_has_its_line: `filed` says of every image of the batch that it is whole
each_has_its_line() {
	local f boot
	boot=$(head -c 8 /proc/sys/kernel/random/boot_id)
	for f in "$SPOOL"/incoming/1.2.3.4/*.dcm; do
		grep -F " ${f##*/} " "$SPOOL/incoming/1.2.3.4/filed" | tail -n 1 |
			grep -qxF "$boot $(stat -c %s "$f") ${f##*/} 20261122T140301.123456Z.1" || return 1
	done
}

# bats test_tags=sweep
@test "getdcmtags: killed at each call; every image is filed once" {
	local CALLS="$CALLS write pwrite64 ftruncate" reset
	make_router
	filed() { has_images "$SPOOL/incoming/1.2.3.4" 3; }
	verify() { same_images "$SPOOL/incoming" && each_has_its_line; }
	for reset in make_receiving make_acknowledged; do
		LEAST=10 sweep $reset filed \
			"$BIN/getdcmtags" -c "$CONF" -w receiving/20261122T140301.123456Z.1
	done
}

# bats test_tags=sweep
@test "association recovery: killed at each call; its directory goes, every image is filed once" {
	local CALLS="$CALLS write pwrite64 ftruncate" reset
	make_router
	filed() { has_images "$SPOOL/incoming/1.2.3.4" 3 && [ -z "$(ls -A "$SPOOL/receiving")" ]; }
	verify() {
		same_images "$SPOOL/incoming" && each_has_its_line &&
			! ls "$SPOOL"/incoming/1.2.3.4/.assoc.* 2>/dev/null
	}
	for reset in make_receiving make_acknowledged; do
		LEAST=3 sweep $reset filed \
			"$BIN/dcmspool-association" -c "$CONF" -r 20261122T140301.123456Z.1
	done
}

# in_place_of PROGRAM: one of that name, first in PATH, that is killed as the file `inject` says
in_place_of() {
	local real
	real=$(command -v "$1")
	mkdir -p "$BATS_TEST_TMPDIR/path"
	cat >"$BATS_TEST_TMPDIR/path/$1" <<-END
		#!/bin/sh
		read -r call n <"$BATS_TEST_TMPDIR/inject"
		exec strace -qq -o /dev/null -e "trace=\$call" -e "inject=\$call:signal=SIGKILL:when=\$n" "$real" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/path/$1"
	PATH=$BATS_TEST_TMPDIR/path:$PATH
}

received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }

# They are sent one after the other, so what is filed must be the first of them: as many as were
# acknowledged, or one more, when the answer to it did not get away.
filed_as_acknowledged() {
	local answered filed
	answered=$(grep -c ' 0000$' "$BATS_TEST_TMPDIR/answers")
	filed=$(images_in "$SPOOL/incoming")
	echo "$answered acknowledged, $filed filed"
	[ "$filed" -eq "$answered" ] || [ "$filed" -eq $((answered + 1)) ] || return 1
	[ "$(images_in "$SPOOL/error")" -eq 0 ] || return 1
	[ "$filed" -gt 0 ] || return 0
	rm -rf "$BATS_TEST_TMPDIR/first"
	mkdir "$BATS_TEST_TMPDIR/first"
	find "$BATS_TEST_TMPDIR/study" -name '*.dcm' | sort | head -n "$filed" |
		xargs cp -t "$BATS_TEST_TMPDIR/first"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/first" "$SPOOL/incoming"
}

# bats test_tags=sweep
@test "storescp: killed at each write and rename; what was acknowledged is filed, and nothing half" {
	local call n kills=0
	make_router
	in_place_of storescp
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 64 -c 64 -u 1.2.3.4
	start_receiver
	for call in renameat2 write; do
		for ((n = 1; n < 100; n++)); do
			echo "$call $n" >"$BATS_TEST_TMPDIR/inject"
			"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$BATS_TEST_TMPDIR/study"/*/* \
				>"$BATS_TEST_TMPDIR/answers" || true
			wait_for received
			filed_as_acknowledged || { echo "killed at $call $n"; return 1; }
			rm -r "$SPOOL"/incoming/* 2>/dev/null || true
			! grep -q released "$BATS_TEST_TMPDIR/answers" || break
			kills=$((kills + 1))
		done
	done
	echo "killed $kills times"
	[ "$kills" -ge 10 ]
}

# bats test_tags=sweep
@test "something dropped by hand: the router is killed at each call while it takes it" {
	make_router
	make_drop() {
		make_receiving
		mv "$SPOOL"/receiving/* "$SPOOL/incoming/from-a-usb-stick"
		rm "$SPOOL/incoming/from-a-usb-stick/association.json"
	}
	routed() { no_rest && has_jobs outgoing/archive 1; }
	verify() { same_images "$SPOOL/outgoing/archive"; }
	LEAST=5 sweep make_drop routed "$BIN/dcmspool-router" -c "$CONF"
}

# bats test_tags=sweep
@test "loose files dropped by hand: the router is killed at each call while it takes them" {
	make_router
	make_loose() {
		make_receiving
		mv "$SPOOL"/receiving/*/*.dcm "$SPOOL/incoming/"
		rm -r "$SPOOL"/receiving/*
	}
	routed() { no_rest && has_images "$SPOOL/outgoing/archive" 3; }
	verify() { same_images "$SPOOL/outgoing/archive"; }
	LEAST=3 sweep make_loose routed "$BIN/dcmspool-router" -c "$CONF"
}
