#!/bin/bash
# bench.sh: `make bench`. Measures the router beside bare storescp, on this machine, in one session:
# ROUNDS interleaved rounds, medians, ratios of one and the same round. Prints a table; figures never
# make it fail, lost images do. Ends within six minutes, with fewer rounds on a slow machine. Runs as
# any user, in a directory of its own below TMPDIR (default: the build folder, so on the clone's file
# system), which it removes; needs about 3 GB there for a while. KEEP=1 leaves it.
#
# All times are CLOCK_REALTIME: the shell's own, dcmsend's log, the sink's lines and what the kernel
# notes for a directory can then be subtracted from each other.
# shellcheck disable=SC2154 # $pid_NAME is made by start()
set -u
export LC_ALL=C TCP_NODELAY=1
TOP=$(cd "$(dirname "$0")/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=5}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
IMAGES=1000 SERIES=10 GRACE=1 LIMIT=350
LOAD=$(cut -d' ' -f1 /proc/loadavg)

WORK=$(mktemp -d "${TMPDIR:-$BUILD}/bench.XXXXXX") || exit 111
SPOOL=$WORK/spool

# shellcheck source=tests/bench/bench.bash
. "$TOP/tests/bench/bench.bash"
make_group
trap "clean_up; end_group" EXIT
trap 'exit 130' INT TERM

# ---- the router ------------------------------------------------------------------------------
# new_spool [LINE...]: an empty spool, and $CONF with these lines
new_spool() {
	retire "$SPOOL"
	PORT=$(free_port) CONF=$WORK/dcmspool.conf
	{
		echo "spool = \"$SPOOL\""
		echo "receiver { port = $PORT listen = { \"127.0.0.1\" } min_free = 1 }"
		echo "router { association_grace = ${GRACE}s }"
		printf '%s\n' "$@"
	} >"$CONF"
	"$BIN/dcmspool-layout" "$SPOOL" || die "unable to make a spool"
}

targets() { # COUNT PORT: that many, and a rule for all
	local i names=''
	for ((i = 1; i <= $1; i++)); do
		echo "target \"t$i\" { type = dicom host = \"127.0.0.1\" port = $2 aec = \"SINK\" }"
		names+="\"t$i\", "
	done
	echo "rule \"all\" { match = \"True\" targets = { ${names%, } } }"
}

start_receiver() {
	in_group receiver "$BIN/dcmspool-receiver" -c "$CONF"
	wait_for listens "$PORT"
}

# A program that says "ready" has made its watches.
start_watcher() { # NAME PROGRAM
	in_group "$1" "$BIN/$2" -c "$CONF"
	wait_for grep -qs ready "$WORK/$1.log"
}

is_empty() { [ -z "$(ls -A "$@")" ]; }

# ---- what is measured ------------------------------------------------------------------------
bare() { # HOW
	mkdir "$WORK/bare"
	PORT=$(free_port)
	start storescp storescp --fork +B +xa -dhl -pdu 131072 -od "$WORK/bare" "$PORT"
	wait_for listens "$PORT"
	send "$1" "$PORT"
	count_images "$WORK/bare"
	note "bare.$1" "$IMAGES / $took"
	note "bare.cpu.$1" "$(cpu "$pid_storescp") * 1000 / $IMAGES"
	stop "$pid_storescp"
	retire "$WORK/bare"
}

reception() { # HOW
	local before
	new_spool "$(targets 1 1)"
	start_receiver
	before=$(used_ms)
	send "$1" "$PORT"
	wait_for is_empty "$SPOOL/receiving"
	filed=$(stat -c %.6Y "$SPOOL/receiving")
	count_images "$SPOOL/incoming"
	note "our.$1" "$IMAGES / $took"
	note "our.filed.$1" "$IMAGES / ($filed - $first)"
	note "cpu.$1" "($(used_ms) - $before) / $IMAGES"
	stop "$pid_receiver"
}

is_sent() { # JOBS
	[ "$(find "$SPOOL/success" -mindepth 1 -maxdepth 1 -type d | wc -l)" = "$1" ]
}

end_to_end() { # HOW JOBS
	local sink_first sink_last total before
	SINK=$(free_port)
	new_spool "$(targets 1 "$SINK")"
	start sink "$TOOLS/sink" "$SINK" $IMAGES
	wait_for listens "$SINK"
	start_receiver
	start_watcher router dcmspool-router
	in_group dispatcher "$BIN/dcmspool-dispatcher" -c "$CONF"
	in_group dispatcher2 "$BIN/dcmspool-dispatcher" -c "$CONF"
	before=$(used_ms)
	send "$1" "$PORT"
	wait_for is_sent "$2"
	wait_for is_empty "$SPOOL/receiving"
	read -r sink_first sink_last <"$WORK/sink.out" || die "the sink did not see $IMAGES images"
	total=$(calc "$sink_last - $first")
	note "e2e.$1" "$IMAGES / $total"
	note "e2e.nograce.$1" "$IMAGES / ($total - $GRACE)"
	note "e2e.sink.$1" "$IMAGES / ($sink_last - $sink_first)"
	note "delay.first.$1" "$sink_first - $acknowledged"
	note "delay.$1" "$sink_last - $acknowledged"
	note "delay.nograce.$1" "$sink_last - $acknowledged - $GRACE"
	note "e2e.cpu.$1" "($(used_ms) - $before) / $IMAGES"
	stop "$pid_receiver" "$pid_router" "$pid_dispatcher" "$pid_dispatcher2" "$pid_sink"
}

# A job of 1,000 images, as the router leaves it when no rule applies: $WORK/job/<name>
make_job() {
	new_spool 'target "t1" { type = folder path = "unused" }' \
		'rule "none" { match = "False" targets = { "t1" } }'
	start_receiver
	start_watcher router dcmspool-router
	send one "$PORT"
	wait_for compgen -G "$SPOOL/discard/*" >/dev/null
	wait_for is_empty "$SPOOL/routing"
	mkdir "$WORK/job"
	mv "$SPOOL"/discard/* "$WORK/job/"
	stop "$pid_receiver" "$pid_router"
}

is_queued() { # TARGETS
	local jobs
	jobs=$(find "$SPOOL/outgoing" -mindepth 2 -maxdepth 2 -type d -name '2*' | wc -l)
	[ "$jobs" = "$1" ]
}

io() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$pid_router/io"; } # rchar, wchar ...

fan_out() { # TARGETS
	local began ended before=() key name
	GRACE=0 new_spool "$(targets "$1" 1)" # what a job moved back waits for is not measured here
	mkdir "$WORK/copy"
	cp -al "$WORK"/job/* "$WORK/copy/"
	sync -f "$WORK"
	start_watcher router dcmspool-router
	for key in rchar wchar; do before+=("$(io $key)"); done
	began=$EPOCHREALTIME
	mv "$WORK"/copy/* "$SPOOL/incoming/"
	wait_for is_queued "$1"
	wait_for is_empty "$SPOOL/routing"
	ended=$(stat -c %.6Y "$SPOOL"/outgoing/* "$SPOOL/routing" | sort -g | tail -n 1)
	name=$1
	note "fan.$name" "$ended - $began"
	note "fan.read.$name" "($(io rchar) - ${before[0]}) / 1024"
	note "fan.written.$name" "($(io wchar) - ${before[1]}) / 1024"
	note "fan.cpu.$name" "$(cpu "$pid_router") * 1000"
	[ "$(find "$SPOOL/outgoing" -name '*.dcm' | wc -l)" = $((IMAGES * $1)) ] ||
		die "fan-out to $1 targets is not complete"
	stop "$pid_router"
	rmdir "$WORK/copy"
}

# MB of memory that a process has for itself
private_mb() { # PID...
	local pid
	for pid; do cat "/proc/$pid/smaps_rollup" 2>/dev/null; done |
		awk '/^Private_(Clean|Dirty):/ { kb += $2 } END { printf "%.2f\n", kb / 1024 }'
}

descendants() { # PID...
	local pid
	for pid in $(pgrep -P "$(IFS=, && echo "$*")"); do
		echo "$pid"
		descendants "$pid"
	done
}

list_memory() { # PID...
	local pid
	for pid; do
		[ -r "/proc/$pid/comm" ] && echo "$(private_mb "$pid") $(cat "/proc/$pid/comm")"
	done | sort -k 2 | awk '{ n[$2]++; mb[$2] += $1 } END {
		for (name in n)
			printf "      %-24s %2d x %6.2f MB\n", name, n[name], mb[name] / n[name] }' | sort
}

is_up() {
	listens "$PORT" && pgrep -P "$1" >/dev/null &&
		[ "$(find "$SPOOL/receiving" -mindepth 1 | wc -l)" = 0 ]
}

has_sent() { [ "$(grep -c ' 0000$' "$WORK/sender.out")" = "$1" ]; }

memory() {
	local up idle one images
	new_spool "$(targets 1 1)"
	start up "$BIN/dcmspool-up" --root -c "$CONF"
	wait_for is_up "$pid_up"
	pause 2 # for shells to become the programs that they start, and these to fall asleep
	mapfile -t up < <(descendants "$pid_up")
	note memory.idle "$(private_mb "$pid_up" "${up[@]}")"
	idle=$(list_memory "$pid_up" "${up[@]}")
	mkfifo "$WORK/stay"
	images=("$WORK"/part0/*)
	# shellcheck disable=SC2016 # the inner shell's words
	start sender sh -c 'exec "$@" <>"$0"' "$WORK/stay" \
		"$TOOLS/rawsend" 127.0.0.1 "$PORT" -c DCMSPOOL -H open "${images[@]:0:50}"
	wait_for has_sent 50
	mapfile -t one < <(pgrep -x dcmspool-associ -P "$(IFS=, && echo "${up[*]}")")
	mapfile -t one < <(printf '%s\n' "${one[@]}" && descendants "${one[@]}")
	note memory.association "$(private_mb "${one[@]}")"
	MEMORY="$idle"$'\n    a running association:\n'"$(list_memory "${one[@]}")"
	stop "$pid_sender" "$pid_up"
}

# ---- the story -------------------------------------------------------------------------------
# ratios FIGURE...: to bare reception, of this round
ratios() {
	local name
	for name; do note "ratio.$name" "${last[$name]} / ${last[bare.${name##*.}]}"; done
}

# What is compared is measured close together, and who is first changes.
one_round() { # NUMBER
	local how n
	for how in one four; do
		if [ $(($1 % 2)) = 1 ]; then
			bare $how
			reception $how
		else
			reception $how
			bare $how
		fi
		ratios our.$how our.filed.$how
	done
	bare ten
	end_to_end ten $SERIES
	end_to_end one 1
	for how in ten one; do ratios e2e.$how e2e.nograce.$how e2e.sink.$how; done
	for n in 1 4 16; do fan_out $n; done
}

measure() {
	local took_s=0 began
	memory
	make_job
	while [ $rounds -lt "$ROUNDS" ] && [ $((SECONDS + took_s + 30)) -lt $LIMIT ]; do
		began=$SECONDS
		one_round $((++rounds))
		took_s=$((SECONDS - began))
		echo "bench: round $rounds of $ROUNDS took $took_s s" >&2
	done
}
rounds=0

report() {
	local how n
	cat <<-END
		$IMAGES CT images of 525 KB, $(nproc) processors, Linux $(uname -r), load before: $LOAD
		median of $rounds rounds (lowest .. highest); sender: dcmsend, on this machine
	END
	for how in one four; do
		printf '\nReception, connections at once: %s\n' "$how"
		row "storescp --fork +B, acknowledged" "bare.$how" %8.0f images/s
		row "ours, acknowledged" "our.$how" %8.0f images/s
		row "  ratio" "ratio.our.$how" %8.3f '' '>=' 0.9
		row "ours, filed in incoming/" "our.filed.$how" %8.0f images/s
		row "  ratio" "ratio.our.filed.$how" %8.3f '' '>=' 0.9
		row "processor time, storescp --fork +B" "bare.cpu.$how" %8.2f ms/image
		row "processor time, all of ours" "cpu.$how" %8.2f ms/image
	done
	for how in ten one; do
		if [ $how = ten ]; then
			printf '\nEnd to end, %s series of one study, a connection each, in turn\n' $SERIES
		else
			printf '\nEnd to end, one series, one connection (sent only when complete: %s)\n' \
				'two transfers and the grace'
		fi
		row "bare reception of the same" "bare.$how" %8.0f images/s
		row "first image received to last one at the sink" "e2e.$how" %8.0f images/s
		row "  ratio to bare reception" "ratio.e2e.$how" %8.3f '' '>=' 0.5
		row "  ratio, grace subtracted" "ratio.e2e.nograce.$how" %8.3f '' '>=' 0.5
		row "at the sink, from its first image to its last" "e2e.sink.$how" %8.0f images/s
		row "  ratio to bare reception" "ratio.e2e.sink.$how" %8.3f '' '>=' 0.5
		row "last one acknowledged to first one at the sink" "delay.first.$how" %8.2f s
		row "last one acknowledged to last one at the sink" "delay.$how" %8.2f s
		row "  grace subtracted" "delay.nograce.$how" %8.2f s
		row "processor time, all of ours with dcmsend" "e2e.cpu.$how" %8.2f ms/image
	done
	printf '\nClaim and fan-out of %s images (%s KB)\n' $IMAGES "$(du -sk "$WORK/one" | cut -f1)"
	for n in 1 4 16; do
		row "to $n targets: mv into incoming/ to all queued" "fan.$n" %8.2f s
		row "  processor time of the router" "fan.cpu.$n" %8.0f ms
		row "  read by it: headers, for InstanceNumber" "fan.read.$n" %8.0f KB '<' 26250
		row "  written by it, all files together" "fan.written.$n" %8.0f KB '<' 525
	done
	printf '\nMemory of their own (Private_Clean + Private_Dirty)\n'
	row "all idle processes of dcmspool up" memory.idle %8.1f MB '<' 15
	row "a running association" memory.association %8.1f MB '<' 20
	echo "$MEMORY"
}

make_images
measure
report
