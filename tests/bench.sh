#!/bin/bash
# bench.sh: `make bench`. Measures the router beside bare storescp, on this machine, in one session:
# ROUNDS interleaved rounds, medians, ratios of one and the same round. Prints a table; figures never
# make it fail, lost images do. Ends within six minutes, with fewer rounds on a slow machine. Runs as any
# user, in a directory of its own below TMPDIR (default: the build folder, so on the clone's file
# system), which it removes; needs about 3 GB there for a while. KEEP=1 leaves it.
#
# All times are CLOCK_REALTIME: the shell's own, dcmsend's log, the sink's lines and what the kernel
# notes for a directory can then be subtracted from each other.
# shellcheck disable=SC2154 # $pid_NAME is made by start()
set -u
export LC_ALL=C TCP_NODELAY=1
TOP=$(cd "$(dirname "$0")/.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=5}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
IMAGES=1000 SERIES=10 GRACE=1 LIMIT=350
LOAD=$(cut -d' ' -f1 /proc/loadavg)

die() {
	echo "bench: fatal: $*" >&2
	exit 111
}

WORK=$(mktemp -d "${TMPDIR:-$BUILD}/bench.XXXXXX") || die "unable to make a directory"
SPOOL=$WORK/spool

# ---- processes ----------------------------------------------------------------------------------------
declare -A running=()

start() { # NAME COMMAND...: in the background; its pid in $pid_NAME
	local name=$1
	shift
	"$@" >"$WORK/$name.out" 2>"$WORK/$name.log" &
	printf -v "pid_$name" %s "$!"
	running[$!]=$name
}

stop() { # PID...
	local pid patience=1000
	for pid; do kill "$pid" 2>/dev/null; done
	for pid; do
		while kill -0 "$pid" 2>/dev/null && [ $((patience--)) -gt 0 ]; do pause 0.01; done
		kill -KILL "$pid" 2>/dev/null && echo "bench: ${running[$pid]} did not stop" >&2
		wait "$pid" 2>/dev/null
		unset "running[$pid]"
	done
}

clean_up() {
	trap - EXIT INT TERM
	stop "${!running[@]}"
	[ -z "${KEEP:-}" ] && rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

pause() { read -r -t "$1" <> <(:) || :; }

wait_for() { # COMMAND...: until it succeeds
	local deadline=$((SECONDS + 60))
	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ] || [ "$SECONDS" -ge $LIMIT ]; then
			tail -n 5 "$WORK"/*.log >&2
			die "not within a minute: $*"
		fi
		pause 0.01
	done
}

free_port() {
	local port
	while port=$((20000 + RANDOM % 12000)); listens "$port"; do :; done
	echo "$port"
}
listens() { (exec 4<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# CPU seconds of processes, of their children that were waited for, and of those that were not yet.
cpu() { # PID...
	local pid child
	for pid; do
		cat "/proc/$pid/stat" 2>/dev/null
		for child in $(pgrep -P "$pid"); do cat "/proc/$child/stat" 2>/dev/null; done
	done | awk -v hz="$(getconf CLK_TCK)" \
		'{ sub(/.*\) /, ""); ticks += $12 + $13 + $14 + $15 } END { print ticks / hz }'
}

# ---- figures ------------------------------------------------------------------------------------------
declare -A samples=() last=()
calc() { awk "BEGIN { printf \"%.9g\", ($1) }"; }
note() { # NAME EXPRESSION
	last[$1]=$(calc "$2")
	samples[$1]+=${last[$1]}$'\n'
}

median() { # NAME
	sort -g <<<"${samples[$1]%$'\n'}" |
		awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# NAME FORMAT UNIT [OPERATOR AIM TEXT]: a line of the table, as "median unit (lowest .. highest)"
row() {
	local label=$1 name=$2 format=$3 unit=$4 middle range verdict=''
	if [ -z "${samples[$name]+there}" ]; then
		printf '  %-52s not measured\n' "$label"
		return
	fi
	middle=$(median "$name")
	range=$(sort -g <<<"${samples[$name]%$'\n'}" | sed -n '1p;$p')
	# shellcheck disable=SC2059,SC2086 # a format with two words for it
	range=$(printf "($format .. $format)" $range)
	if [ $# -gt 4 ]; then
		verdict="aim $5 $6: missed"
		[ "$(calc "$middle $5 $6")" = 1 ] && verdict="aim $5 $6: met"
	fi
	# shellcheck disable=SC2059
	printf "  %-52s $format %-9s %-22s %s\n" "$label" "$middle" "$unit" "$range" "$verdict"
}

# ---- images and senders ---------------------------------------------------------------------------------
make_images() {
	local i=0 file
	"$TOOLS/makestudy" "$WORK/one" -s 1 -n $IMAGES -r 512 -c 512 >/dev/null ||
		die "unable to make images"
	"$TOOLS/makestudy" "$WORK/ten" -s $SERIES -n $((IMAGES / SERIES)) -r 512 -c 512 >/dev/null ||
		die "unable to make images"
	mkdir "$WORK"/part{0,1,2,3}
	for file in "$WORK"/one/*/*; do ln "$file" "$WORK/part$((i % 4))/$((i++)).dcm"; done
	sync -f "$WORK"
}

# Its log tells when the association was accepted and when the last image was acknowledged.
dcmsend_to() { # LOG PORT FOLDER
	cat >"$WORK/$1.cfg" <<-END
		log4cplus.rootLogger = INFO, out
		log4cplus.appender.out = log4cplus::FileAppender
		log4cplus.appender.out.File = $WORK/$1.sent
		log4cplus.appender.out.layout = log4cplus::PatternLayout
		log4cplus.appender.out.layout.ConversionPattern = %D{%s.%q} %m%n
	END
	timeout $((LIMIT - SECONDS)) dcmsend --log-config "$WORK/$1.cfg" --max-send-pdu 131072 -aec DCMSPOOL 127.0.0.1 "$2" \
		+sd +r "$3" >/dev/null 2>&1 || die "dcmsend failed; see $WORK/$1.sent"
}

# send HOW PORT: the images once; sets $first and $acknowledged, and $took between them.
send() {
	local series i pids=()
	rm -f "$WORK"/*.sent
	case $1 in
	one) dcmsend_to send "$2" "$WORK/one" ;;
	four)
		for i in 0 1 2 3; do
			dcmsend_to "send$i" "$2" "$WORK/part$i" &
			pids+=($!)
		done
		wait "${pids[@]}"
		;;
	ten)
		for series in "$WORK"/ten/*; do
			dcmsend_to "send${series##*/}" "$2" "$series"
		done
		;;
	esac
	first=$(awk '/Association Accepted/ { print $1 }' "$WORK"/*.sent | sort -g | head -n 1)
	acknowledged=$(awk '/Releasing Association/ { print $1 }' "$WORK"/*.sent | sort -g | tail -n 1)
	[ "$(grep -h -c 'Response (Success)' "$WORK"/*.sent | awk '{ n += $1 } END { print n }')" = \
		$IMAGES ] || die "not all images were acknowledged ($1)"
	took=$(calc "$acknowledged - $first")
}

count_images() { # FOLDER
	[ "$(find "$1" -type f ! -name '*.json*' ! -name '.*' | wc -l)" = $IMAGES ] ||
		die "there are not $IMAGES images in $1"
}

# retire FOLDER: out of the way, its space given back. Its files are removed only in the end: for five
# seconds ext4 searches past each inode just freed (recently_deleted(), fs/ext4/ialloc.c), which made
# receptions that followed a removal up to three times as long. Links of images are left alone.
retire() {
	[ -d "$1" ] || return 0
	mkdir -p "$WORK/retired"
	find "$1" -type f -links 1 -size +100k -exec truncate -s 0 {} +
	mv "$1" "$WORK/retired/$((++retired))"
	sync -f "$WORK" # nothing of it is to be written in the next measurement
}
retired=0

# ---- the router -----------------------------------------------------------------------------------------
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
	start receiver "$BIN/dcmspool-receiver" -c "$CONF"
	wait_for listens "$PORT"
}

# A program that says "ready" has made its watches.
start_watcher() { # NAME PROGRAM
	start "$1" "$BIN/$2" -c "$CONF"
	wait_for grep -qs ready "$WORK/$1.log"
}

is_empty() { [ -z "$(ls -A "$@")" ]; }

# ---- what is measured -------------------------------------------------------------------------------------
bare() { # HOW
	mkdir "$WORK/bare"
	PORT=$(free_port)
	start storescp storescp --fork +B +xa -dhl -pdu 131072 -od "$WORK/bare" "$PORT"
	wait_for listens "$PORT"
	send "$1" "$PORT"
	count_images "$WORK/bare"
	note "bare.$1" "$IMAGES / $took"
	note "bare.cpu.$1" "$(cpu "$pid_storescp") * 1000 / $IMAGES"
	bare_rate=$(calc "$IMAGES / $took")
	stop "$pid_storescp"
	retire "$WORK/bare"
}

reception() { # HOW
	new_spool "$(targets 1 1)"
	start_receiver
	send "$1" "$PORT"
	wait_for is_empty "$SPOOL/receiving"
	filed=$(stat -c %.6Y "$SPOOL/receiving")
	count_images "$SPOOL/incoming"
	note "our.$1" "$IMAGES / $took"
	note "our.filed.$1" "$IMAGES / ($filed - $first)"
	note "ratio.$1" "$IMAGES / $took / $bare_rate"
	note "ratio.filed.$1" "$IMAGES / ($filed - $first) / $bare_rate"
	note "cpu.$1" "$(cpu "$pid_receiver") * 1000 / $IMAGES"
	stop "$pid_receiver"
}

is_sent() { # JOBS
	[ "$(find "$SPOOL/success" -mindepth 1 -maxdepth 1 -type d | wc -l)" = "$1" ]
}

end_to_end() { # HOW JOBS
	local sink_first sink_last total
	SINK=$(free_port)
	new_spool "$(targets 1 "$SINK")"
	start sink "$TOOLS/sink" "$SINK" $IMAGES
	wait_for listens "$SINK"
	start_receiver
	start_watcher router dcmspool-router
	start dispatcher "$BIN/dcmspool-dispatcher" -c "$CONF"
	start dispatcher2 "$BIN/dcmspool-dispatcher" -c "$CONF"
	send "$1" "$PORT"
	wait_for is_sent "$2"
	read -r sink_first sink_last <"$WORK/sink.out" || die "the sink did not see $IMAGES images"
	total=$(calc "$sink_last - $first")
	note "e2e.$1" "$IMAGES / $total"
	note "e2e.ratio.$1" "$IMAGES / $total / $bare_rate"
	note "e2e.ratio.nograce.$1" "$IMAGES / ($total - $GRACE) / $bare_rate"
	note "delay.first.$1" "$sink_first - $acknowledged"
	note "delay.$1" "$sink_last - $acknowledged"
	note "delay.nograce.$1" "$sink_last - $acknowledged - $GRACE"
	note "e2e.cpu.$1" "$(cpu "$pid_receiver" "$pid_router" "$pid_dispatcher" \
		"$pid_dispatcher2") * 1000 / $IMAGES"
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
	is_empty "$SPOOL/routing" "$SPOOL/incoming" ||
		[ "$(find "$SPOOL/outgoing" -mindepth 2 -maxdepth 2 -type d -name '2*' | wc -l)" = "$1" ]
}

io() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$pid_router/io"; } # rchar, wchar ...

fan_out() { # TARGETS
	local began ended before=() key name
	new_spool "$(targets "$1" 1)"
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
		for (name in n) printf "      %-24s %2d x %6.2f MB\n", name, n[name], mb[name] / n[name] }' |
		sort
}

is_up() {
	listens "$PORT" && pgrep -P "$1" >/dev/null &&
		[ "$(find "$SPOOL/receiving" -mindepth 1 | wc -l)" = 0 ]
}

has_sent() { [ "$(grep -c ' 0000$' "$WORK/sender.out")" = "$1" ]; }

memory() {
	local up idle one images
	new_spool "$(targets 1 1)"
	start up "$BIN/dcmspool-up" -c "$CONF"
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

# ---- the story --------------------------------------------------------------------------------------------
measure() {
	local round
	memory
	make_job
	for ((round = 1; round <= ROUNDS; round++)); do
		[ "$SECONDS" -lt "$SECONDS_MAX" ] || break
		echo "bench: round $round of $ROUNDS, load $(cut -d' ' -f1 /proc/loadavg)" >&2
		bare four
		reception four
		bare ten
		end_to_end ten $SERIES
		bare one
		reception one
		end_to_end one 1
		for n in 1 4 16; do fan_out $n; done
	done
	ROUNDS=$((round - 1))
}

report() {
	local how n
	cat <<-END
		$IMAGES CT images of 525 KB; $(nproc) processors; load $(cut -d' ' -f1-3 /proc/loadavg); $(uname -sr)
		median of $ROUNDS rounds (lowest .. highest); sender: dcmsend, TCP_NODELAY=1, on this machine
	END
	for how in one four; do
		printf '\nReception, connections at once: %s\n' "$how"
		row "storescp --fork +B, acknowledged" "bare.$how" %8.0f images/s
		row "ours, acknowledged" "our.$how" %8.0f images/s
		row "  ratio" "ratio.$how" %8.2f '' '>=' 0.9
		row "ours, filed in incoming/" "our.filed.$how" %8.0f images/s
		row "  ratio" "ratio.filed.$how" %8.2f '' '>=' 0.9
		row "processor time, storescp --fork +B" "bare.cpu.$how" %8.2f ms/image
		row "processor time, all of ours" "cpu.$how" %8.2f ms/image
	done
	for how in ten one; do
		if [ $how = ten ]; then
			printf '\nEnd to end, %s series of one study, a connection each, one after the other\n' $SERIES
		else
			printf '\nEnd to end, one series, one connection (sent only when complete: %s)\n' \
				'two transfers and the grace'
		fi
		row "bare reception of the same" "bare.$how" %8.0f images/s
		row "first image received to last one at the sink" "e2e.$how" %8.0f images/s
		row "  ratio to bare reception" "e2e.ratio.$how" %8.2f '' '>=' 0.5
		row "  ratio, grace subtracted" "e2e.ratio.nograce.$how" %8.2f '' '>=' 0.5
		row "last one acknowledged to first one at the sink" "delay.first.$how" %8.2f s
		row "last one acknowledged to last one at the sink" "delay.$how" %8.2f s
		row "  grace subtracted" "delay.nograce.$how" %8.2f s
		row "processor time, all of ours with dcmsend" "e2e.cpu.$how" %8.2f ms/image
	done
	printf '\nClaim and fan-out of %s images (%s KB)\n' $IMAGES "$(du -sk "$WORK/one" | cut -f1)"
	for n in 1 4 16; do
		row "to $n targets: mv into incoming/ to all queued" "fan.$n" %8.2f s
		row "  processor time of the router" "fan.cpu.$n" %8.0f ms
		row "  read by it, all files together" "fan.read.$n" %8.0f KB '<' 525
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
