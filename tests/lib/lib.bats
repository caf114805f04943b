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
