#!/bin/bash
# bench-connections.sh: `make bench`. A connection for each of 400 tiny images, each of a series of its own, four at
# a time: bare `storescp --fork +B`, reception alone, and all that `dcmspool up` runs, with a folder as target.
# ROUNDS interleaved rounds; ratios of one and the same round; on a tmpfs and, as root, on an ext4 with a journal in
# a loop image (ext4 without one makes creating files many times as dear). Processor time is that of a control group.
# shellcheck disable=SC2154 # $pid_NAME is made by start()
set -u
export LC_ALL=C TCP_NODELAY=1
TOP=$(cd "$(dirname "$0")/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=5}" "${IMAGES:=400}" "${WHERE:=tmpfs ext4}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
SERIES=$IMAGES LIMIT=300
LOAD=$(cut -d' ' -f1 /proc/loadavg)

WORK=$(mktemp -d /dev/shm/bench.XXXXXX) || exit 111
# shellcheck source=tests/bench/bench.bash
. "$TOP/tests/bench/bench.bash"
end() {
	KEEP=1 clean_up
	umount "$WORK/ext4" 2>/dev/null
	end_group
	rm -rf "$WORK"
}
trap end EXIT
trap 'exit 130' INT TERM

make_group

# ---- what is measured ----------------------------------------------------------------------
deliver() { # NAME: the images, one each, from where the sender is; notes wall and processor time
	local before took
	before=$(used_ms)
	took=$("$TOOLS/oneeach" "$PORT" 4 "$WORK"/one/*/*) || die "not all images were acknowledged ($1)"
	note "$1.wall" "$took"
	"until_$2"
	note "$1.cpu" "($(used_ms) - $before) / $IMAGES"
}

until_received() { wait_for is_received; }
is_received() { [ -z "$(ls -A "$SPOOL/receiving")" ]; }
until_nothing() { :; }
until_sent() { wait_for is_sent; }
is_sent() { [ "$(find "$SPOOL/success" -mindepth 1 -maxdepth 1 | wc -l)" = "$IMAGES" ]; }

bare() { # FS
	mkdir "$PLACE/bare"
	PORT=$(free_port)
	in_group storescp env LD_PRELOAD="$TOOLS/loopback.so" storescp --fork +B +xa -dhl -pdu 131072 \
		-od "$PLACE/bare" "$PORT"
	wait_for listens "$PORT"
	deliver "bare.$1" nothing
	count_images "$PLACE/bare"
	stop "$pid_storescp"
	retire "$PLACE/bare"
}

new_spool() {
	retire "$SPOOL"
	PORT=$(free_port) CONF=$PLACE/dcmspool.conf
	cat >"$CONF" <<-END
		spool = "$SPOOL"
		receiver { port = $PORT listen = { "127.0.0.1" } min_free = 1 }
		router { association_grace = 100ms }
		dispatcher { instances = 2 }
		target "archive" { type = folder path = "$PLACE/archive" }
		rule "all" { match = "True" targets = { "archive" } }
	END
	"$BIN/dcmspool-layout" "$SPOOL" || die "unable to make a spool"
}

reception() { # FS
	new_spool
	in_group receiver "$BIN/dcmspool-receiver" -c "$CONF"
	wait_for listens "$PORT"
	pause 0.5 # for it to fall asleep
	deliver "our.$1" received
	count_images "$SPOOL/incoming"
	stop "$pid_receiver"
}

is_ready() { [ "$(cat "$WORK/up.log" "$WORK/up.out" | grep -c ': info: ready')" -ge 5 ]; }

everything() { # FS
	new_spool
	in_group up "$BIN/dcmspool-up" --root -c "$CONF"
	wait_for is_ready
	pause 0.5
	deliver "all.$1" sent
	[ "$(find "$PLACE/archive" -name '*.dcm' | wc -l)" = "$IMAGES" ] || die "the archive is not complete"
	stop "$pid_up"
	retire "$PLACE/archive"
}

count_images() {
	[ "$(find "$1" -type f -size +1 ! -name '*.json' ! -name '.*' ! -name filed | wc -l)" = "$IMAGES" ] ||
		die "there are not $IMAGES images in $1"
}

# ---- the story -----------------------------------------------------------------------------
make_place() { # FS: $PLACE, a directory on one; fails where there is none
	PLACE=$WORK/$1 SPOOL=$WORK/$1/spool
	mkdir -p "$PLACE"
	[ "$1" = ext4 ] || return 0
	mountpoint -q "$PLACE" && return
	[ "$(id -u)" = 0 ] && truncate -s 1G "${TMPDIR:-$BUILD}/bench.ext4" &&
		mkfs.ext4 -q "${TMPDIR:-$BUILD}/bench.ext4" && mount -o loop "${TMPDIR:-$BUILD}/bench.ext4" "$PLACE"
	local made=$?
	rm -f "${TMPDIR:-$BUILD}/bench.ext4" # goes with the mount
	return $made
}

one_round() { # FS NUMBER
	local what
	for what in our all; do
		if [ $(($2 % 2)) = 1 ]; then bare "$1"; fi
		if [ $what = our ]; then reception "$1"; else everything "$1"; fi
		if [ $(($2 % 2)) = 0 ]; then bare "$1"; fi
		note "ratio.$what.$1.wall" "${last[$what.$1.wall]} / ${last[bare.$1.wall]}"
		[ -z "$GROUP" ] || note "ratio.$what.$1.cpu" "${last[$what.$1.cpu]} / ${last[bare.$1.cpu]}"
	done
}

report() { # FS
	printf '\n%s connections of one image of 2 KB, four at a time, on %s\n' "$IMAGES" "$1"
	row "storescp --fork +B: wall" "bare.$1.wall" %8.0f ms
	row "  processor time" "bare.$1.cpu" %8.2f ms/image
	row "reception alone: wall" "our.$1.wall" %8.0f ms
	row "  processor time" "our.$1.cpu" %8.2f ms/image
	row "  ratio, wall" "ratio.our.$1.wall" %8.2f '' '<=' 1.2
	row "  ratio, processor time" "ratio.our.$1.cpu" %8.2f '' '<=' 1.2
	row "all of dcmspool up, to a folder: wall of the sender" "all.$1.wall" %8.0f ms
	row "  processor time" "all.$1.cpu" %8.2f ms/image
	row "  ratio, wall" "ratio.all.$1.wall" %8.2f '' '<=' 1.5
	row "  ratio, processor time" "ratio.all.$1.cpu" %8.2f '' '<=' 1.5
}

"$TOOLS/makestudy" "$WORK/one" -s "$IMAGES" -n 1 -r 16 -c 16 >/dev/null || die "unable to make images"
places=()
for fs in $WHERE; do
	if make_place "$fs"; then places+=("$fs"); else echo "bench: no $fs here" >&2; fi
done
for ((round = 1; round <= ROUNDS; round++)); do
	for fs in "${places[@]}"; do
		make_place "$fs"
		one_round "$fs" $round
	done
done
echo "$(nproc) processors, Linux $(uname -r), load before: $LOAD; median of $ROUNDS rounds (lowest .. highest)"
for fs in "${places[@]}"; do report "$fs"; done
