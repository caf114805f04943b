# The unit tests of the library's small modules.

load ../helper

@test "watch" { "$TOOLS/test_watch"; }
@test "disk, str, spool, job" { "$TOOLS/test_disk"; }
