# Which images of a batch are whole: what a power cut has left of them, and what was copied in by hand.

load ../helper
load ../router
load byhand

setup() {
	GRACE=100ms make_router
	small study -n 4 -u 1.2.3.4
	BATCH=$SPOOL/incoming/1.2.3.4
	BOOT=$(head -c 8 /proc/sys/kernel/random/boot_id)
}

nth() { echo "$BATS_TEST_TMPDIR/study/SE0001/IM0000$1.dcm"; }
# name N: of the N-th image in the batch
name() { echo "$("$BIN/getdcmtags" -p "$(nth "$1")" | jq -r .SOPInstanceUID).dcm"; }
# arrive N...: these images are in a batch that is complete
arrive() {
	local n
	for n; do
		cp "$(nth "$n")" "$BATS_TEST_TMPDIR/one.dcm"
		"$BIN/getdcmtags" -c "$CONF" "$BATS_TEST_TMPDIR/one.dcm" 127.0.0.1 CT1 DCMSPOOL
	done
}
complete() { touch "$BATCH/.complete"; }
# filed BOOT NAME...: as getdcmtags notes them
filed() {
	local boot=$1 name
	shift
	for name; do echo "$boot $(stat -c %s "$BATCH/$name") $name"; done >>"$BATCH/filed"
}
in_error() { [ "$(images_in "$SPOOL/error")" -eq "$1" ]; }

@test "after a power cut what was cut off goes to error/, and what is whole is routed" {
	arrive 1 2 3 4
	rm -f "$BATCH/filed"
	filed 00000000 "$(name 1)" "$(name 2)" "$(name 3)"
	filed "$BOOT" "$(name 4)"
	truncate -s 700 "$BATCH/$(name 2)"
	truncate -s 0 "$BATCH/$(name 3)"
	truncate -s -2 "$BATCH/$(name 4)" # a line of now, but not its size
	complete
	start_routers 1
	wait_for has_jobs outgoing/archive 1
	has_images "$SPOOL/outgoing/archive" 1
	cmp "$(nth 1)" "$SPOOL"/outgoing/archive/*/"$(name 1)"
	in_error 3
	[ "$(reasons | grep -c "is not whole: ")" -eq 3 ]
	jq -e '.images == 1' "$SPOOL"/outgoing/archive/*/plan.json
	[ "$(journal quarantined | wc -l)" -eq 3 ]
	[ ! -e "$SPOOL"/outgoing/archive/*/filed ]
}

@test "an image with the size and the boot of its line is believed, and not walked" {
	arrive 1 2
	rm -f "$BATCH/filed"
	truncate -s 700 "$BATCH/$(name 2)"
	filed "$BOOT" "$(name 1)" "$(name 2)"
	complete
	start_routers 1
	wait_for has_jobs outgoing/archive 1
	has_images "$SPOOL/outgoing/archive" 2
	in_error 0
}

@test "a batch without lines, as an older version left it, is walked" {
	arrive 1 2
	rm -f "$BATCH/filed"
	truncate -s 700 "$BATCH/$(name 2)"
	complete
	start_routers 1
	wait_for has_jobs outgoing/archive 1
	has_images "$SPOOL/outgoing/archive" 1
	in_error 1
}

@test "no image is whole: nothing is routed, nothing stays" {
	arrive 1
	truncate -s 700 "$BATCH/$(name 1)"
	complete
	start_routers 1
	wait_for in_error 1
	wait_for at_rest
}

@test "a name whose image is not whole is that of the later one" {
	local other
	arrive 1
	rm -f "$BATCH/filed"
	other=$(name 1)
	cp "$BATCH/$other" "$BATCH/${other%.dcm}~2.dcm"
	cp "$BATCH/$other" "$BATCH/${other%.dcm}~3.dcm"
	truncate -s 700 "$BATCH/$other" "$BATCH/${other%.dcm}~2.dcm"
	complete
	start_routers 1
	wait_for has_jobs outgoing/archive 1
	has_images "$SPOOL/outgoing/archive" 1
	cmp "$(nth 1)" "$SPOOL"/outgoing/archive/*/"$other"
	in_error 2
}

@test "a file copied into a batch by hand is waited for, and checked" {
	arrive 1
	rm -f "$BATCH/filed"
	filed "$BOOT" "$(name 1)"
	start_routers 1 # before the writer, which it would inherit
	exec 5>"$BATCH/IM0002.dcm"
	head -c 700 "$(nth 2)" >&5
	head -c 700 "$(nth 3)" >"$BATCH/IM0003.dcm" # its copy broke off
	complete
	# one of another series goes meanwhile
	small other -n 1
	cp "$(one_file other)" "$SPOOL/incoming/"
	wait_for has_jobs outgoing/archive 1
	[ -e "$BATCH/IM0002.dcm" ]
	tail -c +701 "$(nth 2)" >&5
	exec 5>&-
	wait_for has_jobs outgoing/archive 2
	cmp "$(nth 2)" "$SPOOL"/outgoing/archive/*/IM0002.dcm
	in_error 1
	reasons | grep "IM0003.dcm: is not whole"
}

# bats test_tags=root
@test "a file of another user that may not be read goes to error/ with the remedy" {
	arrive 1 2
	chmod 600 "$BATCH/$(name 2)"
	others "$BATCH/$(name 2)"
	complete
	start_plain_router
	wait_for has_jobs routing 1
	wait_for grep -q 'unable to route routing/.*Permission denied' "$BATS_TEST_TMPDIR/router1.log"
	mkdir "$SPOOL/incoming/.wake"
	wait_for has_jobs outgoing/archive 1
	in_error 1
	reasons | grep 'Permission denied; the user who runs dcmspool must be able to read it'
}
