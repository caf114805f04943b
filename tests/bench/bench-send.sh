#!/bin/bash
# bench-send.sh: send-dicom beside DCMTK's senders, to the same discarding sink. Part of `make bench`. ROUNDS
# interleaved rounds, medians; ends within three minutes. A folder of its own below TMPDIR (default: the build
# folder), which it removes.
# shellcheck disable=SC2154 # $pid_NAME is made by start()
set -u
export LC_ALL=C TCP_NODELAY=1
TOP=$(cd "$(dirname "$0")/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=5}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
IMAGES=1000 ONES=50 LIMIT=180
WORK=$(mktemp -d "${TMPDIR:-$BUILD}/bench.XXXXXX") || exit 111

# shellcheck source=tests/bench/bench.bash
. "$TOP/tests/bench/bench.bash"
trap clean_up EXIT
trap 'exit 130' INT TERM

# measure NAME COMMAND...: wall and processor time of one run
measure() {
	local name=$1 real user sys TIMEFORMAT='%R %U %S'
	shift
	read -r real user sys < <({ time "$@" >"$WORK/sender" 2>&1; } 2>&1)
	note "$name.wall" "$real"
	note "$name.cpu" "$user + $sys"
}

ours() { # [NAME=VALUE...]
	(cd "$WORK/images" && env TARGET_HOST=127.0.0.1 TARGET_AEC=SINK "$@" "$BIN/send-dicom" <"$WORK/list")
	[ "$(grep -c ^stored "$WORK/sender")" = "$IMAGES" ] || die 'not all images were stored'
}

theirs() { dcmsend --max-send-pdu 131072 -aec SINK 127.0.0.1 "$port" +sd "$WORK/images" || die 'dcmsend failed'; }

# each COMMAND...: of the first images, each by a process of its own
each() {
	local i
	for ((i = 1; i <= ONES; i++)); do "$@" "$i"; done
}
our_one() { echo "$1.dcm" | (cd "$WORK/images" && "$BIN/send-dicom") || die 'send-dicom failed'; }
their_one() { storescu -aec SINK 127.0.0.1 "$port" "$WORK/images/$1.dcm" || die 'storescu failed'; }

mkdir "$WORK/images"
"$TOOLS/makestudy" "$WORK/made" -s 1 -n "$IMAGES" -r 512 -c 512 >/dev/null || die 'unable to make images'
i=0
for file in "$WORK"/made/*/*; do mv "$file" "$WORK/images/$((++i)).dcm"; done
find "$WORK/images" -name '*.dcm' -printf '%f\n' | sort -n >"$WORK/list"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key" -out "$WORK/crt" -subj /CN=bench -days 2 \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null || die "unable to make a certificate"
chmod 600 "$WORK/key"
port=$(free_port) plain=$(free_port) tls=$(free_port)
start sink "$TOOLS/sink" "$port" "$IMAGES"
start plain storescp --ignore "$plain"
start tls storescp --ignore +tls "$WORK/key" "$WORK/crt" --ignore-peer-cert "$tls"
wait_for listens "$port"
wait_for listens "$plain"
wait_for listens "$tls"
export TARGET_HOST=127.0.0.1 TARGET_AEC=SINK TARGET_PORT=$port
for ((rounds = 0; rounds < ROUNDS && SECONDS < LIMIT - 40; rounds++)); do
	measure ours ours
	measure theirs theirs
	note wall "${last[ours.wall]} / ${last[theirs.wall]}"
	note cpu "${last[ours.cpu]} / ${last[theirs.cpu]}"
	measure our_one each our_one
	measure their_one each their_one
	note one "$ONES / ${last[our_one.wall]}"
	note ones "${last[their_one.wall]} / ${last[our_one.wall]}"
	measure plain ours TARGET_PORT="$plain"
	measure tls ours TARGET_PORT="$tls" TARGET_TLS=yes TARGET_TLS_CA="$WORK/crt"
	note tls "${last[tls.wall]} / ${last[plain.wall]}"
	note tls.more "(${last[tls.cpu]} - ${last[plain.cpu]}) * 1000 / $IMAGES"
done
printf 'Sending %s images of 525 KB in one job, medians of %s rounds\n' "$IMAGES" "$rounds"
row 'send-dicom' ours.wall %8.2f s
row '  beside dcmsend: wall' wall %8.3f '' '<=' 0.8
row '  beside dcmsend: processor time' cpu %8.3f '' '<=' 0.5
row '  over TLS beside plain, to storescp: wall' tls %8.3f ''
row '  over TLS: more processor time' tls.more %8.3f ms/image
row 'one image, one process each' one %8.0f images/s
row '  beside storescu processes' ones %8.2f times
