#!/bin/sh
# layers.sh [TOP]: tells each #include of src/ that points upwards, or from a program to what is neither the
# library's nor its own; and each file of C longer than 400 lines or wider than 100 columns.
cd "${1:-.}" || exit 111
{
	# FROM, TO: of the library its folder, of a program the file. A name without a folder is a neighbour's.
	grep -rn --include='*.[ch]' '^#include "' src | awk -F '[:"]' '
		BEGIN {
			n = split("base dicom rule=tls spool conf decide=sender=cli=receive", word, " ")
			while (n) {
				m = split(word[n], peer, "=")
				while (m) layer[peer[m--]] = n
				n--
			}
		}
		{
			split($1, part, "/")
			from = part[2] == "lib" ? part[3] : ""
			to = index($4, "/") ? substr($4, 1, index($4, "/") - 1) : ""
			beside = $1
			sub(/[^\/]*$/, $4, beside)
			if (from && !layer[from]) print $1 ": is in no layer"
			else if (to && !layer[to]) print $1 ":" $2 ": " $4 " is in no layer"
			else if (from && to && to != from && layer[to] >= layer[from]) print $1 ":" $2 ": " to " is not below " from
			else if (!to && !from && (getline x <beside) < 0) print $1 ":" $2 ": " $4 " is not its own"
			close(beside)
		}'
	find src tests -name '*.[ch]' -print0 | xargs -0 awk '
		FNR == 401 { print FILENAME ": more than 400 lines" }
		{ gsub(/\t/, "        ") }
		length() > 100 { print FILENAME ":" FNR ": more than 100 columns" }'
	find tests -name '*.ba*' -print0 | xargs -0 awk 'FNR == 401 { print FILENAME ": more than 400 lines" }'
} | grep . && exit 1
exit 0
