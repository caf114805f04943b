#!/bin/sh
# stages.sh TABLE: spool-layout/directories as C, for stage.h and stage.c.
set -eu
awk '
/^#/ || NF == 0 { next }
NF != 8 { printf "%s:%d: %d columns instead of 8\n", FILENAME, FNR, NF >"/dev/stderr"; exit 1 }
{
	name = $1 == "." ? "ROOT" : toupper($1)
	dirs = dirs "\tSPOOL_" name ",\n"
	holds = $5 == "-" ? "NOTHING" : toupper($5)
	by = $8 == "-" ? "NULL" : "\"" $8 "\""
	rows = rows sprintf("\t[SPOOL_%s] = { \"%s\", STAGE_%s, %d, %d, %s }, \\\n", name, $1, holds,
		$6 == "yes", $7 == "yes", by)
}
END {
	print "/* Made by stages.sh from spool-layout/directories. */"
	printf "enum spool_dir {\n%s\tSPOOL_DIRS\n};\n", dirs
	printf "#define STAGE_ROWS { \\\n%s}\n", rows
}' "$1"
