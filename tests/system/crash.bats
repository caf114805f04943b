# Everything is killed at random moments, while senders send: afterwards every image that was acknowledged has arrived.
# The calls at which a program can be killed are tests/harness/points.

load ../helper
load ../router

teardown() {
	stop_all
	kill_processes
	show_state
}

# acknowledged N: so many images or more; their names in acknowledged
acknowledged() {
	grep ' 0000$' "$BATS_TEST_TMPDIR/senders.log" | cut -d' ' -f1 | sort -u >"$BATS_TEST_TMPDIR/acknowledged"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/acknowledged")" -ge "$1" ]
}

# victims: the pids of what works in the spool, without the supervisors
victims() {
	local pid
	for pid in $(processes); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in dcmspool-* | getdcmtags | send-* | storescp) echo "$pid" ;; esac
	done
}

# bats test_tags=sweep
@test "everything is killed at random moments under s6; no acknowledged image is missing, nothing is stuck" {
	local i victims kills=0
	DISPATCHERS=2
	make_router 'dispatcher { instances = 2 }' \
		'target "a" { type = folder path = "archive" retry_min = 100ms retry_max = 300ms }' \
		'target "b" { type = folder path = "second" max_connections = 2 retry_min = 100ms retry_max = 300ms }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
	sed -i 's/^router {/router { instances = 2 /' "$CONF"
	study "$BATS_TEST_TMPDIR/study" -s 12 -n 25 -r 128 -c 128
	start up "$BIN/dcmspool-up" --root -c "$CONF"
	wait_for listens "$PORT"
	# Twelve senders, three at a time, over and over; each tells which images were acknowledged.
	# shellcheck disable=SC2016 # the inner shell's words
	start senders sh -c 'until [ -e "$1/enough" ]; do ls -d "$1"/study/SE* |
		xargs -P 3 -I{} sh -c "\"$2/rawsend\" 127.0.0.1 $3 -c DCMSPOOL {}/*.dcm; true"; done' \
		sh "$BATS_TEST_TMPDIR" "$TOOLS" "$PORT"
	while [ "$kills" -lt $((120 / $(every 4))) ]; do
		mapfile -t victims < <(victims)
		[ "${#victims[@]}" -gt 0 ] && kill -KILL "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null && kills=$((kills + 1))
		read -r -t "0.0$((RANDOM % 9))" <> <(:) || true
	done
	wait_for acknowledged 100
	touch "$BATS_TEST_TMPDIR/enough"
	wait "$pid_senders"
	acknowledged 100
	wait_for at_rest
	stop "$pid_up"
	"$BIN/dcmspool-fsck" -c "$CONF"
	for i in archive second; do
		"$TOOLS/dicomcmp" -l "$BATS_TEST_TMPDIR/$i" | cut -f1 | sort -u >"$BATS_TEST_TMPDIR/arrived.$i"
		"$TOOLS/dicomcmp" -l "$BATS_TEST_TMPDIR/study" | while IFS=$'\t' read -r sop file; do
			grep -qxF "$(realpath "$file")" "$BATS_TEST_TMPDIR/acknowledged" || continue
			grep -qxF "$sop" "$BATS_TEST_TMPDIR/arrived.$i" || echo "$sop"
		done >"$BATS_TEST_TMPDIR/missing.$i"
		[ ! -s "$BATS_TEST_TMPDIR/missing.$i" ] || { cat "$BATS_TEST_TMPDIR/missing.$i"; false; }
	done
}
