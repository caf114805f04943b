#!/bin/sh
# states.sh TABLE: spool-layout/states as C, for states.h and states.c.
set -eu
awk '
function place(name, id) {
	id = toupper(name)
	gsub(/[.-]/, "_", id)
	return "STATE_" id
}
function text(value) { return value == "-" || value == "" ? "NULL" : "\"" value "\"" }
/^#/ || NF == 0 { next }
NF < 7 { printf "%s:%d: %d columns instead of 7\n", FILENAME, FNR, NF >"/dev/stderr"; exit 1 }
!($1 in seen) {
	if ($2 != "-") { printf "%s:%d: the first row of %s is not named -\n", FILENAME, FNR, $1 >"/dev/stderr"; exit 1 }
	seen[$1] = 1
	places = places "\t" place($1) ",\n"
	names = names "\t[" place($1) "] = \"" $1 "\", \\\n"
}
{
	kind = $3 == "file" ? "STATE_A_FILE" : $3 == "any" || $3 == "-" ? "STATE_ANYTHING" : place($3)
	line = $0
	for (i = 1; i <= 7; i++)
		sub(/^[ \t]*[^ \t]+/, "", line)
	sub(/^[ \t]+/, "", line)
	rows = rows sprintf("\t{ %s, %s, %s, %d, %s, %s, %s, %s }, \\\n", place($1), text($2), kind,
		$4 == "yes", text($5), text($6), text($7), text(line))
}
END {
	print "/* Made by states.sh from spool-layout/states. */"
	printf "enum state_place {\n%s\tSTATE_PLACES,\n\tSTATE_A_FILE,\n\tSTATE_ANYTHING\n};\n", places
	printf "#define STATE_ROWS { \\\n%s\t{ STATE_PLACES, NULL, STATE_ANYTHING, 0, NULL, NULL, NULL, NULL } }\n", rows
	printf "#define STATE_NAMES { \\\n%s}\n", names
}' "$1"
