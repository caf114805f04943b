#!/bin/bash
# bench-dispatch.sh: of four targets one is dead and one answers an image a second: are the other two as fast
# as alone? Part of `make bench`. ROUNDS interleaved rounds, medians; ends within three minutes. A folder of
# its own below TMPDIR (default: the build folder), which it removes.
# shellcheck disable=SC2154 # $pid_NAME is made by start()
set -u
export LC_ALL=C TCP_NODELAY=1
TOP=$(cd "$(dirname "$0")/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=5}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
STUDIES=10 SERIES=2 PER_SERIES=25 LIMIT=180
IMAGES=$((STUDIES * SERIES * PER_SERIES))
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
done
printf 'Dispatch of %s images (%s series of 130 KB images) to each of two targets, four dispatchers, medians of %s rounds\n' \
	"$IMAGES" $((STUDIES * SERIES)) "$rounds"
row "the two alone" alone %8.0f images/s
row "beside a dead target and one of an image a second" beside %8.0f images/s
row "  ratio" ratio %8.3f '' '>=' 0.9
