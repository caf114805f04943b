#!/usr/bin/env bats
# The header reader: its unit tests, getdcmtags as a plain command, and the comparison with DCMTK.

bats_require_minimum_version 1.5.0

load ../helper

CORPUS=$TOP/../shared/corpus

setup_file() {
	PYDICOM=$(dpkg -L python3-pydicom | grep -m 1 '/test_files$')
	export PYDICOM
}

@test "dicom: encodings, structure, damage" {
	"$TOOLS/test_dicom"
}

@test "dicom: values and character sets" {
	"$TOOLS/test_dicom_text"
}

@test "dicom: tags that are wanted besides the usual ones" {
	"$TOOLS/test_dicom_want"
}

@test "getdcmtags prints one JSON object per file, with every tag as a string" {
	"$BIN/getdcmtags" -p "$PYDICOM/CT_small.dcm" "$PYDICOM/MR_small.dcm" >"$BATS_TEST_TMPDIR/out"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 2 ]
	[ "$(jq -r .Modality "$BATS_TEST_TMPDIR/out" | paste -sd ' ')" = "CT MR" ]
	jq -e 'length == 46 and all(type == "string")' "$BATS_TEST_TMPDIR/out"
	jq -e '.CodeMeaning == ""' "$BATS_TEST_TMPDIR/out"
}

@test "getdcmtags -t adds tags: keywords, numbers, private ones, paths" {
	"$BIN/getdcmtags" -t StudyDate,0009,xx01,GEMS_IDEN_01,rows -t "OtherPatientIDsSequence[1].PatientID" \
		"$PYDICOM/CT_small.dcm" >"$BATS_TEST_TMPDIR/out"
	jq -e '.StudyDate == "20040119" and .["0009,xx01,GEMS_IDEN_01"] == "GE_GENESIS_FF" and
		.Rows == "128" and .["OtherPatientIDsSequence[1].PatientID"] == "1234ABCD" and length == 50' \
		"$BATS_TEST_TMPDIR/out"
	"$BIN/getdcmtags" -p -t "BeamSequence[0].ControlPointSequence[1].CumulativeMetersetWeight" \
		"$PYDICOM/rtplan.dcm" | jq -e '.[keys_unsorted[-1]] | tonumber == 1'
	run -100 "$BIN/getdcmtags" -t Rows,StudyDat "$PYDICOM/CT_small.dcm"
	[ "$output" = "getdcmtags: fatal: unable to read the tags of -t Rows,StudyDat: the standard has no \
keyword StudyDat; did you mean StudyDate?" ]
}

@test "extra_tags: printed, in series.json, and known to rules" {
	cd "$BATS_TEST_TMPDIR"
	cat >a.conf <<-'E'
		spool = "spool"
		extra_tags = { StudyDate, "0009,xx01,GEMS_IDEN_01" }
		target "t" { type = folder path = "t" }
		rule "new" { match = "tags.StudyDate > '2000' and tags[\"0009,xx01,GEMS_IDEN_01\"]" targets = "t" }
	E
	"$BIN/dcmspool-conf" -n -c a.conf
	[ "$("$BIN/getdcmtags" -p -c a.conf "$PYDICOM/CT_small.dcm" | jq -r .StudyDate)" = 20040119 ]
	[ "$("$BIN/getdcmtags" -p "$PYDICOM/CT_small.dcm" | jq -r .StudyDate)" = null ]
	"$BIN/dcmspool-layout" spool
	cp "$PYDICOM/CT_small.dcm" image
	"$BIN/getdcmtags" -c a.conf image 10.0.0.1 CT1 ROUTER
	jq -e '.tags | .StudyDate == "20040119" and .["0009,xx01,GEMS_IDEN_01"] == "GE_GENESIS_FF" and
		.SenderAddress == "10.0.0.1" and .SenderAET == "CT1" and .ReceiverAET == "ROUTER" and
		length == 51' spool/incoming/*/series.json
	jq -e '(has("charset_problem") or has("note")) | not' spool/incoming/*/series.json

	sed -i 's/StudyDate,/StudyDat,/' a.conf
	run -100 "$BIN/dcmspool-conf" -n -c a.conf
	[ "${lines[0]}" = 'a.conf:2: extra_tags: "StudyDat": the standard has no keyword StudyDat; did you mean StudyDate?' ]
	sed -i '/extra_tags/d' a.conf
	run -100 "$BIN/dcmspool-conf" -n -c a.conf
	[[ "${lines[0]}" == *"no such tag 'StudyDate'; add it to extra_tags" ]]
}

@test "text that cannot be converted and a meta header that lies are noted, also in series.json" {
	cd "$BATS_TEST_TMPDIR"
	echo 'spool = "spool"' >a.conf
	"$BIN/dcmspool-layout" spool
	"$TOOLS/makestudy" out -S 1 -n 1 -r 8 -c 8 -x ivle -d $'K\xf6pf'
	file=out/SE0001/IM00001.dcm
	# 1.2.840.10008.1.2 with a NUL becomes 1.2.840.10008.1.2.
	sed -i 's/1\.2\.840\.10008\.1\.2\x00/1.2.840.10008.1.5\x00/; s/ISO_IR 100/ISO_IR 999/' "$file"
	run -0 "$BIN/getdcmtags" -p "$file"
	jq -e '.charset_problem' <<<"$output"
	sed -i 's/1\.2\.840\.10008\.1\.5\x00/1.2.840.10008.1.2\x00/' "$file"
	"$BIN/getdcmtags" -c a.conf "$file" 10.0.0.1 CT1 ROUTER
	jq -e '.charset_problem and (.tags | has("charset_problem") | not)' spool/incoming/*/series.json
	rm -r spool/incoming/*
	"$TOOLS/makestudy" out -S 1 -n 1 -r 8 -c 8 -M -x evbe
	{ head -c 128 /dev/zero; printf 'DICM\2\0\0\0UL\4\0\32\0\0\0\2\0\20\0UI\22\0%s\0' 1.2.840.10008.1.2
		cat "$file"; } >lies
	run -0 "$BIN/getdcmtags" -p lies
	[ "$(jq -r .note <<<"$output")" = "TransferSyntaxUID is wrong: the data set is explicit big endian" ]
	"$BIN/getdcmtags" -c a.conf lies 10.0.0.1 CT1 ROUTER
	jq -e '.note' spool/incoming/*/series.json
}

@test "getdcmtags reads standard input, also from a pipe" {
	run -0 "$BIN/getdcmtags" -p "$PYDICOM/CT_small.dcm"
	direct=$output
	[ "$(head -c -0 "$PYDICOM/CT_small.dcm" | "$BIN/getdcmtags" -p -)" = "$direct" ]
	[ "$("$BIN/getdcmtags" -p - <"$PYDICOM/CT_small.dcm")" = "$direct" ]
}

@test "getdcmtags names a bad file, the offset and the reason, and goes on with the next" {
	echo "this is not DICOM" >"$BATS_TEST_TMPDIR/text"
	run -100 --separate-stderr "$BIN/getdcmtags" -p "$BATS_TEST_TMPDIR/text" /nowhere "$PYDICOM/CT_small.dcm"
	[ "$(jq -r .Modality <<<"$output")" = CT ]
	# shellcheck disable=SC2154 # bats sets it
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ "${stderr_lines[0]}" == *"unable to read $BATS_TEST_TMPDIR/text: offset 0: not DICOM"* ]]
	[[ "${stderr_lines[1]}" == *"unable to open /nowhere: "* ]]
}

@test "getdcmtags -k tells a whole file from one that was cut" {
	run -0 "$BIN/getdcmtags" -k "$PYDICOM/CT_small.dcm" "$PYDICOM/JPEG2000.dcm" "$PYDICOM/image_dfl.dcm"
	[ -z "$output" ]
	for name in CT_small.dcm JPEG2000.dcm image_dfl.dcm; do
		head -c -200 "$PYDICOM/$name" >"$BATS_TEST_TMPDIR/cut"
		run -100 "$BIN/getdcmtags" -k "$BATS_TEST_TMPDIR/cut"
		[[ "$output" == *"unable to check $BATS_TEST_TMPDIR/cut: offset "* ]]
	done
}

@test "getdcmtags reads no pixel data, nor big values before the tags wanted" {
	# Group 0009 of 1 GB, a hole: only its beginning and its end are read.
	printf '\10\0\140\0CS\2\0CT\11\0\1\20OB\0\0\0\0\0\100' >"$BATS_TEST_TMPDIR/big"
	truncate -s $((22 + 0x40000000)) "$BATS_TEST_TMPDIR/big"
	printf '\20\0\40\0LO\4\0ID42\340\177\20\0OW\0\0\0\0\0\20' >>"$BATS_TEST_TMPDIR/big"
	truncate -s +$((0x10000000)) "$BATS_TEST_TMPDIR/big"
	# The leak check of a sanitized build cannot run under strace.
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=pread64,read -P "$BATS_TEST_TMPDIR/big" -o "$BATS_TEST_TMPDIR/trace" \
		"$BIN/getdcmtags" -p "$BATS_TEST_TMPDIR/big" >"$BATS_TEST_TMPDIR/out"
	[ "$(jq -r .PatientID "$BATS_TEST_TMPDIR/out")" = ID42 ]
	[ "$(grep -c pread64 "$BATS_TEST_TMPDIR/trace")" -le 4 ]
}

@test "the same values as dcmdump, for all test files of pydicom" {
	find "$PYDICOM" -type f | sort | python3 "$BATS_TEST_DIRNAME/dcmdump_diff.py" "$BIN/getdcmtags"
}

@test "corpus: the same values as dcmdump" {
	[ -d "$CORPUS" ] || skip "the corpus is not here"
	# Not those made of UIDs with control characters, which dcmdump prints without these.
	find "$CORPUS" -type f -name '*.dcm' ! -path '*/synth/nasty/uid-*' -size -20M | sort |
		python3 "$BATS_TEST_DIRNAME/dcmdump_diff.py" "$BIN/getdcmtags"
}

@test "corpus: every expected value" {
	[ -f "$CORPUS/EXPECTED.tsv" ] || skip "the corpus is not here"
	tail -n +2 "$CORPUS/EXPECTED.tsv" | cut -f1 | sort -u | while read -r path; do
		"$BIN/getdcmtags" -p "$CORPUS/$path" |
			jq -r --arg path "$path" 'to_entries[] | [$path, .key, (.value | tojson)] | @tsv'
	done | sort >"$BATS_TEST_TMPDIR/got"
	# Values are compared without the spaces at their end, and as jq writes them.
	tail -n +2 "$CORPUS/EXPECTED.tsv" |
		jq -rR 'split("\t") | [.[0], .[1], (.[2] | fromjson | sub(" +$"; "") | tojson)] | @tsv' |
		sort >"$BATS_TEST_TMPDIR/expected"
	[ -s "$BATS_TEST_TMPDIR/expected" ]
	[ -z "$(comm -23 "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/got")" ]
}

@test "corpus: nasty files end in valid JSON or in one line" {
	[ -d "$CORPUS/synth/nasty" ] || skip "the corpus is not here"
	wanted=(-t "Rows,RequestAttributesSequence[0].ScheduledProcedureStepID,0009,xx01,GEMS_IDEN_01")
	for file in "$CORPUS"/synth/nasty/*.dcm "$CORPUS"/synth/charset/bad-*.dcm; do
		status=0
		# 64 MB; a sanitized build needs terabytes of address space
		(
			grep -q __asan_init "$BIN/getdcmtags" || ulimit -v 65536
			exec timeout 5 "$BIN/getdcmtags" -p "${wanted[@]}" "$file"
		) >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
		case $status in
		0) jq -e length "$BATS_TEST_TMPDIR/out" && iconv -f UTF-8 -t UTF-16 "$BATS_TEST_TMPDIR/out" >/dev/null ;;
		100) [ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -eq 1 ] && grep -q "$file: offset " "$BATS_TEST_TMPDIR/err" ;;
		*) false ;;
		esac || { echo "$file: $status"; cat "$BATS_TEST_TMPDIR/err"; return 1; }
		timeout 5 "$BIN/getdcmtags" -k "$file" || [ $? -eq 100 ]
	done
}
