# The stranger: a new administrator on a fresh Debian 12, from the package to a spool that is moved.
# bats file_tags=root,torture
# tests/stranger is what is typed there.

load ../helper
load ../debian

setup() { debian_possible; }

@test "stranger: README's commands bring a scanner's series to Orthanc; a rule is mended, all is upgraded and moved" {
	debian_package "$BATS_TEST_TMPDIR/test"
	cp "$TOOLS/makestudy" "$TOP/README.md" "$BATS_TEST_TMPDIR/test/"
	debian_run "$BATS_TEST_TMPDIR" "$TOP/tests/stranger"
}
