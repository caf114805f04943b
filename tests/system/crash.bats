# kill -9 at every state-changing system call of each program in turn, by strace's fault injection, and at
# random moments of everything at once: afterwards every image is where STATES.md says.

load ../helper
load ../router
load crash

# bats test_tags=sweep
@test "router, one target: killed at each call" {
	make_router 'target "archive" { type = folder path = "archive" }' \
		'rule "all" { match = "True" targets = { "archive" } priority = urgent }'
	routed() { no_rest && has_jobs outgoing/archive 1; }
	verify() {
		same_images "$SPOOL/outgoing/archive" &&
			[ "$(find "$SPOOL/outgoing/archive" -name '.*' | wc -l)" -eq 0 ] &&
			named archive .urgent
	}
	LEAST=10 sweep make_batch routed "$BIN/dcmspool-router" -c "$CONF"
}

# bats test_tags=sweep
@test "router, three targets: killed at each call; each target gets the series once" {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'target "c" { type = folder path = "c" }' \
		'rule "1" { match = "True" targets = { "a" } priority = offpeak }' \
		'rule "2" { match = "True" targets = { "b", "c" } }' \
		'rule "3" { match = "True" targets = { "c" } priority = urgent on = any }'
	routed() { no_rest && has_jobs outgoing/a 1 && has_jobs outgoing/b 1 && has_jobs outgoing/c 1; }
	verify() {
		local t
		for t in a b c; do
			same_images "$SPOOL/outgoing/$t" || return 1
		done
		named a .offpeak && named b "" && named c .urgent
	}
	LEAST=20 sweep make_batch routed "$BIN/dcmspool-router" -c "$CONF"
}

# bats test_tags=sweep
@test "router, no rule: killed at each call" {
	make_router 'target "a" { type = folder path = "a" }' 'rule "no" { match = "False" targets = { "a" } }'
	routed() { no_rest && has_jobs discard 1; }
	verify() { same_images "$SPOOL/discard"; }
	LEAST=10 sweep make_batch routed "$BIN/dcmspool-router" -c "$CONF"
}

# bats test_tags=sweep
@test "router, a job moved back by hand: killed at each call; the rules of now, not the old plan" {
	make_router 'target "old" { type = folder path = "old" }' 'target "new" { type = folder path = "new" }' \
		'rule "all" { match = "True" targets = { "old" } }'
	make_batch
	start router "$BIN/dcmspool-router" -c "$CONF"
	wait_for has_jobs outgoing/old 1
	stop "$pid_router"
	cp -r "$SPOOL/outgoing/old" "$BATS_TEST_TMPDIR/kept"
	sed -i 's/targets = { "old" }/targets = { "new" }/' "$CONF"
	put_back() {
		rm -rf "$SPOOL"
		"$BIN/dcmspool-layout" "$SPOOL"
		cp -r "$BATS_TEST_TMPDIR"/kept/2* "$SPOOL/incoming/"
	}
	routed() { no_rest && has_jobs outgoing/new 1; }
	verify() { same_images "$SPOOL/outgoing/new" && [ ! -d "$SPOOL/outgoing/old" ]; }
	LEAST=10 sweep put_back routed "$BIN/dcmspool-router" -c "$CONF"
}

# bats test_tags=sweep
@test "router, a job moved back from two targets: killed at each call; it is one job again" {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
	make_batch
	start router "$BIN/dcmspool-router" -c "$CONF"
	wait_for has_jobs outgoing/a 1
	wait_for has_jobs outgoing/b 1
	stop "$pid_router"
	mkdir "$BATS_TEST_TMPDIR/kept"
	cp -al "$SPOOL"/outgoing/a/2* "$BATS_TEST_TMPDIR/kept/J.a"
	cp -al "$SPOOL"/outgoing/b/2* "$BATS_TEST_TMPDIR/kept/J.b"
	put_back() {
		rm -rf "$SPOOL"
		"$BIN/dcmspool-layout" "$SPOOL"
		cp -al "$BATS_TEST_TMPDIR"/kept/* "$SPOOL/incoming/"
	}
	routed() { no_rest && has_jobs outgoing/a 1 && has_jobs outgoing/b 1; }
	verify() { same_images "$SPOOL/outgoing/a" && same_images "$SPOOL/outgoing/b"; }
	LEAST=20 sweep put_back routed "$BIN/dcmspool-router" -c "$CONF"
}

# bats test_tags=sweep
@test "router, an image that is not whole: killed at each call; it lies in error/, the others are routed" {
	make_router
	make_broken() {
		make_batch
		rm -f "$SPOOL/incoming/1.2.3.4/filed"
		head -c 700 "$(find "$SPOOL/incoming" -name '*.dcm' | head -n 1)" >"$SPOOL/incoming/1.2.3.4/cut.dcm"
	}
	routed() { no_rest && has_jobs outgoing/archive 1; }
	verify() {
		same_images "$SPOOL/outgoing/archive" && [ "$(images_in "$SPOOL/error")" -eq 1 ] &&
			grep -q 'cut.dcm: is not whole' "$SPOOL"/error/*/reason.txt
	}
	LEAST=5 sweep make_broken routed "$BIN/dcmspool-router" -c "$CONF"
}

# A routed job in outgoing/archive.
make_job() {
	make_batch
	start router "$BIN/dcmspool-router" -c "$CONF"
	wait_for has_jobs "outgoing/${TARGET:-archive}" 1
	stop "$pid_router"
}

# bats test_tags=sweep
@test "dispatcher: killed at each call; sent, each image once in the folder" {
	make_router
	sent() { has_jobs success 1 && has_jobs sending/archive 0 && has_jobs outgoing/archive 0; }
	verify() { same_images "$SPOOL/success" && same_images "$BATS_TEST_TMPDIR/archive"; }
	LEAST=3 sweep make_job sent "$BIN/dcmspool-dispatcher" -c "$CONF"
}

# bats test_tags=sweep
@test "dispatcher, a sender that refuses one image: killed at each call; the split loses none" {
	# A sender of our own, as dcmspool-sender(7) allows: refuses the first image.
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$BIN"/* "$BATS_TEST_TMPDIR/bin/"
	ln -s "$TOP/spool-layout" "$BATS_TEST_TMPDIR/spool-layout"
	BIN=$BATS_TEST_TMPDIR/bin
	cat >"$BIN/send-picky" <<-'END'
		#!/bin/sh
		read -r first
		printf 'failed\tA700\t%s\tout of resources\n' "$first"
		while read -r image; do printf 'stored\t0000\t%s\tsuccess\n' "$image"; done
		exit 1
	END
	chmod +x "$BIN/send-picky"
	make_router 'target "picky" { type = picky image_retries = 1 }' \
		'rule "all" { match = "True" targets = { "picky" } }'
	TARGET=picky
	sent() {
		has_jobs success 1 && has_jobs error 1 && has_jobs sending/picky 0 && has_jobs outgoing/picky 0
	}
	verify() {
		mkdir "$BATS_TEST_TMPDIR/all" && cp -r "$SPOOL/success" "$SPOOL/error" "$BATS_TEST_TMPDIR/all/" &&
			same_images "$BATS_TEST_TMPDIR/all" && rm -r "$BATS_TEST_TMPDIR/all" &&
			[ "$(images_in "$SPOOL/error")" -eq 1 ] && grep -q A700 "$SPOOL"/error/*/reason.txt
	}
	LEAST=10 sweep make_job sent "$BIN/dcmspool-dispatcher" -c "$CONF"
}

# Three jobs of one image for a target at which something listens.
make_chain() {
	local n job
	make_batch
	for n in 1 2 3; do
		job=$SPOOL/outgoing/pacs/20261122T14030$n.123456Z.3f9a1c2b.77d0aa1$n
		mkdir -p "$job"
		mv "$(find "$SPOOL/incoming/1.2.3.4" -name '*.dcm' | head -n 1)" "$job/"
		cp "$SPOOL/incoming/1.2.3.4/series.json" "$job/"
		echo '{"job": "'"${job##*/}"'", "target": "pacs", "images": 1}' >"$job/job.json"
	done
	rm -r "$SPOOL/incoming/1.2.3.4"
}

# bats test_tags=sweep
@test "dispatcher, three jobs over one association: killed at each call; all sent" {
	TARGET_PORT=$(free_port)
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $TARGET_PORT aec = \"PACS\" order = none }" \
		'rule "all" { match = "True" targets = { "pacs" } }'
	CALLS+=" sendmsg"
	start fake python3 "$TOP/tests/tools/fakescp.py" "$TARGET_PORT" 0000
	wait_for listens "$TARGET_PORT"
	sent() { has_jobs success 3 && has_jobs sending/pacs 0 && has_jobs outgoing/pacs 0; }
	verify() { same_images "$SPOOL/success" && has_jobs error 0 && [ -z "$(journal retried)" ]; }
	LEAST=10 sweep make_chain sent "$BIN/dcmspool-dispatcher" -c "$CONF"
}

@test "dispatcher, a job that was sent and is moved into its queue again: killed at each call; sent again under its name" {
	make_router
	make_job
	start dispatcher "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for has_jobs success 1
	stop "$pid_dispatcher"
	cp -r "$SPOOL" "$BATS_TEST_TMPDIR/kept"
	put_back() {
		rm -rf "$SPOOL" "$BATS_TEST_TMPDIR/archive"
		cp -r "$BATS_TEST_TMPDIR/kept" "$SPOOL"
		mv "$SPOOL"/success/* "$SPOOL/outgoing/archive/"
	}
	sent() { has_jobs success 1 && has_jobs sending/archive 0 && has_jobs outgoing/archive 0; }
	verify() {
		same_images "$SPOOL/success" && same_images "$BATS_TEST_TMPDIR/archive" &&
			[ "$(the_job success)" = "$(ls "$BATS_TEST_TMPDIR/kept/success")" ]
	}
	LEAST=5 sweep put_back sent "$BIN/dcmspool-dispatcher" -c "$CONF"
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
	accepted
	for i in archive second; do
		"$TOOLS/dicomcmp" -l "$BATS_TEST_TMPDIR/$i" | cut -f1 | sort -u >"$BATS_TEST_TMPDIR/arrived.$i"
		"$TOOLS/dicomcmp" -l "$BATS_TEST_TMPDIR/study" | while IFS=$'\t' read -r sop file; do
			grep -qxF "$(realpath "$file")" "$BATS_TEST_TMPDIR/acknowledged" || continue
			grep -qxF "$sop" "$BATS_TEST_TMPDIR/arrived.$i" || echo "$sop"
		done >"$BATS_TEST_TMPDIR/missing.$i"
		[ ! -s "$BATS_TEST_TMPDIR/missing.$i" ] || { cat "$BATS_TEST_TMPDIR/missing.$i"; false; }
	done
}
