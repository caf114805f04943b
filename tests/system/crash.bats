# kill -9 at every state-changing system call of each program in turn, by strace's fault injection, and at
# random moments of everything at once: afterwards every image is where STATES.md says.

load ../helper
load ../router

setup() {
	command -v strace >/dev/null || skip "strace is missing"
}

teardown() {
	stop_all
	pkill -KILL -f " $BATS_TEST_TMPDIR/" 2>/dev/null || true
	show_state
}

CALLS='mkdirat mknodat linkat unlinkat renameat renameat2 fsync syncfs'

# killed_at CALL N PROGRAM [ARGUMENT...]: runs it so that it is killed at its Nth call of CALL. Only the
# program itself is traced; its children die with it or not, as in life.
killed_at() {
	local call=$1 n=$2
	shift 2
	start victim strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" "$@"
}

ended() { ! kill -0 "$1" 2>/dev/null; }
ended_or() {
	local pid=$1
	shift
	ended "$pid" || "$@"
}

# finish_victim: returns 0 when the victim was killed by the injection, 1 when it came through.
finish_victim() {
	local status=0
	if ! ended "$pid_victim"; then # it waits for more: strace would only let go of it
		pkill -TERM -P "$pid_victim" || true
		wait "$pid_victim" 2>/dev/null || true
		return 1
	fi
	wait "$pid_victim" 2>/dev/null || status=$?
	[ "$status" -eq 137 ]
}

# sweep RESET DONE PROGRAM...: for each of CALLS and N = 1, 2, 3 ... (1, 4, 7 ... when only sampling): RESET makes the state before; PROGRAM
# runs until it is killed at its Nth such call, or has come through; then it runs undisturbed until DONE;
# then `verify`. There must be at least LEAST kills, or the sweep has not swept.
sweep() {
	local reset=$1 is_done=$2 call n kills=0 step
	shift 2
	step=$(every 3)
	for call in $CALLS; do
		for ((n = 1; n < 100; n += step)); do
			$reset
			killed_at "$call" "$n" "$@"
			wait_for ended_or "$pid_victim" "$is_done"
			finish_victim || break
			kills=$((kills + 1))
			start again "$@"
			wait_for "$is_done" && stop "$pid_again" && verify || { echo "killed at $call $n"; return 1; }
		done
		verify || { echo "came through $call"; return 1; }
	done
	echo "killed $kills times"
	[ "$kills" -ge $((LEAST / step)) ]
}

# One batch of three images, always the same, as getdcmtags makes it.
make_batch() {
	[ -d "$BATS_TEST_TMPDIR/study" ] || study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 32 -c 32 -u 1.2.3.4
	rm -rf "$SPOOL" "$BATS_TEST_TMPDIR/archive"
	"$BIN/dcmspool-layout" "$SPOOL"
	for f in "$BATS_TEST_TMPDIR"/study/SE0001/*; do
		cp "$f" "$BATS_TEST_TMPDIR/one.dcm"
		"$BIN/getdcmtags" -c "$CONF" "$BATS_TEST_TMPDIR/one.dcm" 127.0.0.1 CT1 DCMSPOOL
	done
	touch "$SPOOL/incoming/1.2.3.4/.complete"
}

no_rest() { [ -z "$(ls -A "$SPOOL/incoming")$(ls -A "$SPOOL/routing")$(ls -A "$SPOOL/receiving")" ]; }

# same_images DIRECTORY: it holds the study's images, each once, unchanged, and only regular files.
same_images() { "$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$1"; }

# named TARGET SUFFIX: the target's only job has this priority behind its name, also in job.json.
named() {
	local job
	job=$(the_job "outgoing/$1") && [[ $job =~ \.[0-9a-f]{8}\.[0-9a-f]{8}(.*)$ ]] &&
		[ "${BASH_REMATCH[1]}" = "$2" ] &&
		jq -e --arg job "$job" --arg target "$1" '.job == $job and .target == $target' \
			"$SPOOL/outgoing/$1/$job/job.json" >/dev/null
}

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

# What a dead association leaves behind: three images, of which nobody knows whether they are whole.
make_receiving() {
	[ -d "$BATS_TEST_TMPDIR/study" ] || study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 32 -c 32 -u 1.2.3.4
	rm -rf "$SPOOL"
	"$BIN/dcmspool-layout" "$SPOOL"
	local a=$SPOOL/receiving/20261122T140301.123456Z.1
	mkdir "$a"
	echo '{"association": "20261122T140301.123456Z.1", "peer": "127.0.0.1"}' >"$a/association.json"
	cp "$BATS_TEST_TMPDIR"/study/SE0001/* "$a/"
}

# make_acknowledged: the same, acknowledged; and one more that is whole, but was not
make_acknowledged() {
	make_receiving
	local a=$SPOOL/receiving/20261122T140301.123456Z.1 f
	for f in "$a"/*.dcm; do mv "$f" "$f.ok"; done
	[ -d "$BATS_TEST_TMPDIR/other" ] || study "$BATS_TEST_TMPDIR/other" -s 1 -n 1 -r 32 -c 32 -u 1.2.3.9
	cp "$BATS_TEST_TMPDIR"/other/SE0001/* "$a/CT.X.9"
	echo '{"association": "20261122T140301.123456Z.1", "peer": "127.0.0.1", "ok": true}' >"$a/association.json"
}

# each_has_its_line: `filed` says of every image of the batch that it is whole
each_has_its_line() {
	local f boot
	boot=$(head -c 8 /proc/sys/kernel/random/boot_id)
	for f in "$SPOOL"/incoming/1.2.3.4/*.dcm; do
		grep " ${f##*/}$" "$SPOOL/incoming/1.2.3.4/filed" | tail -n 1 |
			grep -qxF "$boot $(stat -c %s "$f") ${f##*/}" || return 1
	done
}

# bats test_tags=sweep
@test "getdcmtags: killed at each call; every image is filed once" {
	local CALLS="$CALLS write pwrite64 ftruncate" reset
	make_router
	filed() { has_images "$SPOOL/incoming/1.2.3.4" 3; }
	verify() { same_images "$SPOOL/incoming" && each_has_its_line; }
	for reset in make_receiving make_acknowledged; do
		LEAST=10 sweep $reset filed \
			"$BIN/getdcmtags" -c "$CONF" -w receiving/20261122T140301.123456Z.1
	done
}

# bats test_tags=sweep
@test "association recovery: killed at each call; its directory goes, every image is filed once" {
	local CALLS="$CALLS write pwrite64 ftruncate" reset
	make_router
	filed() { has_images "$SPOOL/incoming/1.2.3.4" 3 && [ -z "$(ls -A "$SPOOL/receiving")" ]; }
	verify() {
		same_images "$SPOOL/incoming" && each_has_its_line &&
			! ls "$SPOOL"/incoming/1.2.3.4/.assoc.* 2>/dev/null
	}
	for reset in make_receiving make_acknowledged; do
		LEAST=3 sweep $reset filed \
			"$BIN/dcmspool-association" -c "$CONF" -r 20261122T140301.123456Z.1
	done
}

# in_place_of PROGRAM: one of that name, first in PATH, that is killed as the file `inject` says
in_place_of() {
	local real
	real=$(command -v "$1")
	mkdir -p "$BATS_TEST_TMPDIR/path"
	cat >"$BATS_TEST_TMPDIR/path/$1" <<-END
		#!/bin/sh
		read -r call n <"$BATS_TEST_TMPDIR/inject"
		exec strace -qq -o /dev/null -e "trace=\$call" -e "inject=\$call:signal=SIGKILL:when=\$n" "$real" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/path/$1"
	PATH=$BATS_TEST_TMPDIR/path:$PATH
}

received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }

# They are sent one after the other, so what is filed must be the first of them: as many as were
# acknowledged, or one more, when the answer to it did not get away.
filed_as_acknowledged() {
	local answered filed
	answered=$(grep -c ' 0000$' "$BATS_TEST_TMPDIR/answers")
	filed=$(images_in "$SPOOL/incoming")
	echo "$answered acknowledged, $filed filed"
	[ "$filed" -eq "$answered" ] || [ "$filed" -eq $((answered + 1)) ] || return 1
	[ "$(images_in "$SPOOL/error")" -eq 0 ] || return 1
	[ "$filed" -gt 0 ] || return 0
	rm -rf "$BATS_TEST_TMPDIR/first"
	mkdir "$BATS_TEST_TMPDIR/first"
	find "$BATS_TEST_TMPDIR/study" -name '*.dcm' | sort | head -n "$filed" |
		xargs cp -t "$BATS_TEST_TMPDIR/first"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/first" "$SPOOL/incoming"
}

# bats test_tags=sweep
@test "storescp: killed at each write and rename; what was acknowledged is filed, and nothing half" {
	local call n kills=0
	make_router
	in_place_of storescp
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 64 -c 64 -u 1.2.3.4
	start_receiver
	for call in renameat2 write; do
		for ((n = 1; n < 100; n++)); do
			echo "$call $n" >"$BATS_TEST_TMPDIR/inject"
			"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL "$BATS_TEST_TMPDIR/study"/*/* \
				>"$BATS_TEST_TMPDIR/answers" || true
			wait_for received
			filed_as_acknowledged || { echo "killed at $call $n"; return 1; }
			rm -r "$SPOOL"/incoming/* 2>/dev/null || true
			! grep -q released "$BATS_TEST_TMPDIR/answers" || break
			kills=$((kills + 1))
		done
	done
	echo "killed $kills times"
	[ "$kills" -ge 10 ]
}

# bats test_tags=sweep
@test "something dropped by hand: the router is killed at each call while it takes it" {
	make_router
	make_drop() {
		make_receiving
		mv "$SPOOL"/receiving/* "$SPOOL/incoming/from-a-usb-stick"
		rm "$SPOOL/incoming/from-a-usb-stick/association.json"
	}
	routed() { no_rest && has_jobs outgoing/archive 1; }
	verify() { same_images "$SPOOL/outgoing/archive"; }
	LEAST=5 sweep make_drop routed "$BIN/dcmspool-router" -c "$CONF"
}

# bats test_tags=sweep
@test "loose files dropped by hand: the router is killed at each call while it takes them" {
	make_router
	make_loose() {
		make_receiving
		mv "$SPOOL"/receiving/*/*.dcm "$SPOOL/incoming/"
		rm -r "$SPOOL"/receiving/*
	}
	routed() { no_rest && has_images "$SPOOL/outgoing/archive" 3; }
	verify() { same_images "$SPOOL/outgoing/archive"; }
	LEAST=3 sweep make_loose routed "$BIN/dcmspool-router" -c "$CONF"
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
	for i in archive second; do
		"$TOOLS/dicomcmp" -l "$BATS_TEST_TMPDIR/$i" | cut -f1 | sort -u >"$BATS_TEST_TMPDIR/arrived.$i"
		"$TOOLS/dicomcmp" -l "$BATS_TEST_TMPDIR/study" | while IFS=$'\t' read -r sop file; do
			grep -qxF "$(realpath "$file")" "$BATS_TEST_TMPDIR/acknowledged" || continue
			grep -qxF "$sop" "$BATS_TEST_TMPDIR/arrived.$i" || echo "$sop"
		done >"$BATS_TEST_TMPDIR/missing.$i"
		[ ! -s "$BATS_TEST_TMPDIR/missing.$i" ] || { cat "$BATS_TEST_TMPDIR/missing.$i"; false; }
	done
}
