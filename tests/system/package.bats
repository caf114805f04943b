# The Debian package on a booted Debian 12 of the test's own: installed, started, changed, upgraded, removed, purged.
# bats file_tags=root,torture
# tests/system/package.sh is what is done there.

load ../helper
load ../debian

setup() { debian_possible; }

@test "package: series go through while it is installed, reloaded, upgraded and removed; a purge loses none" {
	debian_package "$BATS_TEST_TMPDIR/test"
	cp "$TOOLS/makestudy" "$BATS_TEST_TMPDIR/test/"
	debian_run "$BATS_TEST_TMPDIR" "$TOP/tests/system/package.sh"
}
