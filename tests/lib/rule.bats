#!/usr/bin/env bats
# The rule language: unit tests, the examples of its page, and 1,500 expressions compared with Python's
# own answers; `make check-rules` compares 100,000. By hand:
# RULE_SEED=2 RULE_COUNT=100000 bats tests/lib/rule.bats

load ../helper

# examples: those of the page, as rule_compare wants them: what mdoc writes for \, ' and ", then \\.
examples() {
	sed -n '/^\.Sh EXAMPLES/,$ s/^\.Dl //p' "$TOP/src/lib/rule/dcmspool-rules.5" |
		sed "s/\\\\e/\\\\/g; s/\\\\(aq/'/g; s/\\\\(dq/\"/g" | sed 's/\\/\\\\/g'
}

@test "rules: values, failures, mistakes, bounds" {
	"$TOOLS/test_rule"
}

@test "rules: what is said about them, and what is found before any series comes" {
	"$TOOLS/test_rule_text"
	"$TOOLS/test_rule_explain"
}

@test "rules: random expressions have the answer that Python gives" {
	/usr/bin/python3 "$TOP/tests/lib/rule_oracle.py" "${RULE_SEED:-1}" \
		"${RULE_COUNT:-1500}" >"$BATS_TEST_TMPDIR/expressions"
	"$TOOLS/rule_compare" "$BATS_TEST_TMPDIR/expressions"
}

@test "rules: each example of dcmspool-rules(5) matches what it should, and nothing else" {
	local table=$TOP/tests/lib/rule_examples n=0 example expected tags
	mandoc -T lint -W warning "$TOP/src/lib/rule/dcmspool-rules.5"
	while IFS= read -r example; do
		n=$((n + 1))
		grep -q "^$n true" "$table" || { echo "$example: nothing that matches"; return 1; }
		grep -q "^$n false" "$table" || { echo "$example: nothing that does not"; return 1; }
		while read -r _ expected tags; do
			printf '%s\t%s\t%s\n' "$example" "$expected" \
				"$(printf '%s' "$tags" | sed 's/\\/\\\\/g' | tr '|' '\t')"
		done < <(grep "^$n " "$table") >>"$BATS_TEST_TMPDIR/table"
	done < <(examples)
	[ "$n" -ge 20 ]
	[ "$(grep -vc '^#' "$table")" -eq "$(wc -l <"$BATS_TEST_TMPDIR/table")" ]
	"$TOOLS/rule_compare" "$BATS_TEST_TMPDIR/table"
}
