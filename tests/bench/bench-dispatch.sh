#!/bin/bash
# bench-dispatch.sh: of four targets one is dead and one answers an image a second: are the other two as fast
# as alone? And how many jobs of one image go in a second, beside a process of storescu for each of the same images,
# to the same discarding sink? Part of `make bench`. ROUNDS interleaved rounds, medians; ends within three minutes. A folder of
# its own below TMPDIR (default: the build folder), which it removes.
# shellcheck disable=SC2154 # $pid_NAME is made by start()
set -u
export LC_ALL=C TCP_NODELAY=1
TOP=$(cd "$(dirname "$0")/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=5}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
STUDIES=10 SERIES=2 PER_SERIES=25 LIMIT=180
IMAGES=$((STUDIES * SERIES * PER_SERIES)) ONES=500 EACH=50 COUNTED=40
WORK=$(mktemp -d "${TMPDIR:-$BUILD}/bench.XXXXXX") || exit 111
SPOOL=$WORK/spool CONF=$WORK/dcmspool.conf

# shellcheck source=tests/bench/bench.bash
. "$TOP/tests/bench/bench.bash"
trap clean_up EXIT
trap 'exit 130' INT TERM

target() { # NAME PORT
	echo "target \"$1\" { type = dicom host = \"127.0.0.1\" port = $2 aec = \"$1\" retry_min = 1s }"
}

# configure TARGET...: each NAME=PORT
configure() {
	local one names=''
	echo "spool = \"$SPOOL\"" >"$CONF"
	echo 'router { association_grace = 0s }' >>"$CONF"
	for one; do
		target "${one%=*}" "${one#*=}" >>"$CONF"
		names+="\"${one%=*}\", "
	done
	echo "rule \"all\" { match = \"True\" targets = { ${names%, } } }" >>"$CONF"
}

is_queued() { # TARGETS
	[ "$(find "$SPOOL/outgoing" -mindepth 2 -maxdepth 2 -type d -name '2*' | wc -l)" = \
		$(($1 * STUDIES * SERIES)) ]
}

# queue TARGET...: the images wait for each of them, and nobody sends yet
queue() {
	retire "$SPOOL"
	configure "$@"
	"$BIN/dcmspool-layout" "$SPOOL" || die "unable to make a spool"
	cp -r "$WORK/studies" "$SPOOL/incoming/studies"
	start router "$BIN/dcmspool-router" -c "$CONF"
	wait_for is_queued $#
	stop "$pid_router"
}

has_all() { [ -s "$WORK/good1.out" ] && [ -s "$WORK/good2.out" ]; }

# measure NAME TARGET...: from the start of four dispatchers to the last image at both good targets
measure() {
	local name=$1 began ended i port1 port2 port_slow
	shift
	port1=$(free_port) port2=$(free_port) port_slow=$(free_port)
	start good1 "$TOOLS/sink" "$port1" "$IMAGES"
	start good2 "$TOOLS/sink" "$port2" "$IMAGES"
	start slow python3 "$TOP/tests/tools/fakescp.py" "$port_slow" slow
	wait_for listens "$port1"
	wait_for listens "$port2"
	wait_for listens "$port_slow"
	if [ "$name" = alone ]; then
		queue good1="$port1" good2="$port2"
	else
		queue dead="$(free_port)" good1="$port1" good2="$port2" slow="$port_slow"
	fi
	began=$EPOCHREALTIME
	for i in 1 2 3 4; do start "dispatcher$i" "$BIN/dcmspool-dispatcher" -c "$CONF"; done
	wait_for has_all
	ended=$(cat "$WORK"/good[12].out | cut -d' ' -f2 | sort -g | tail -n 1)
	note "$name" "2 * $IMAGES / ($ended - $began)"
	# shellcheck disable=SC2154
	stop "$pid_dispatcher1" "$pid_dispatcher2" "$pid_dispatcher3" "$pid_dispatcher4" "$pid_good1" \
		"$pid_good2" "$pid_slow"
}

# ---- jobs of one image -------------------------------------------------------------------------
# queue_ones N: N jobs of one image wait for the sink at $port
queue_ones() {
	local job n=0 file
	retire "$SPOOL"
	configure
	sed -i '/^rule/d' "$CONF"
	echo "target \"sink\" { type = dicom host = \"127.0.0.1\" port = $port aec = \"SINK\" order = none
		max_connections = 2 }
		rule \"all\" { match = \"True\" targets = { \"sink\" } }" >>"$CONF"
	"$BIN/dcmspool-layout" "$SPOOL" || die "unable to make a spool"
	for file in "$WORK"/ones/*/*; do
		[ $((n++)) -lt "$1" ] || break
		printf -v job '%s/outgoing/sink/20261122T140301.%06dZ.3f9a1c2b.%08x' "$SPOOL" "$n" "$n"
		mkdir -p "$job" && cp "$file" "$job/$n.dcm"
	done
}
has_sent() { [ "$(find "$SPOOL/success" -mindepth 1 -maxdepth 1 | wc -l)" = "$1" ]; }

# ones: from the start of two dispatchers to the last image at the sink
ones() {
	local began
	port=$(free_port)
	start sink "$TOOLS/sink" "$port" "$ONES"
	wait_for listens "$port"
	queue_ones "$ONES"
	began=$EPOCHREALTIME
	start one1 "$BIN/dcmspool-dispatcher" -c "$CONF"
	start one2 "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for [ -s "$WORK/sink.out" ]
	note ones "$ONES / ($(cut -d' ' -f2 "$WORK/sink.out") - $began)"
	wait_for has_sent "$ONES"
	stop "$pid_one1" "$pid_one2" "$pid_sink"
}

# each: a process of storescu for each image
each() {
	local began n=0 file
	port=$(free_port)
	start sink "$TOOLS/sink" "$port" "$EACH"
	wait_for listens "$port"
	began=$EPOCHREALTIME
	for file in "$WORK"/ones/*/*; do
		[ $((n++)) -lt "$EACH" ] || break
		storescu -aec SINK 127.0.0.1 "$port" "$file" || die 'storescu failed'
	done
	note each "$EACH / ($EPOCHREALTIME - $began)"
	stop "$pid_sink"
}

# fsyncs: of one dispatcher and its sender, for each job
fsyncs() {
	command -v strace >/dev/null || return 0
	port=$(free_port)
	start sink "$TOOLS/sink" "$port" "$COUNTED"
	wait_for listens "$port"
	queue_ones "$COUNTED"
	start traced strace -f -qq -e trace=fsync,fdatasync,syncfs -o "$WORK/fsyncs" "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for has_sent "$COUNTED"
	pkill -TERM -P "$pid_traced"
	stop "$pid_traced" "$pid_sink"
	note fsyncs "$(grep -c 'sync' "$WORK/fsyncs") / $COUNTED"
}

"$TOOLS/makestudy" "$WORK/ones" -s "$ONES" -n 1 -r 256 -c 256 >/dev/null || die "unable to make images"
mkdir "$WORK/studies"
for ((i = 1; i <= STUDIES; i++)); do
	"$TOOLS/makestudy" "$WORK/studies/$i" -s "$SERIES" -n "$PER_SERIES" -r 256 -c 256 -S "$i" >/dev/null ||
		die "unable to make images"
done
for ((rounds = 0; rounds < ROUNDS && SECONDS < LIMIT - 40; rounds++)); do
	if [ $((rounds % 2)) = 0 ]; then
		measure alone && measure beside
	else
		measure beside && measure alone
	fi
	note ratio "${last[beside]} / ${last[alone]}"
	ones && each
	note times "${last[ones]} / ${last[each]}"
done
fsyncs
printf 'Dispatch of %s images (%s series of 130 KB images) to each of two targets, four dispatchers, medians of %s rounds\n' \
	"$IMAGES" $((STUDIES * SERIES)) "$rounds"
row "the two alone" alone %8.0f images/s
row "beside a dead target and one of an image a second" beside %8.0f images/s
row "  ratio" ratio %8.3f '' '>=' 0.9
printf 'Jobs of one image of 130 KB, two dispatchers, medians of %s rounds\n' "$rounds"
row "dispatchers" ones %8.0f jobs/s
row "  beside a storescu process for each image" times %8.2f times '>=' 10
[ -z "${samples[fsyncs]:-}" ] || row "fsyncs" fsyncs %8.2f /job
