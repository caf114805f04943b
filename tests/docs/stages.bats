# stages.bats: spool-layout/directories, the table of stages, is what STATES.md, dcmspool-spool(7), the programs
# and dcmspool layout go by; spool-layout/states, the table of what may lie where, what STATES.md says of that.

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

# names_in_table TABLE: what dcmspool itself calls so, without patterns for what others name
names_in_table() {
	awk '!/^#/ && NF >= 7 && $2 != "-" && $2 !~ /[<[]/ && $2 !~ /^[.]?[*]/ { sub(/[*]$/, "", $2); print $2 }' "$1" | sort -u
}

# names_in_states: the files that STATES.md speaks of: the names in its picture of the tree, and words in
# backticks, or paths, that are hidden names or end with .json, .log, .txt
names_in_states() {
	{
		sed -n '/^```/,/^```/p' spool-layout/STATES.md |
			sed -nE 's/^ {4}([^ <\/]+)\/?([< ].*|$)/\1/p; s/^[a-z]+\/(<target>\/)?([a-z.]+)( .*|$)/\2/p; s/^(\.[a-z]+)\/?( .*|$)/\1/p'
		grep -oE '(^|[`/ ,(])(\.[a-z]+(\.new)?\.?|[a-z]+\.(json|log|txt))([`/ ,;:.)<]|$)' spool-layout/STATES.md | tr -d '`/ ,;:()<'
		sed -n '/^A job directory holds/,/^$/p' spool-layout/STATES.md | grep -oE '`[a-z]+`' | tr -d '`'
	} | sed -E 's/^(\.(new|assoc|deleting)).*/\1./; s/([a-z])[.\/]$/\1/' | sed -E 's/^\.(new|assoc|deleting)$/&./' |
		grep -vxE '\.(dcm|ok|dropped|urgent|offpeak)?' | sort -u # these are ends of names
}

ids_in_table() { awk '!/^#/ && NF >= 7 && $5 != "-" { print $5 }' "$1" | tr , '\n' | sort -u; }
ids_in_states() { sed -nE 's/^\| ([A-Z][0-9]+) \|.*/\1/p' spool-layout/STATES.md | sort -u; }

# states_disagree TABLE: names each file and state that only one of the table and STATES.md has
states_disagree() {
	local what
	for what in names ids; do
		"${what}_in_table" "$1" >"$BATS_TEST_TMPDIR/$what.table"
		"${what}_in_states" >"$BATS_TEST_TMPDIR/$what.states"
		comm -23 "$BATS_TEST_TMPDIR/$what.table" "$BATS_TEST_TMPDIR/$what.states" | sed 's/$/: not in STATES.md/'
		comm -13 "$BATS_TEST_TMPDIR/$what.table" "$BATS_TEST_TMPDIR/$what.states" | sed 's/$/: not in the table/'
	done
}

@test "states: the table of what may lie where and STATES.md have the same names and states" {
	run states_disagree spool-layout/states
	echo "$output"
	[ -z "$output" ]
	[ "$(names_in_table spool-layout/states | wc -l)" -ge 20 ]
	[ "$(ids_in_table spool-layout/states | wc -l)" -ge 13 ]
}

@test "states: the names that the programs give are all in the table; a name or state that is missing is named" {
	local name
	sed -nE 's/.*\[FILE_[A-Z_]+\] = \{ "([^"]+)".*/\1/p' src/lib/spool/file.c | while read -r name; do
		names_in_table spool-layout/states | grep -qxF "$name" || { echo "$name: not in the table"; exit 1; }
	done
	for name in $(names_in_table spool-layout/states); do
		awk -v name="$name" '$2 != name && $2 != name "*"' spool-layout/states >"$BATS_TEST_TMPDIR/table"
		run states_disagree "$BATS_TEST_TMPDIR/table"
		[[ $output == *"$name: not in the table"* ]] || { echo "$name: is not missed"; false; }
	done
	for name in $(ids_in_table spool-layout/states); do
		sed "s/$name\>/-/" spool-layout/states >"$BATS_TEST_TMPDIR/table"
		run states_disagree "$BATS_TEST_TMPDIR/table"
		[[ $output == *"$name: not in the table"* ]] || { echo "$name: is not missed"; false; }
	done
	sed 's/^batch .* filed /& /; s/ filed / fyled /' spool-layout/states >"$BATS_TEST_TMPDIR/table"
	run states_disagree "$BATS_TEST_TMPDIR/table"
	[[ $output == *"fyled: not in STATES.md"*"filed: not in the table"* ]]
}

@test "states: every kind of directory that a row leads to has rows, who makes and takes is a program" {
	local word
	awk '!/^#/ && NF >= 7 && $3 !~ /^(-|file|any)$/ { print $3 }' spool-layout/states | sort -u |
		while read -r word; do grep -q "^$word  *- " spool-layout/states || { echo "$word has no rows"; exit 1; }; done
	awk '!/^#/ && NF >= 7 { print $6; print $7 }' spool-layout/states | sort -u |
		while read -r word; do
			case $word in - | any | person | storescp) continue ;; esac
			[ -x "$BIN/$word" ] || { echo "there is no $word"; exit 1; }
		done
}
