#!/usr/bin/env bats
# rule_tool.bats: dcmspool rule: one expression and its value, or many and their truth.

load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	rule=$BIN/dcmspool-rule
	echo '{"Modality": "CT", "SliceThickness": "1.5", "Extra": "x"}' >tags.json
	echo '{"received": "x", "tags": {"Modality": "MR", "SenderAET": "SCANNER"}}' >series.json
}

# answer STATUS OUTPUT ARGUMENT...: of the program
answer() {
	local expected_status=$1 expected=$2
	shift 2
	run "$rule" "$@"
	echo "$output"
	[ "$status" -eq "$expected_status" ]
	[ "$output" = "$expected" ]
}

@test "rule: the value as Python writes it, and true or false as the exit status" {
	answer 0 "'CT'" tags.modality tags.json
	answer 0 "['CT', 1.5, None, (1,)]" "[tags.Modality, float(tags.SliceThickness), None, (1,)]" tags.json
	answer 1 "False" "tags.Modality == 'MR'" tags.json
	answer 1 "''" tags.StationName tags.json
	answer 0 "255" -- "-1 + 2 ** 8"
	answer 0 "('MR', 'SCANNER')" "(tags.Modality, tags.SenderAET)" series.json
	answer 0 "True" "search(r'^M', tags.Modality)" series.json
}

@test "rule: JSON on standard input, with names that the standard does not have" {
	run "$rule" "tags.extra" - <tags.json
	[ "$status" -eq 0 ]
	[ "$output" = "'x'" ]
}

@test "rule: a DICOM file, with every tag that it has" {
	"$TOOLS/makestudy" study -S 1 -n 1 -m MR
	local image
	image=$(find "$PWD/study" -name '*.dcm')
	answer 0 "'MR'" tags.Modality "$image"
	answer 0 "True" "int(tags.Rows) > 0 and tags['0028,0010'] == tags.Rows" "$image"
	run "$rule" "tags.NoSuchTag" "$image"
	[ "$status" -eq 100 ]
}

@test "rule: a mistake has line, column and a caret, and exit status 100" {
	run "$rule" "tags.Modality == 'Größe' and
  tags.Modalty" tags.json
	echo "$output"
	[ "$status" -eq 100 ]
	[[ ${lines[0]} == *"line 2, column 8: no such tag 'Modalty'; did you mean Modality?" ]]
	[ "${lines[1]}" = "    tags.Modalty" ]
	[ "${lines[2]}" = "         ^" ]
}

@test "rule: what a mistake quotes can do nothing to a terminal" {
	run "$rule" $'\t\'\e[2J\xe2\x80\xae\' 1' tags.json
	[ "$status" -eq 100 ]
	[ "${lines[1]}" = "   ' [2J?' 1" ]
	[ "${lines[2]}" = "           ^" ]
	run "$rule" $'tags.Modality == \'\xe4\'' tags.json
	[ "$status" -eq 100 ]
	[[ ${lines[0]} == *"line 1, column 19: this is not UTF-8; "* ]]
	printf '{"Modality": "\\u202e\\u200b"}' >strange.json
	answer 0 "'\\u202e\\u200b'" tags.Modality strange.json
}

@test "rule: a directory, a FIFO" {
	mkdir dir
	run "$rule" True dir
	[ "$status" -eq 100 ]
	[[ $output == *"unable to read tags from dir: it is a directory; give one of the images in it" ]]
	mkfifo fifo
	run timeout 10 "$rule" True fifo
	[ "$status" -eq 100 ]
	[[ $output == *"unable to read tags from fifo: it is no regular file; "* ]]
}

@test "rule: an unknown tag: those that are near, of the standard and of the file" {
	run "$rule" "tags.StudyDat"
	[[ $output == *"no such tag 'StudyDat'; did you mean StudyDate?"* ]]
	run "$rule" "tags.Extar" tags.json
	[[ $output == *"no such tag 'Extar'; did you mean Extra?"* ]]
	run "$rule" "tags.Seri"
	[[ $output == *"no such tag 'Seri'; did you mean Series"*", Series"*" or Series"*"?"* ]]
	run "$rule" "tags.Thickness"
	[[ $output == *"no such tag 'Thickness'; did you mean SliceThickness"* ]]
	run "$rule" "tags.Xyzzyxyzzy" tags.json
	[[ ${lines[0]} == *"no such tag 'Xyzzyxyzzy'" ]]
	echo "tags.Modalty" | "$rule" -b - tags.json |
		grep -qx "error: column 6: no such tag 'Modalty'; did you mean Modality?"
}

@test "rule: what Python would raise is a mistake to be mended: exit status 100" {
	run "$rule" "float(tags.StationName)" tags.json
	[ "$status" -eq 100 ]
	[[ $output == *"ValueError: could not convert string to float: ''" ]]
	run "$rule" "tags.SliceThickness < 2" tags.json
	[ "$status" -eq 100 ]
	[[ $output == *"TypeError: '<' not supported between instances of 'str' and 'int'; tags are texts: put them into float()" ]]
}

@test "rule: files that cannot be read, and wrong usage, have exit status 100" {
	echo '{"Rows": 512}' >number.json
	echo '{"Rows"' >broken.json
	echo nothing >neither
	local file
	for file in number.json broken.json neither absent; do
		run "$rule" True "$file"
		echo "$output"
		[ "$status" -eq 100 ]
		[[ $output == *"unable to "*"$file"* ]]
	done
	run "$rule"
	[ "$status" -eq 100 ]
	run "$rule" -x True
	[ "$status" -eq 100 ]
	run "$rule" -b - - </dev/null
	[ "$status" -eq 100 ]
}

@test "rule -b: one line for each line" {
	printf '%s\n' "tags.Modality == 'CT'" "tags.Modality == 'MR'" "1 / 0" "tags.Nonsense" "" \
		"float(tags.SliceThickness) < 2" >rules
	cat >expected <<-END
		true
		false
		error: ZeroDivisionError: division by zero
		error: column 6: no such tag 'Nonsense'
		error: column 1: found the end of the rule, expected a value such as tags.NAME, 'text' or a number
		true
	END
	"$rule" -b rules tags.json | diff - expected
	"$rule" -b - tags.json <rules | diff - expected
	"$rule" -b rules - <tags.json | diff - expected
	printf 'True' | "$rule" -b - tags.json | grep -qx true # without a line end
}
