#!/usr/bin/env bats
# The rule language: unit tests, and 2,000 expressions compared with Python's own answers. By hand:
# RULE_SEED=2 RULE_COUNT=100000 bats tests/rule.bats

load helper

@test "rules: values, failures, mistakes, bounds" {
	"$TOOLS/test_rule"
}

@test "rules: random expressions have the answer that Python gives" {
	/usr/bin/python3 "$TOP/tests/rule_oracle.py" expressions "${RULE_SEED:-1}" \
		"${RULE_COUNT:-2000}" >"$BATS_TEST_TMPDIR/expressions"
	"$TOOLS/test_rule" "$BATS_TEST_TMPDIR/expressions"
}

@test "rules: dcmspool-rules(5) is well-formed, and its examples compile" {
	mandoc -T lint -W warning "$TOP/src/lib/dcmspool-rules.5"
	# What mdoc writes for \, ' and ", and then \\ as test_rule wants it.
	sed -n 's/^\.Dl //p' "$TOP/src/lib/dcmspool-rules.5" |
		sed "s/\\\\e/\\\\/g; s/\\\\(aq/'/g; s/\\\\(dq/\"/g" |
		sed 's/\\/\\\\/g; s/$/\ttrue\tModality=MR/' >"$BATS_TEST_TMPDIR/examples"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/examples")" -ge 10 ]
	run "$TOOLS/test_rule" "$BATS_TEST_TMPDIR/examples"
	echo "$output"
	[[ $output != *column* ]]
}
