# Names and values from the network are hostile: nothing is executed, nothing leaves the spool and the
# target, each acknowledged image is routed or in error/ with a reason, and the next study goes through.

bats_require_minimum_version 1.5.0
load ../helper
load ../router

teardown() {
	stop_all
	show_state || true
}

# start_besieged [LINE...]: the router, in a directory of which we know what is in it
start_besieged() {
	TIMEOUT=3s
	make_router "$@"
	mkdir "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/made"
	cd "$BATS_TEST_TMPDIR/work"
	start_all
	# the pids that must be there at the end, too
	survivors=("$pid_receiver" "$pid_router1" "$pid_dispatcher1")
	acknowledged=0
	: >"$BATS_TEST_TMPDIR/raw"
	outside >"$BATS_TEST_TMPDIR/before"
}

# Everything that is not in the spool, the targets, or made by the test itself.
outside() {
	find "$BATS_TEST_TMPDIR" \( -path "$SPOOL" -o -path "$BATS_TEST_TMPDIR/archive" -o \
		-path "$BATS_TEST_TMPDIR/made" -o -path "$BATS_TEST_TMPDIR/normal" \) -prune -o \
		! -name before ! -name after ! -name '*.log' -print0 | sort -z | cat -v
	find "$SPOOL" -mindepth 1 -maxdepth 1 ! -name .idle ! -name .places -printf '%f\n' | sort # its own directories; these come with the first
}

small() { study "$BATS_TEST_TMPDIR/made/$1" -r 16 -c 16 "${@:2}"; }

# raw [OPTION...] FILE...: counts what is acknowledged; how it ends does not matter
raw() {
	local events
	events=$(timeout 30 "$TOOLS/rawsend" 127.0.0.1 "$PORT" "$@" 2>&1) || true
	printf '%s\n' "$events" | tee -a "$BATS_TEST_TMPDIR/raw"
	acknowledged=$((acknowledged + $(grep -c ' 0000$' <<<"$events" || true)))
}

quarantined() {
	find "$SPOOL/error" -mindepth 2 ! -name reason.txt ! -name .told ! -name '*.json' ! -name sent.log \
		-type f -printf . | wc -c
}
in_archive() { find "$BATS_TEST_TMPDIR/archive" -type f -printf . 2>/dev/null | wc -c; }
there_are() { [ "$(in_archive)" -eq "$1" ]; }
all_there() { [ $(($(in_archive) + $(quarantined))) -ge "$acknowledged" ]; }

# survived [UNACKNOWLEDGED]: nothing is lost, executed or outside; a normal study goes through. So many
# images that were not acknowledged may be in error/ all the same.
survived() {
	local pid d before
	wait_for all_there
	wait_for at_rest
	echo "acknowledged $acknowledged, in the archive $(in_archive), in error $(quarantined)"
	[ $(($(in_archive) + $(quarantined))) -le $((acknowledged + ${1:-0})) ]
	for d in "$SPOOL"/error/*/; do
		[ ! -d "$d" ] || test -s "$d/reason.txt"
	done
	outside >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	[ -z "$(find "$BATS_TEST_TMPDIR" -name 'MARK*')" ]
	for pid in "${survivors[@]}"; do kill -0 "$pid"; done
	before=$(in_archive)
	study "$BATS_TEST_TMPDIR/normal" -s 2 -n 3 -r 16 -c 16
	send "$BATS_TEST_TMPDIR/normal"
	wait_for there_are $((before + 6))
	wait_for at_rest
}

titles=("a\`touch MARK\`" 'a";touch MARK;"' '$(touch MARK)' '|touch MARK' "';touch MARK;'" '../../x' '/etc'
	'a\nb' '\x01\x7f\x00' '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' '%s%n%d' '~' '*'
	'-rf' '.' '..' 'a\\b' '<script>' '{PatientID}')

@test "AE titles: in the shell's, the file system's and JSON's own tongues, as part of the target's path" {
	local title file
	start_besieged 'target "archive" { type = folder path = "archive" layout = "{SenderAET}/{ReceiverAET}/{SOPInstanceUID}.dcm" }' \
		'rule "all" { match = "tags.SenderAET != '"'nobody'"' or '"'a'"' in tags.ReceiverAET" targets = { "archive" } }'
	small ae -n 1
	for title in "${titles[@]}"; do
		small ae -n 1
		file=$(find "$BATS_TEST_TMPDIR/made/ae" -name '*.dcm')
		raw -a "$title" -c "$title" "$file"
	done
	[ "$acknowledged" -eq ${#titles[@]} ]
	for title in '' '   ' '\x00a'; do raw -a "$title" "$file"; raw -c "$title" "$file"; done
	survived
	[ "$(in_archive)" -eq $((acknowledged + 6)) ]
	cat "$SPOOL"/journal/*.jsonl | jq -es 'length > 0' >"$BATS_TEST_TMPDIR/journal.log"
}

# Values for UIDs and the like. NUL cannot be an argument: see below.
values() {
	values=('../../etc' '/etc/passwd' '..' '.' '.hidden' '-rf' '--' '' ' ' '*' '~' '~root' $'new\nline' $'\r\t\e[2J'
		"\`touch MARK\`" '$(touch MARK)' '";touch MARK;"' '|touch MARK' 'series.json' 'job.json' 'success' 'incoming'
		'.complete' '.assoc.unknown' 'reason' '%s%n' $'\xff\xfe' 'a/b' 'a\b' '1.2.3.dcm' '1.2.3~2'
		"$(printf '1%.0s' {1..64})" "$(printf '1%.0s' {1..65})" "$(printf '1.%.0s' {1..2500})"
		"$(printf '../%.0s' {1..80})etc/MARK")
}

@test "SeriesInstanceUIDs" {
	local value n=0
	start_besieged
	values
	for value in "${values[@]}"; do
		n=$((n + 1))
		small "series$n" -n 1 -u "$value"
		raw "$BATS_TEST_TMPDIR/made/series$n"/*/*.dcm
	done
	[ "$acknowledged" -eq ${#values[@]} ]
	survived
	[ "$(in_archive)" -ge 10 ]
	[ "$(quarantined)" -ge 20 ]
}

@test "SOPInstanceUIDs, in the data set and in the command" {
	local value n=0
	start_besieged
	values
	for value in "${values[@]}"; do
		n=$((n + 1))
		small "sop$n" -n 1 -o "$value"
		raw "$BATS_TEST_TMPDIR/made/sop$n"/*/*.dcm
		raw -q 1.2.840.10008.5.1.4.1.1.2 -i 1.2.3.4 "$BATS_TEST_TMPDIR/made/sop$n"/*/*.dcm
		small "command$n" -n 1
		raw -i "$value" "$BATS_TEST_TMPDIR/made/command$n"/*/*.dcm
	done
	[ "$acknowledged" -ge $((2 * ${#values[@]})) ]
	# The same bytes come twice; storescp acknowledges them, and the second is dropped as a duplicate.
	acknowledged=$((acknowledged - $(journal duplicate | wc -l)))
	survived
}

@test "StudyInstanceUIDs and PatientIDs in the layout of a folder stay in the target" {
	local value n=0
	start_besieged 'target "archive" { type = folder path = "archive" layout = "{PatientID}/{StudyInstanceUID}/{SOPInstanceUID}.dcm" }' \
		'rule "all" { match = "True" targets = { "archive" } }'
	values
	for value in "${values[@]}"; do
		n=$((n + 1))
		small "both$n" -n 1 -i "$value" -y "$value"
		raw "$BATS_TEST_TMPDIR/made/both$n"/*/*.dcm
	done
	[ "$acknowledged" -eq ${#values[@]} ]
	survived
	[ "$(in_archive)" -eq $((acknowledged + 6)) ]
	[ "$(quarantined)" -eq 0 ]
}

@test "NUL inside a UID, and UIDs that are missing" {
	local file uid
	start_besieged
	for uid in u o; do
		small "nul$uid" -n 1 "-$uid" 1.2.3.4567890
		file=$(find "$BATS_TEST_TMPDIR/made/nul$uid" -name '*.dcm')
		LC_ALL=C sed -i 's/1\.2\.3\.4567890/1.2.3.4\x00..\/90/g' "$file"
		raw -q 1.2.840.10008.5.1.4.1.1.2 -i "1.2.3.4$uid" "$file"
		small "missing$uid" -n 1 "-$uid" 1.2.3.4567890
	done
	# the tags (0020,000E) and (0008,0018) become others
	file=$(find "$BATS_TEST_TMPDIR/made/missingu" -name '*.dcm')
	LC_ALL=C sed -i 's/\x20\x00\x0e\x00UI/\x20\x00\x0f\x00UI/' "$file"
	raw -i 1.2.3.4.3 "$file"
	file=$(find "$BATS_TEST_TMPDIR/made/missingo" -name '*.dcm')
	LC_ALL=C sed -i 's/\x08\x00\x18\x00UI/\x08\x00\x19\x00UI/' "$file"
	raw -i 1.2.3.4.4 "$file"
	[ "$acknowledged" -eq 4 ]
	survived
	[ "$(quarantined)" -ge 2 ]
}

@test "garbage, half requests, claimed lengths, 128 contexts" {
	local length
	start_besieged
	small image -n 1
	raw -G
	for length in 0 1 67 68 200 65536 16777216 2147483647 4294967295; do
		raw -T 8 -L "$length"
	done
	raw -P 128 "$BATS_TEST_TMPDIR"/made/image/*/*.dcm
	[ "$acknowledged" -eq 1 ]
	head -c 100000 /dev/urandom >"/dev/tcp/127.0.0.1/$PORT" 2>/dev/null || true
	printf 'GET / HTTP/1.0\r\n\r\n' >"/dev/tcp/127.0.0.1/$PORT" || true
	mkfifo "$BATS_TEST_TMPDIR/made/stay" # so that they hang, see stay_connected
	start half "$TOOLS/rawsend" 127.0.0.1 "$PORT" -H half <>"$BATS_TEST_TMPDIR/made/stay"
	start connect "$TOOLS/rawsend" 127.0.0.1 "$PORT" -H connect <>"$BATS_TEST_TMPDIR/made/stay"
	survived
}

@test "a connection that breaks in the middle of an image: those before are routed" {
	local reset
	start_besieged
	for reset in '' -R; do
		small "cut$reset" -n 5 -r 256 -c 256
		# shellcheck disable=SC2086 # nothing, or an option
		raw $reset -D 4 "$BATS_TEST_TMPDIR/made/cut$reset"/*/*.dcm
		small "after$reset" -n 5
		# shellcheck disable=SC2086
		raw $reset -A 2 "$BATS_TEST_TMPDIR/made/after$reset"/*/*.dcm
	done
	[ "$acknowledged" -eq 10 ]
	survived 2
	[ "$(in_archive)" -eq 16 ]
}

@test "data sets that are cut short, in the sender already: in error/ with a reason, or as they came" {
	start_besieged
	small short -n 5
	raw -C 100 "$BATS_TEST_TMPDIR"/made/short/*/*.dcm
	[ "$acknowledged" -eq 5 ]
	survived
}

@test "all of the collection of nasty files, by the network and by hand" {
	local nasty=$TOP/../shared/corpus/synth/nasty file n=0
	[ -d "$nasty" ] || skip "the collection is not here"
	start_besieged
	for file in "$nasty"/*; do
		n=$((n + 1))
		raw -T 5 -i "2.25.77.$n" -q 1.2.840.10008.5.1.4.1.1.7 "$file"
	done
	[ "$acknowledged" -ge 50 ]
	acknowledged=$((acknowledged - $(journal duplicate | wc -l)))
	survived
	cp -r "$nasty" "$SPOOL/incoming/"
	wait_for at_rest
	n=$(find "$nasty" -type f | wc -l)
	[ $(($(in_archive) + $(quarantined))) -ge "$n" ]
	for pid in "${survivors[@]}"; do kill -0 "$pid"; done
}

@test "tags that are full of control characters, a megabyte of them in JSON: that series and its study go out" {
	start_besieged
	small normal -s 1 -n 1 -y 1.2.3
	small huge -s 1 -n 1 -y 1.2.3 -S 2
	/usr/bin/python3 - "$BATS_TEST_TMPDIR"/made/huge/*/*.dcm <<-'END'
		import sys
		from pydicom import config, dcmread
		config.settings.writing_validation_mode = config.IGNORE
		image = dcmread(sys.argv[1])
		for keyword in 'ImageComments', 'PatientComments', 'StudyDescription', 'SeriesDescription':
		    setattr(image, keyword, '\x01' * 65000)
		image.save_as(sys.argv[1])
	END
	raw "$BATS_TEST_TMPDIR"/made/huge/*/*.dcm
	raw "$BATS_TEST_TMPDIR"/made/normal/*/*.dcm
	[ "$acknowledged" -eq 2 ]
	wait_for there_are 2
	[ "$(find "$SPOOL/success" -name series.json -size +1M | wc -l)" -eq 1 ]
	survived
}
