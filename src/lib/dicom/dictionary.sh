#!/bin/sh
# dicom_dictionary.sh: writes the table of PS3.6 for dicom_dictionary.c from DCMTK's data dictionary.
#
# DCMTK marks retired elements by a prefix of the keyword; without it the keyword is PS3.6's. Elements
# in use come first, so that they win over a retired one of the same keyword. Of a repeating group,
# (6000-60ff,...), the first is taken. VRs in small letters are DCMTK's own (dcvr.h, 3.6.7): "xs" is
# kept, for it depends on PixelRepresentation; the others become what implicit VR makes of them.
#
# usage: dicom_dictionary.sh > dicom_dictionary_table.h
set -eu

for dic in "${DCMDICTPATH:-}" /usr/share/libdcmtk*/dicom.dic /usr/share/dcmtk*/dicom.dic \
	/usr/local/share/dcmtk*/dicom.dic; do
	if [ -r "$dic" ]; then
		exec awk -F '\t' '
		BEGIN { vr["ox"] = vr["px"] = "OW"; vr["up"] = "UL"; vr["lt"] = "US" }
		/^#/ || $2 == "na" || $1 !~ /^\([0-9A-Fa-f]+(-[0-9A-Fa-f]+)?,[0-9A-Fa-f]+(-[0-9A-Fa-f]+)?\)$/ { next }
		{
			split(substr($1, 2, length($1) - 2), tag, ",")
			keyword = $3
			retired = sub(/^RETIRED_/, "", keyword)
			if (keyword !~ /^[A-Za-z0-9_]+$/ || length(keyword) > 71)
				next
			line = sprintf("\t{ 0x%s, 0x%s, \"%s\", \"%s\" },", substr(tag[1], 1, 4),
				substr(tag[2], 1, 4), $2 in vr ? vr[$2] : $2, keyword)
			if (retired)
				old[++olds] = line
			else {
				print line
				n++
			}
		}
		END {
			for (i = 1; i <= olds; i++)
				print old[i]
			if (n >= 4000)
				exit
			print "dicom_dictionary.sh: " FILENAME " has only " n " elements; set DCMDICTPATH to DCMTK'\''s whole dicom.dic" >"/dev/stderr"
			exit 1
		}' "$dic"
	fi
done
echo "dicom_dictionary.sh: unable to find DCMTK's dicom.dic; install DCMTK, or set DCMDICTPATH to it" >&2
exit 1
