# house.bats: what src/README.md says of the house is so: layers, rooms, sizes.

load ../helper
bats_require_minimum_version 1.5.0

@test "house: includes point downwards, a program's to the library and to its own files only" {
	cd "$TOP"
	sh tests/tools/layers.sh | grep -v ': more than ' >"$BATS_TEST_TMPDIR/said" || true
	cat "$BATS_TEST_TMPDIR/said"
	[ ! -s "$BATS_TEST_TMPDIR/said" ]
}

@test "house: an include that points upwards or sideways is told, and what is too long" {
	cd "$BATS_TEST_TMPDIR"
	mkdir -p src/lib/base src/lib/spool src/lib/new src/send/one src/send/two tests
	echo '#include "spool/job.h"' >src/lib/base/log.c
	echo '#include "base/log.h"' | tee src/lib/spool/job.c >src/lib/new/new.c
	printf '%s\n' '#include "spool/job.h"' '#include "one.h"' >src/send/one/one.c
	printf '%s\n' '#include "one.h"' '#include "one/one.h"' >src/send/two/two.c
	seq 401 >src/send/one/one.h
	printf '\t%093d\n' 0 >tests/wide.c
	run -1 sh "$TOP/tests/tools/layers.sh"
	[ "$(sort <<<"$output")" = "src/lib/base/log.c:1: spool is not below base
src/lib/new/new.c: is in no layer
src/send/one/one.h: more than 400 lines
src/send/two/two.c:1: one.h is not its own
src/send/two/two.c:2: one/one.h is in no layer
tests/wide.c:1: more than 100 columns" ]
}
