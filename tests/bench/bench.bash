# bench.bash: what bench.sh measures with: processes, figures and the table, images and their sender.
# Expects WORK, TOOLS, IMAGES, SERIES and LIMIT; keeps everything in WORK. Functions set globals:
# $pid_NAME, $first, $acknowledged, $took.
# shellcheck shell=bash disable=SC2034,SC2153

# ---- processes -------------------------------------------------------------------------------
die() {
	echo "bench: fatal: $*" >&2
	exit 111
}

declare -A running=()

start() { # NAME COMMAND...: in the background; its pid in $pid_NAME
	local name=$1
	shift
	[ "$1" != storescp ] || set -- env LD_PRELOAD="$TOOLS/loopback.so" "$@" # it knows no address
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

pause() { read -r -t "$1" <> <(:) || :; }

wait_for() { # COMMAND...: until it succeeds
	local deadline=$((SECONDS + 60))
	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ] || [ "$SECONDS" -ge "$LIMIT" ]; then
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

# ---- figures ---------------------------------------------------------------------------------
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

# ---- images and senders ----------------------------------------------------------------------
make_images() {
	local i=0 file
	"$TOOLS/makestudy" "$WORK/one" -s 1 -n "$IMAGES" -r 512 -c 512 >/dev/null ||
		die "unable to make images"
	"$TOOLS/makestudy" "$WORK/ten" -s "$SERIES" -n $((IMAGES / SERIES)) -r 512 -c 512 \
		>/dev/null ||
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
	timeout $((LIMIT - SECONDS)) dcmsend --log-config "$WORK/$1.cfg" --max-send-pdu 131072 \
		-aec DCMSPOOL 127.0.0.1 "$2" +sd +r "$3" >/dev/null 2>&1 ||
		die "dcmsend failed: $(tail -n 1 "$WORK/$1.sent")"
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
	acknowledged=$(awk '/Releasing Association/ { print $1 }' "$WORK"/*.sent | sort -g |
		tail -n 1)
	[ "$(grep -h -c 'Response (Success)' "$WORK"/*.sent | awk '{ n += $1 } END { print n }')" = \
		"$IMAGES" ] || die "not all images were acknowledged ($1)"
	took=$(calc "$acknowledged - $first")
}

count_images() { # FOLDER
	[ "$(find "$1" -type f ! -name '*.json*' ! -name '.*' ! -name filed | wc -l)" = "$IMAGES" ] ||
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

# ---- processor time of a control group: also of children whose parent waits for none ---------
# make_group: of version 1 or 2, or none, where that is not permitted.
make_group() {
	local group
	GROUP=
	for group in /sys/fs/cgroup/cpuacct "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)"; do
		if [ -n "$group" ] && mkdir "$group/bench.$$" 2>/dev/null; then
			GROUP=$group/bench.$$
			if [ -e "$GROUP/cpuacct.usage" ] || [ -e "$GROUP/cpu.stat" ]; then break; fi
			rmdir "$GROUP"
			GROUP=
		fi
	done
}
end_group() { [ -z "${GROUP-}" ] || rmdir "$GROUP" 2>/dev/null; }

used_ms() {
	[ -n "$GROUP" ] || { echo 0; return; }
	if [ -e "$GROUP/cpuacct.usage" ]; then
		calc "$(cat "$GROUP/cpuacct.usage") / 1000000"
	else
		calc "$(awk '$1 == "usage_usec" { print $2 }' "$GROUP/cpu.stat") / 1000"
	fi
}

# in_group NAME COMMAND...: as start
in_group() {
	local name=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's words
	start "$name" sh -c '[ -z "$0" ] || echo $$ >"$0/cgroup.procs"; exec "$@"' "$GROUP" "$@"
}
