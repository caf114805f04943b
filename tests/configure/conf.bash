# conf.bash: what the tests of the configuration share.
# shellcheck shell=bash

setup() {
	cd "$(realpath "$BATS_TEST_TMPDIR")" || return # as the programs print it
	here=$PWD
	conf=$BIN/dcmspool-conf
}

# write NAME: standard input to a file, blanks as they are.
write() { cat >"$1"; }

# mistakes FILE: checks it and leaves the mistakes in $output; it must be refused.
mistakes() {
	run "$conf" -n -c "$1"
	[ "$status" -eq 100 ]
	[[ $output == *"fatal: unable to use configuration $1: mistakes above; correct them" ]]
}

# has LINE: the output holds this line, or one that begins with it.
has() {
	local line
	while IFS= read -r line; do
		[[ $line == "$1"* ]] && return
	done <<<"$output"
	printf 'missing: %s\nin:\n%s\n' "$1" "$output" >&2
	return 1
}

# exactly N: so many mistakes in a.conf, no more.
exactly() {
	local n
	n=$(grep -c '^a\.conf:' <<<"$output") || true
	[ "$n" -eq "$1" ] || {
		printf '%s expected, got %s:\n%s\n' "$1" "$n" "$output" >&2
		return 1
	}
}
