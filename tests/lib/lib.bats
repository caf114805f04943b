# The unit tests of the library's small modules.

load ../helper

@test "clock, rest, sorted, memory, text, log" { "$TOOLS/test_base"; }
@test "loop" { "$TOOLS/test_loop"; }
@test "watch" { "$TOOLS/test_watch"; }
@test "disk, str, spool, job" { "$TOOLS/test_disk"; }
@test "acceptor: what is refused of a request" { "$TOOLS/test_acceptor"; }
@test "network: what a peer can send" { "$TOOLS/test_network"; }
@test "dial: hosts of several addresses, dead ones, silent name servers" { "$TOOLS/test_dial"; }
@test "negotiation profile and stand-ins" { "$TOOLS/test_profile"; }
@test "which images of a batch are believed" { cd "$BATS_TEST_TMPDIR" && "$TOOLS/test_filed"; }
@test "the journal is read, while it is written" { cd "$BATS_TEST_TMPDIR" && "$TOOLS/test_journal"; }
@test "moments and days as operators write them" { "$TOOLS/test_when"; }

@test "a job that moves on is followed" {
	"$BIN/dcmspool-layout" "$BATS_TEST_TMPDIR/spool"
	cd "$BATS_TEST_TMPDIR/spool" && "$TOOLS/test_item"
}

# ahead [STRACE OPTION...]: the test program traced; how many series.json were opened, and by how many threads
ahead() {
	(cd "$BATS_TEST_TMPDIR/spool" && strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=openat,write "$@" "$TOOLS/test_item" ahead >/dev/null)
	sed '1,/"now/d' "$BATS_TEST_TMPDIR/trace" | sed -n 's/^\([0-9]*\) .*"\([^"]*series.json\)".*/\1 \2/p' >"$BATS_TEST_TMPDIR/opened"
	opened=$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/opened" | sort -u | wc -l)
	threads=$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/opened" | sort -u | wc -l)
	echo "opened $opened, by $threads"
}

@test "files of many series are read ahead by many at once where each of them takes long, and only there" {
	command -v strace >/dev/null || skip "strace is missing"
	"$BIN/dcmspool-layout" "$BATS_TEST_TMPDIR/spool"
	ahead -e inject=openat:delay_exit=1000
	[ "$opened" -eq 80 ]
	[ "$threads" -gt 4 ]
}
