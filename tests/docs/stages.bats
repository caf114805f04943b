# stages.bats: spool-layout/directories, the table of stages, is what STATES.md, dcmspool-spool(7), the programs
# and dcmspool layout go by.

load ../helper

setup() { cd "$TOP" || return; }

# rows TABLE: its stages, without the spool itself
rows() { awk '!/^#/ && NF && $1 != "." { print $1 }' "$1"; }

# described: the stages that STATES.md has, by the paths of its first section
described() {
	sed -n '/^## 1\./,/^## 2\./p' spool-layout/STATES.md |
		grep -oE '^[a-z|]+/' | tr -d / | tr '|' '\n' | sort -u
}

# disagree TABLE: names each stage that only one of the table and the documents has
disagree() {
	rows "$1" | sort >"$BATS_TEST_TMPDIR/rows"
	described >"$BATS_TEST_TMPDIR/described"
	comm -23 "$BATS_TEST_TMPDIR/rows" "$BATS_TEST_TMPDIR/described" | sed 's/$/: not in STATES.md/'
	comm -13 "$BATS_TEST_TMPDIR/rows" "$BATS_TEST_TMPDIR/described" | sed 's/$/: not in the table/'
	while read -r stage; do
		grep -q "^\.It Pa $stage/" src/lib/spool/dcmspool-spool.7 || echo "$stage: not in dcmspool-spool(7)"
	done <"$BATS_TEST_TMPDIR/rows"
}

@test "stages: table, STATES.md and dcmspool-spool(7) have the same" {
	run disagree spool-layout/directories
	echo "$output"
	[ -z "$output" ]
	[ "$(rows spool-layout/directories | wc -l)" -ge 9 ]
}

@test "stages: a row that is missing is named" {
	local stage
	for stage in $(rows spool-layout/directories); do
		grep -v "^$stage " spool-layout/directories >"$BATS_TEST_TMPDIR/table"
		run disagree "$BATS_TEST_TMPDIR/table"
		[[ $output == *"$stage: not in the table"* ]]
	done
}

@test "stages: what claims is a program, and a row that is cut off builds nothing" {
	local path claims
	while read -r path _ _ _ _ _ _ claims; do
		case $path in '' | '#'* | .) continue ;; esac
		[ "$claims" = - ] || [ -x "$BIN/$claims" ] || { echo "$path: there is no $claims"; false; }
	done <spool-layout/directories
	sed '$ s/ [^ ]*$//' spool-layout/directories >"$BATS_TEST_TMPDIR/table"
	run sh src/lib/spool/stages.sh "$BATS_TEST_TMPDIR/table"
	[ "$status" -ne 0 ]
	[[ $output == *"7 columns instead of 8"* ]]
}
