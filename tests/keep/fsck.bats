# dcmspool-fsck: legal spools are accepted, whatever state they are in and whatever a crash has left; each of a
# hundred ways in which they are not legal is found, and named. That what crashes leave is accepted is looked at by
# the sweeps of tests/system/crash*.bats, at each point at which they kill.

load ../helper
load ../router
load trees

teardown() { stop_all; }

@test "twenty-one legal spools, one in each state: nothing is wrong" {
	local tree
	make_parts
	for tree in "${TREES[@]}"; do
		plant "$tree"
		run "$BIN/dcmspool-fsck" -c "$CONF"
		echo "$tree: $output"
		[ "$status" -eq 0 ]
		[[ $output == *": nothing is wrong; looked at "* ]]
		[ "${#lines[@]}" -eq 1 ]
	done
	[ "${#TREES[@]}" -eq 21 ]
}

@test "a hundred mutations of them: each is found and named, with its meaning and remedy" {
	local tree place change n=0 bad=0
	make_parts
	while IFS='|' read -r tree place change; do
		n=$((n + 1))
		SPOOL=$BATS_TEST_TMPDIR/mutated.$n CONF=$BATS_TEST_TMPDIR/mutated.$n.conf
		sed "s|^spool = .*|spool = \"$SPOOL\"|" "$BATS_TEST_TMPDIR/dcmspool.conf" >"$CONF"
		plant "$tree"
		(cd "$SPOOL" && eval "$change") || { echo "$tree: $change failed"; false; }
		printf '%s|%s|%s|%s\n' "$n" "$tree" "$place" "$change" >>"$BATS_TEST_TMPDIR/list"
	done < <(mutations)
	# each waits for its second look
	seq "$n" | xargs -P 20 -I{} sh -c \
		'"$1" -c "$2/mutated.{}.conf" --json >"$2/said.{}" 2>&1; echo $? >"$2/status.{}"' sh "$BIN/dcmspool-fsck" "$BATS_TEST_TMPDIR"
	while IFS='|' read -r n tree place change; do
		[ "$(cat "$BATS_TEST_TMPDIR/status.$n")" -eq 1 ] &&
			jq -e --arg place "$place" '.findings | length > 0 and
				all(.meaning != "" and .remedy != "") and any(.place | test("^" + $place))' \
				"$BATS_TEST_TMPDIR/said.$n" >/dev/null && continue
		echo "$tree, $change: no finding at $place: $(cat "$BATS_TEST_TMPDIR/said.$n")"
		bad=$((bad + 1))
	done <"$BATS_TEST_TMPDIR/list"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/list")" -eq 100 ]
	[ "$bad" -eq 0 ]
}

@test "what only passes is no finding; nothing is changed without --repair" {
	make_parts
	plant stored
	mkdir "$SPOOL/success/$J.archive/odd"
	find "$SPOOL" -printf '%p %T@ %C@ %s\n' | sort >"$BATS_TEST_TMPDIR/before"
	run "$BIN/dcmspool" fsck -c "$CONF"
	[ "$status" -eq 1 ]
	[[ $output == *"success/$J.archive/odd: does not belong here"*"meaning: "*"remedy: "*"findings: 1;"* ]]
	find "$SPOOL" -printf '%p %T@ %C@ %s\n' | sort | diff "$BATS_TEST_TMPDIR/before" -
	start fsck "$BIN/dcmspool-fsck" -c "$CONF"
	wait_for sees_first_look "$pid_fsck"
	rmdir "$SPOOL/success/$J.archive/odd"
	wait "$pid_fsck"
}

is_locked() { ! flock -n "$1" true; }

# sees_first_look PID: it waits for its second look
sees_first_look() { grep -q '^State:.S' "/proc/$1/status"; }

@test "--repair does what the programs do at their start: the dead association is recovered, the journal told" {
	make_parts
	plant open-association
	mkdir "$SPOOL/success/$J.archive"
	cp -r "$PARTS/stored/." "$SPOOL/success/$J.archive/"
	rm -f "$SPOOL/success/$J.archive/.told"
	run "$BIN/dcmspool-fsck" -c "$CONF"
	[ "$status" -eq 0 ]
	[ -e "$SPOOL/receiving/$A" ]
	run "$BIN/dcmspool-fsck" -c "$CONF" --repair
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"repaired: receiving/$A: "*"repaired: success/$J.archive: "*"nothing is wrong"*"repaired: 3"* ]]
	[ ! -e "$SPOOL/receiving/$A" ]
	[ -e "$SPOOL/success/$J.archive/.told" ]
	has_images "$SPOOL/incoming" 1
	[ "$(journal sent | jq -r '[.job, .target, .images, .again] | join(" ")')" = "$J archive 3 true" ]
	# one that is alive is left alone
	plant open-association
	start alive flock "$SPOOL/receiving/$A" sleep 60
	wait_for is_locked "$SPOOL/receiving/$A"
	"$BIN/dcmspool-fsck" -c "$CONF" --repair
	[ -e "$SPOOL/receiving/$A/association.json" ]
}

@test "an image that is cut is found by --images" {
	make_parts
	plant waiting
	local image
	image=$(cd "$SPOOL" && ls outgoing/archive/"$J"/*.dcm | head -n 1)
	truncate -s 900 "$SPOOL/$image"
	"$BIN/dcmspool-fsck" -c "$CONF"
	run "$BIN/dcmspool-fsck" -c "$CONF" --images
	[ "$status" -eq 1 ]
	[[ $output == *"$image: is not whole: "* ]]
}

@test "a spool that runs: nothing is wrong at any moment" {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
	study "$BATS_TEST_TMPDIR/study" -s 8 -n 5 -r 32 -c 32
	start_all
	send "$BATS_TEST_TMPDIR/study" &
	until has_jobs success 16; do "$BIN/dcmspool-fsck" -c "$CONF"; done
	wait $!
	"$BIN/dcmspool-fsck" -c "$CONF"
}
