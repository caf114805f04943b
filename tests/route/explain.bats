# dcmspool explain and what-if: why a series goes where it goes, and where it would go.

load ../helper
load ../router

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export LC_ALL=C.UTF-8
}

teardown() {
	stop_all
	[ -z "${SPOOL-}" ] || show_state || true
}

# conf LINE...: dcmspool.conf with two targets and these rules
conf() {
	{
		echo 'spool = "spool"'
		echo 'target "pacs" { type = folder path = "a" }'
		echo 'target "archive" { type = folder path = "b" }'
		printf '%s\n' "$@"
	} >dcmspool.conf
}

# explains STATUS ARGUMENT...: its output is in $output
explains() {
	local expected=$1
	shift
	run "$BIN/dcmspool-explain" -c dcmspool.conf "$@"
	echo "$output"
	[ "$status" -eq "$expected" ]
}

# shows TEXT: these lines are in the output, one behind the other
shows() { [[ $'\n'$output$'\n' == *$'\n'"$1"$'\n'* ]] || { echo "expected:"; echo "$1"; return 1; }; }

what_if() {
	local expected=$1
	shift
	run "$BIN/dcmspool-what-if" "$@"
	echo "$output"
	[ "$status" -eq "$expected" ]
}

# job DIRECTORY TARGETS RULES [NAME=VALUE...]: a job as the router leaves it, of the images in study/
job() {
	mkdir -p "$1"
	find study -name '*.dcm' -exec cp {} "$1/" \;
	jq -n --arg t "$2" --arg r "$3" '{job: "x", time: "20260101T000000.000000Z", images: 3,
		rules: ($r | split(" ")), targets: ($t | split(" "))}' >"$1/plan.json"
	echo '{"tags": {"SenderAET": "CT1", "SenderAddress": "10.0.0.7", "ReceiverAET": "ROUTER"}}' \
		>"$1/series.json"
}

@test "explain: each sub-expression with its value" {
	study study -S 1 -n 3 -m MR -d "Kopf CINE"
	conf 'rule "thin" { match = "tags.Modality == '"'MR'"' and float(tags.SliceThickness) < 1"' \
		'targets = { "pacs" } }' \
		'rule "cine" { match = "'"'CINE'"' in tags.SeriesDescription or 1 / 0"' \
		'targets = { "archive", "pacs" } priority = urgent }'
	explains 0 study
	shows "  rule thin: does not apply
    False  tags.Modality == 'MR' and float(tags.SliceThickness) < 1
    True     tags.Modality == 'MR'
               tags.Modality = 'MR'
    False    float(tags.SliceThickness) < 1
               float(tags.SliceThickness) = 1.0
                 tags.SliceThickness = '1.0'
  rule cine: applies -> archive, pacs (urgent)
    True   'CINE' in tags.SeriesDescription or 1 / 0
    True     'CINE' in tags.SeriesDescription
               tags.SeriesDescription = 'Kopf CINE'
    -        1 / 0
  => archive (urgent), pacs (urgent)"
}

@test "explain: a rule that fails, one that discards, those that are not asked" {
	study study -S 1 -n 1 -m MR
	conf 'rule "off" { match = "True" disabled = true targets = { "pacs" } }' \
		'rule "fails" { match = "not float(tags.StationName)" targets = { "pacs" } }' \
		'rule "away" { match = "True" action = discard }' \
		'rule "late" { match = "True" targets = { "pacs" } }' \
		'rule "rest" { match = "True" targets = { "pacs" } fallback = true }'
	explains 1 study
	shows "  rule off: not asked: it is disabled
  rule fails: fails, so it does not apply
    fails  not float(tags.StationName)
    fails    float(tags.StationName): ValueError: could not convert string to
                 float: ''
               tags.StationName = ''
  rule away: applies and discards
    True   True
  rule late: not asked: rule away discards
  rule rest (fallback): not asked: rule away discards
  => discard, because of rule away"
	sed -i '/"away"/d' dcmspool.conf
	explains 0 study
	shows "  rule rest (fallback): not asked: it is a fallback, and rule late applies
  => pacs"
	sed -i '/"late"/d' dcmspool.conf
	explains 0 study
	shows "  rule rest (fallback): applies -> pacs
    True   True
  => pacs"
	sed -i '/"rest"/d' dcmspool.conf
	explains 1 study
	shows "  => discard, because no rule applies"
}

@test "explain: the image that counts, by InstanceNumber; on = any names the one that made it apply" {
	study study -S 1 -n 3
	mkdir dir
	mv study/SE0001/IM00001.dcm dir/c.dcm
	mv study/SE0001/IM00002.dcm dir/b.dcm
	mv study/SE0001/IM00003.dcm dir/a.dcm
	conf 'rule "first" { match = "tags.InstanceNumber == '"'1'"'" targets = { "pacs" } }' \
		'rule "second" { match = "int(tags.InstanceNumber) == 2" on = any targets = { "archive" } }' \
		'rule "never" { match = "int(tags.InstanceNumber) == 9" on = any targets = { "archive" } }'
	explains 0 dir
	[[ $output == *"first image c.dcm, InstanceNumber '1'"* ]]
	shows "  rule second (any image): applies -> archive
    because of image b.dcm:
    True   int(tags.InstanceNumber) == 2
             int(tags.InstanceNumber) = 2
               tags.InstanceNumber = '2'"
	[[ $output == *"rule never (any image): does not apply"* ]]
	shows "  => pacs, archive"
	shows "    for no image; the last is a.dcm:"
	explains 1 dir/a.dcm
	[[ $output == "dir/a.dcm"$'\n'"  a file, 1 image, "*"rule first: does not apply"* ]]
}

@test "explain: a long chain: the operand that decided, and no tag twice" {
	study study -S 1 -n 1 -m MR
	conf "rule \"r\" { match = \"$(printf "tags.Modality == '%s' or " {1..30})tags.Modality == 'MR' or 1\"" \
		'targets = { "pacs" } }'
	explains 0 study
	shows "    False    tags.Modality == '1'
               tags.Modality = 'MR'
    False    tags.Modality == '2'"
	shows "    False    tags.Modality == '11'
             ... 19 more
    True     tags.Modality == 'MR'
    -        ... 1 more
  => pacs"
}

@test "explain: expressions with line breaks, comments, umlauts" {
	study study -S 1 -n 1 -d 'Schädel'
	conf 'rule "r" { match = "' "  ('Schä' # the head" '     in tags.SeriesDescription' \
		')	and   ''ü'' != tags [ '"'Modality'"' ]"' 'targets = { "pacs" } }'
	sed -i "s/ü/'ü'/" dcmspool.conf
	explains 0 study
	shows "    True   ('Schä' in tags.SeriesDescription) and 'ü' != tags ['Modality']
    True     ('Schä' in tags.SeriesDescription)
               tags.SeriesDescription = 'Schädel'
    True     'ü' != tags ['Modality']
               tags ['Modality'] = 'CT'"
	LC_ALL=C explains 0 study
	[[ $output == *"tags.SeriesDescription = 'Sch\\xc3\\xa4del'"* ]]
}

@test "explain: hostile values can do nothing to a terminal, and large ones are cut" {
	local long
	long=$(printf 'x%.0s' {1..10000})
	study study -S 1 -n 1 -d $'\e]0;title\a\e[2J\xe2\x80\xae\xff'
	conf 'rule "r" { match = "tags.SeriesDescription == '"'$long'"' * 1" targets = { "pacs" } }'
	explains 1 study
	[[ $output == *"tags.SeriesDescription = "*'\x1b]0;title\x07\x1b[2J'* ]]
	[[ $output == *"(10000 characters)"* ]]
	[ -z "$(printf %s "$output" | LC_ALL=C tr -d '\n\40-\176\200-\377')" ]
	[[ $output == *"\\u202e"* && $output != *$'\u202e'* ]]
	[ "${#output}" -lt 4000 ]
	# the name of a file as well
	mkdir evil
	mv study/SE0001/IM00001.dcm $'evil/\e[2J.dcm'
	explains 1 evil
	[[ $output == *'first image \x1b[2J.dcm,'* ]]
}

@test "explain: a directory of several series, and what is no image in it" {
	study study -S 1 -s 2 -n 2
	echo text >study/notes.txt
	echo text >study/.hidden
	ln -s /etc/passwd study/link.dcm
	conf 'rule "r" { match = "True" targets = { "pacs" } }'
	explains 0 study
	[ "$(grep -c '^  => pacs$' <<<"$output")" -eq 2 ]
	[[ $output == *"study/notes.txt: left out, it is no DICOM image: "* ]]
	[[ $output != *hidden* && $output != *link.dcm* ]]
	explains 111 study nothing study/notes.txt
	[[ $output == *"unable to find nothing: no such file, and no such job in "* ]]
	[[ $output == *"unable to read study/notes.txt: it is no DICOM image: "* ]]
}

@test "explain: an empty queue has nothing in it; what else lies in a spool is not told" {
	local name=20261122T140301.123456Z.3f9a1c2b.77d0aa1e file
	conf 'rule "r" { match = "True" targets = { "pacs" } }'
	"$BIN/dcmspool-layout" spool
	explains 0 spool/discard
	[ "$output" = "spool/discard"$'\n'"  nothing in it" ]
	study study -S 1 -n 1
	job "spool/success/$name.pacs" "pacs" r
	mkdir -p spool/receiving/x spool/error/y spool/outgoing/pacs
	for file in journal/2026-11-22.jsonl receiving/x/association.json error/y/reason.txt \
		outgoing/pacs/paused.json; do echo '{}' >"spool/$file"; done
	explains 0 spool
	[ "$(grep -c '^  => pacs$' <<<"$output")" -eq 1 ]
	[[ $output != *"left out"* ]]
	echo text >spool/notes.txt
	explains 0 spool
	[[ $output == *"spool/notes.txt: left out, it is no DICOM image: "* ]]
	mkdir text
	echo text >text/notes.txt
	explains 0 text
	[[ $output == *"text/notes.txt: left out, "* && $output != *"nothing in it"* ]]
}

@test "explain: a file is explained as if it were dropped, and then goes there" {
	make_router 'target "one" { type = folder path = "one" }' \
		"rule \"r\" { match = \"tags.SenderAddress == 'local' and not tags.SenderAET\" targets = { \"one\" } }"
	study dir -S 1 -n 2
	cp dir/SE0001/IM00001.dcm one.dcm
	for path in dir one.dcm; do
		run "$BIN/dcmspool-explain" -c "$CONF" $path
		[ "$status" -eq 0 ]
		shows "  SenderAET '', SenderAddress 'local', ReceiverAET ''"
		[[ $output == *"=> one" ]]
	done
	start_routers 1
	mv one.dcm "$SPOOL/incoming/"
	wait_for has_jobs outgoing/one 1
}

@test "explain: whom to ask about a rule" {
	study study -S 1 -n 1
	conf 'rule "r" { match = "float(tags.StationName)" contact = "Dr. Süß" targets = { "pacs" } }' \
		'rule "off" { match = "True" disabled = true contact = "nobody" targets = { "pacs" } }'
	explains 1 study
	shows "  rule r: fails, so it does not apply
    contact: Dr. Süß
    fails  float(tags.StationName): ValueError: could not convert string to
               float: ''"
	shows "  rule off: not asked: it is disabled
    contact: nobody"
}

@test "explain: a rule that takes too much time for a series fails, and says so" {
	local n
	study study -S 1 -n 1
	mkdir dir
	dcmodify -nb -i "ImageComments=$(printf 'a%.0s' {1..60})" study/SE0001/IM00001.dcm
	for n in {1..300}; do cp study/SE0001/IM00001.dcm dir/$n.dcm; done
	conf 'rule "slow" { match = "search(r'"'(.|.){14}[!?]'"', tags.ImageComments)" on = any targets = { "pacs" } }'
	explains 1 dir
	shows "  rule slow (any image): fails, so it does not apply"
	[[ $output == *"RuntimeError: the rule took more than 2 s for the images of "* ]]
}

@test "explain: a job by its name, wherever it lies; --config tries another configuration" {
	local name=20261122T140301.123456Z.3f9a1c2b.77d0aa1e
	study study -S 1 -n 3
	conf 'rule "r" { match = "tags.SenderAET == '"'CT1'"'" targets = { "pacs" } }'
	"$BIN/dcmspool-layout" spool
	job "spool/outgoing/pacs/$name.urgent" "pacs archive" r
	job "spool/success/$name.archive" "pacs archive" r
	rm spool/outgoing/pacs/$name.urgent/IM00002.dcm # refused, say
	job "spool/discard/$name~2" "" ""
	rm "spool/discard/$name~2/IM00001.dcm"
	find spool | sort >before
	explains 0 $name
	[[ $output == *"/spool/success/$name.archive"$'\n'"  a job, 3 images"* ]]
	shows "  SenderAET 'CT1', SenderAddress '10.0.0.7', ReceiverAET 'ROUTER'"
	[ "$(grep -c '^  also in ' <<<"$output")" -eq 2 ]
	[[ $output == *"also in "*"/spool/outgoing/pacs/$name.urgent"* ]]
	[[ $output == *"also in "*"/spool/discard/$name~2"* ]]
	[[ $output == *"routed to pacs, archive by r on 20260101T000000.000000Z"* ]]
	[[ $output == *"=> pacs" ]]
	explains 0 spool
	[ "$(grep -c '^  a job, ' <<<"$output")" -eq 3 ]
	explains 0 spool/success/$name.archive
	explains 0 spool/success/$name.archive/IM00001.dcm
	[[ $output == *"SenderAET 'CT1'"* ]]
	sed 's/CT1/CT2/' dcmspool.conf >new.conf
	run "$BIN/dcmspool-explain" --config new.conf $name
	[ "$status" -eq 1 ]
	run "$BIN/dcmspool-explain" --config=new.conf $name
	[ "$status" -eq 1 ]
	explains 111 20261122T140301.123456Z
	explains 111 ../etc
	find spool | sort | diff before -
}

@test "explain and what-if: mistakes of usage and configuration" {
	run "$BIN/dcmspool-explain" --config
	[ "$status" -eq 100 ]
	[[ $output == *"option --config needs an argument"*usage:* ]]
	run "$BIN/dcmspool-explain" --confused x
	[ "$status" -eq 100 ]
	[[ $output == *"unknown option --confused"* ]]
	run "$BIN/dcmspool-explain" -c none.conf x
	[ "$status" -eq 100 ]
	conf 'rule "r" { match = "True" targets = { "pacs" } }'
	explains 100
	run "$BIN/dcmspool-what-if" -c dcmspool.conf spool more
	[ "$status" -eq 100 ]
	run "$BIN/dcmspool-what-if" -c dcmspool.conf
	[ "$status" -eq 111 ]
	[[ $output == *"unable to list "*"/spool/success: No such file or directory"* ]]
}

@test "explain: what the router did is what it explains" {
	make_router 'target "one" { type = folder path = "one" }' \
		'target "two" { type = folder path = "two" }' \
		'rule "mr" { match = "tags.Modality == '"'MR'"'" targets = { "one", "two" } }' \
		'rule "us" { match = "tags.Modality == '"'US'"'" targets = { "two" } }'
	study mr -S 1 -n 2 -m MR
	study ct -S 2 -n 2 -m CT
	mv mr ct "$SPOOL/incoming/"
	start_routers 1
	start_dispatchers 1
	wait_for has_jobs success 2
	wait_for has_jobs discard 1
	wait_for at_rest
	run "$BIN/dcmspool-explain" -c "$CONF" "$SPOOL"/success/*
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c '^  => one, two$' <<<"$output")" -eq 2 ]
	[ "$(grep -c '^  routed to one, two by mr on ' <<<"$output")" -eq 2 ]
	run "$BIN/dcmspool-explain" -c "$CONF" "$(the_job discard)"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"discarded: no rule applied on "* ]]
	what_if 0 -c "$CONF"
	[[ $output == *"2 series: 2 unchanged, 0 changed, 0 could not be compared" ]]
	sed -i "s/'MR'/'CT'/; s/'US'/'MR'/" "$CONF"
	what_if 1 --config "$CONF" "$SPOOL"
	shows "  targets: one, two -> two
  rules: mr -> us"
	shows "  targets: discard -> one, two
  rules: none -> mr"
	shows "  before      now    fails  rule
       1        1        0  mr
       0        1        0  us
       1        0        0  (none applies)"
	[[ $output == *"2 series: 0 unchanged, 2 changed, 0 could not be compared" ]]
}

@test "what-if: priorities, other rules, lost images, and series that cannot be compared" {
	local n=20261122T140301.000000Z.3f9a1c2b.0000000
	study study -S 1 -n 3
	conf 'rule "r" { match = "True" targets = { "pacs" } priority = urgent }'
	"$BIN/dcmspool-layout" spool
	job spool/success/${n}1.urgent.pacs "pacs" r
	echo '{"job": "x", "images": 3, "rules": ["old"], "targets": ["pacs"], "priorities": {"pacs": "urgent"}}' \
		>spool/success/${n}1.urgent.pacs/plan.json
	job spool/success/${n}2.pacs "pacs" r
	rm spool/success/${n}2.pacs/IM00003.dcm
	job spool/success/${n}3.pacs "pacs" r
	rm spool/success/${n}3.pacs/plan.json
	job spool/discard/${n}4 "" ""
	rm spool/discard/${n}4/*.dcm
	job spool/success/${n}5.pacs "pacs" r
	echo damaged >spool/success/${n}5.pacs/IM00001.dcm
	job "spool/success/by hand" "pacs" r
	echo '[]' >"spool/success/by hand/plan.json"
	mkdir spool/success/.deleting.x
	find spool | sort >before
	what_if 111 -c dcmspool.conf
	shows "${n}2, 2 of 3 images
  targets: pacs -> pacs (urgent)
  rules: r -> r"
	shows "${n}3
  could not be compared: it has no plan.json, so what was decided is not known"
	shows "${n}4
  could not be compared: there is no image in it"
	shows "${n}5
  could not be compared: IM00001.dcm: this image is damaged"
	shows "by hand
  could not be compared: its plan.json is damaged"
	shows "  before      now    fails  rule
       1        2        0  r
       1        0        0  old
       0        0        0  (none applies)"
	[[ $output == *"6 series: 1 unchanged (1 by other rules), 1 changed, 4 could not be compared" ]]
	find spool | sort | diff before -
}
