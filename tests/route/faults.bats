# Every look of the router fails once, for a moment: nothing is forgotten. strace makes a call fail.

load ../helper
load ../router
load byhand

setup() {
	command -v strace >/dev/null || skip "strace is missing"
	GRACE=100ms make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
	template
}

# template: a spool with a batch, a resend, a job that was left in routing/, a drop that was left in receiving/,
# and something that was dropped
template() {
	local n job=20261122T140301.123456Z.3f9a1c2b.77d0aa1e
	small study -s 5 -n 2
	for n in 1 2 3; do
		cp -r "$BATS_TEST_TMPDIR/study/SE000$n" "$SPOOL/incoming/$n"
		echo '{"received": "20261122T140301.123456Z", "tags": {"SeriesInstanceUID": "'$n'"}}' \
			>"$SPOOL/incoming/$n/series.json"
	done
	touch "$SPOOL/incoming/1/.complete"
	echo '{"job": "'$job'"}' >"$SPOOL/incoming/2/job.json"
	mv "$SPOOL/incoming/3" "$SPOOL/routing/$job"
	mkdir "$SPOOL/receiving/20261122T140301.123456Z.1"
	cp "$BATS_TEST_TMPDIR"/study/SE0004/* "$SPOOL/receiving/20261122T140301.123456Z.1/"
	echo '{"association": "20261122T140301.123456Z.1", "peer": "local", "dropped": "x"}' \
		>"$SPOOL/receiving/20261122T140301.123456Z.1/association.json"
	cp -r "$BATS_TEST_TMPDIR/study/SE0005" "$SPOOL/incoming/folder"
	mv "$SPOOL" "$BATS_TEST_TMPDIR/template"
}

# world N: a copy of the template, $WORLD
world() {
	WORLD=$BATS_TEST_TMPDIR/world$1
	mkdir "$WORLD"
	cp -a "$BATS_TEST_TMPDIR/template" "$WORLD/spool"
	sed "s|^spool = .*|spool = \"$WORLD/spool\"|" "$CONF" >"$WORLD/conf"
}

# under_s6 COMMAND...: what exits because of something that may pass is started once more, without the fault
under_s6() {
	local pid status=0
	trap 'kill "$pid"; wait "$pid"; exit 0' TERM
	"$@" &
	pid=$!
	wait "$pid" || status=$?
	case $status in 111 | 127) ;; *) echo "exit $status"; return 1 ;; esac
	"$BIN/dcmspool-router" -c "$WORLD/conf" &
	pid=$!
	wait "$pid"
}

# everything_routed SPOOL: all five series lie in both queues, each image once, and nothing is on its way
everything_routed() {
	[ -z "$(ls -A "$1/incoming")$(ls -A "$1/routing")$(ls -A "$1/receiving")" ] &&
		[ "$(ls "$1/outgoing/a" | wc -l)/$(ls "$1/outgoing/b" | wc -l)" = 5/5 ] &&
		has_images "$1/outgoing/a" 10 && has_images "$1/outgoing/b" 10
}

# faults LINE...: "CALL ERROR N" each, at the same time in worlds of their own
faults() {
	local i=0 call error n left line deadline
	for line; do
		read -r call error n <<<"$line"
		world $((i += 1))
		start "world$i" under_s6 strace -D -qq -o /dev/null -e "trace=$call" \
			-e "inject=$call:error=$error:when=$n" "$BIN/dcmspool-router" -c "$WORLD/conf"
	done
	deadline=$((SECONDS + 35))
	left=$(seq "$i")
	while [ -n "$left" ] && [ "$SECONDS" -lt "$deadline" ]; do
		for i in $left; do
			everything_routed "$BATS_TEST_TMPDIR/world$i/spool" && left=$(grep -vx "$i" <<<"$left") || true
		done
		pause 0.2
	done
	stop_all
	for i in $left; do
		echo "stuck: ${*:i:1}"
		find "$BATS_TEST_TMPDIR/world$i/spool" -mindepth 1 | sort
		cat "$BATS_TEST_TMPDIR/world$i.log"
	done
	rm -rf "$BATS_TEST_TMPDIR"/world*
	[ -z "$left" ]
}

CALLS='openat getdents64 newfstatat fstat flock'

# calls: "CALL N" for each that the router makes in a run without fault, from the opening of the spool on
calls() {
	world 0
	start world0 strace -D -qq -o "$BATS_TEST_TMPDIR/trace" -e "trace=${CALLS// /,}" "$BIN/dcmspool-router" -c "$WORLD/conf"
	wait_for everything_routed "$WORLD/spool"
	stop_all
	rm -r "$WORLD"
	awk -F'(' '{ n[$1]++ } /"receiving"/ { opened = 1 } opened { print $1, n[$1] }' "$BATS_TEST_TMPDIR/trace"
}

@test "a look fails for a moment: within 35 seconds everything is where it belongs" {
	local all lines=() errors=(EMFILE ENOMEM EIO) i
	mapfile -t all < <(calls)
	for ((i = 0; i < 24; i++)); do # a sample, with another error each
		lines+=("${all[i * ${#all[@]} / 24]/ / ${errors[i % 3]} }")
	done
	faults "${lines[@]}"
}

# bats test_tags=torture
@test "each look fails for a moment, with each error" {
	local lines i
	mapfile -t lines < <(calls | awk '{ print $1, "EMFILE", $2; print $1, "ENOMEM", $2; print $1, "EIO", $2 }')
	for ((i = 0; i < ${#lines[@]}; i += 60)); do
		faults "${lines[@]:i:60}" || failed=1
	done
	[ -z "${failed-}" ]
}
