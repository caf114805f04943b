# The whole system with real senders and targets under attack. Each image that was acknowledged is, when it has come to
# rest, in every place that the rules ask for, byte for byte; nothing is stuck; no success is false.
# `make check` takes a sample of each, `make torture` all of it: the tag sweep.

bats_require_minimum_version 1.5.0
load harness

# bats test_tags=sweep
@test "soak: everything at once for SOAK seconds, processes killed and stopped at random" {
	attack soak "${SOAK:-$(much 8 600)}"
}

# bats test_tags=sweep
@test "watchers: stopped until more has happened than the kernel keeps events" {
	attack watchers overflow "$(much 1 8)"
}

# bats test_tags=sweep
@test "watchers: a directory of the spool is moved away, unreadable, a link, and back" {
	attack watchers directories "$(much 3 81)"
}

# bats test_tags=torture
@test "watchers: no instances and no watches are left, for those that run and those that start" {
	unshare -Ur true 2>/dev/null || skip "no user namespaces here"
	attack watchers limits "$(much 4 40)"
}

# bats test_tags=torture
@test "watchers: thousands of batches are complete at once" {
	attack watchers many "$(much 100 3000)"
}

# bats test_tags=sweep
@test "peers: associations are cut at PDUs and inside them" { attack peers cut "$(much 12 600)"; }

# bats test_tags=sweep
@test "peers: a bit is flipped" { attack peers flip "$(much 12 600)"; }

# bats test_tags=torture
@test "peers: a length lies" { attack peers lie "$(much 12 300)"; }

# bats test_tags=torture
@test "peers: a PDU is garbage" { attack peers garbage "$(much 12 300)"; }

# bats test_tags=torture
@test "peers: 200 callers at once" { attack peers callers 200; }

# bats test_tags=torture
@test "peers: one series on eight connections" { attack peers series "$(much 1 20)"; }

# bats test_tags=torture
@test "peers: the same image on eight connections at the same time" { attack peers same "$(much 2 60)"; }

# bats test_tags=torture
@test "peers: images of a series at each instant of its claim" { attack peers claim "$(much 20 600)"; }

# bats test_tags=torture
@test "peers: targets that answer late, twice, wrongly, never" { attack peers targets "$(much 1 4)"; }

# bats test_tags=sweep
@test "clocks: the time of day is set back and forward" {
	needs /usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1
	attack clocks steps "$(much 2 60)"
}

# bats test_tags=sweep
@test "clocks: two hosts' jobs have one name" { attack clocks names "$(much 3 30)"; }

# broken PROGRAM: the system with this in place of one of its programs, under a small attack; the verdict is in $output
broken() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp -r "$TOP/spool-layout" "$BATS_TEST_TMPDIR/"
	cp "$BIN"/* "$BATS_TEST_TMPDIR/bin/"
	cat >"$BATS_TEST_TMPDIR/bin/$1"
	BUILD=$BATS_TEST_TMPDIR
	mkdir "$BATS_TEST_TMPDIR/tests"
	cp "$TOOLS/makestudy" "$TOOLS/rawsend" "$BATS_TEST_TMPDIR/tests/" # its rows are no results
	REST=3 BIN=$BATS_TEST_TMPDIR/bin run -1 attack peers series 1
}

@test "the oracle finds what is lost, and a success that is none, when a sender lies" {
	broken send-folder <<-'END'
		#!/bin/sh
		while read -r image; do printf 'stored\t0000\t%s\tsuccess\n' "$image"; done
	END
	[[ "$output" = *"lost, stuck, false: (40, 0, 40)"* ]]
}

@test "the oracle finds what is stuck when a dispatcher does nothing" {
	broken dcmspool-dispatcher <<-'END'
		#!/bin/sh
		exec tail -f /dev/null
	END
	# as many jobs as the series has become: connections that come later than the time-out make one of their own
	[[ "$output" =~ "lost, stuck, false: (0, "[1-9][0-9]*", 0)" ]]
	[[ "$output" = *"stuck: "*/outgoing/archive/* ]]
}

@test "the oracle finds an image that nobody has sent" {
	broken send-folder <<-'END'
		#!/bin/sh
		while read -r image; do
			mkdir -p "$TARGET_PATH" && head -c 1000 "$image" >"$TARGET_PATH/$image" &&
				printf 'stored\t0000\t%s\tsuccess\n' "$image"
		done
	END
	[[ "$output" = *"lost, stuck, false: (40, 0, 80)"* ]]
}
