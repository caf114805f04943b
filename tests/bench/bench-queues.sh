#!/bin/bash
# bench-queues.sh: what a queue costs by its length. Jobs of one image in a second, and processor time for each, with
# WAITING jobs, beside 600 that become 100, in one run; the same with FINISHED jobs in success/; beside a dead target with WAITING jobs;
# the start with WAITING jobs; and how long after the last of BATCHES series of one image all are queued. Part of `make
# bench`. ROUNDS interleaved rounds, medians. A folder of its own below TMPDIR (default: the build folder), which it
# removes; inodes for WAITING * 4 files.
# shellcheck disable=SC2154 # $pid_NAME is made by start()
set -u
export LC_ALL=C
TOP=$(cd "$(dirname "$0")/../.." && pwd)
: "${BIN:=$TOP/bin}" "${BUILD:=$TOP/build}" "${ROUNDS:=3}"
: "${WAITING:=100000}" "${FINISHED:=300000}" "${BATCHES:=10000}"
BIN=$(cd "$BIN" && pwd) && TOOLS=$(cd "$BUILD/tests" && pwd) || exit 100
LIMIT=900 MEASURED=500
WORK=$(mktemp -d "${TMPDIR:-$BUILD}/bench.XXXXXX") || exit 111
SPOOL=$WORK/spool CONF=$WORK/dcmspool.conf

# shellcheck source=tests/bench/bench.bash
. "$TOP/tests/bench/bench.bash"
trap clean_up EXIT
trap 'exit 130' INT TERM

# configure [DEAD-PORT]: a folder target, and one that is not there
configure() {
	retire "$SPOOL"
	retire "$WORK/archive"
	{
		echo "spool = \"$SPOOL\""
		echo "target \"good\" { type = folder path = \"$WORK/archive\" }"
		echo "target \"dead\" { type = dicom host = \"127.0.0.1\" port = $(free_port) aec = \"DEAD\" }"
		echo 'rule "all" { match = "True" targets = { "good" } }'
	} >"$CONF"
	"$BIN/dcmspool-layout" "$SPOOL" || die 'unable to make a spool'
}

# jobs_of N DIRECTORY KIND: waiting jobs of a study each, finished ones, or batches in incoming/
jobs_of() {
	/usr/bin/python3 - "$SPOOL" "$WORK/images" "$1" "$2" "$3" <<-'END' || die "unable to make $1 in $2"
		import json, os, sys, time
		spool, images, count, where, kind = sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:6]
		boot = open('/proc/sys/kernel/random/boot_id').read()[:8]
		sources = ['%s/%s' % (images, n) for n in os.listdir(images)]
		os.makedirs(spool + '/' + where, exist_ok=True)
		def stamp(t):
		    return time.strftime('%Y%m%dT%H%M%S', time.gmtime(t)) + '.%06dZ' % (t % 1 * 1e6)
		for n in range(count):
		    job = '%s.%08x.%08x' % (stamp(1.7e9 + n), n + 1, n + 1)
		    name = {'waiting': job, 'finished': job + '.good', 'batch': '1.2.3.%d' % n}[kind]
		    made = spool + '/.new'
		    os.mkdir(made)
		    source = sources[n % len(sources)]
		    os.link(source, '%s/1.2.%d.dcm' % (made, n))
		    if kind == 'batch':
		        with open(made + '/filed', 'w') as f:
		            f.write('%s %d 1.2.%d.dcm a\n' % (boot, os.path.getsize(source), n))
		        with open(made + '/series.json', 'w') as f:
		            json.dump({'received': stamp(time.time()), 'tags': {
		                'StudyInstanceUID': '1.9.%d' % n, 'SeriesInstanceUID': '1.2.3.%d' % n}}, f)
		    os.rename(made, '%s/%s/%s' % (spool, where, name))
	END
}

count() { find "$SPOOL/$1" -mindepth 1 -maxdepth 1 -name '*2*' -printf x | wc -c; }
# The journal is a line each: that is cheaper to count than a directory.
has_sent() { [ "$(cat "$SPOOL"/journal/*.jsonl 2>/dev/null | grep -c '"sent"')" -ge "$1" ]; }

# measure NAME N: jobs/s and ms of processor time for each (its sender's, too), of the jobs behind the first ones
measure() {
	local began cpu_began from
	began=$EPOCHREALTIME
	start dispatcher "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for has_sent 1
	note "start.$1" "$EPOCHREALTIME - $began"
	from=$(grep -c '"sent"' "$SPOOL"/journal/*.jsonl)
	began=$EPOCHREALTIME cpu_began=$(cpu "$pid_dispatcher")
	wait_for has_sent $((from + $2))
	note "jobs.$1" "$2 / ($EPOCHREALTIME - $began)"
	note "cpu.$1" "1000 * ($(cpu "$pid_dispatcher") - $cpu_began) / $2"
	stop "$pid_dispatcher"
}

few() {
	configure
	jobs_of 600 outgoing/good waiting
	measure few $MEASURED
}

many() {
	configure
	jobs_of "$WAITING" outgoing/good waiting
	measure many $MEASURED
}

beside_dead() {
	configure
	jobs_of "$WAITING" outgoing/dead waiting
	jobs_of 600 outgoing/good waiting
	measure dead $MEASURED
}

finished() {
	configure
	jobs_of "$FINISHED" success finished
	jobs_of 600 outgoing/good waiting
	measure finished $MEASURED
}

is_queued() { [ "$(count outgoing/good)" -ge "$BATCHES" ]; }

batches() {
	local began
	configure
	start router "$BIN/dcmspool-router" -c "$CONF"
	wait_for grep -qs ready "$WORK/router.log"
	jobs_of "$BATCHES" incoming batch
	began=$EPOCHREALTIME
	wait_for is_queued
	note batches "$EPOCHREALTIME - $began"
	note batches.cpu "1000 * $(cpu "$pid_router") / $BATCHES"
	stop "$pid_router"
}

"$TOOLS/makestudy" "$WORK/made" -s 1 -n 20 -r 32 -c 32 >/dev/null || die 'unable to make images'
mkdir "$WORK/images"
mv "$WORK"/made/*/* "$WORK/images/"
for ((rounds = 0; rounds < ROUNDS && SECONDS < LIMIT * 2 / 3; rounds++)); do
	few
	many
	note ratio.jobs "${last[jobs.many]} / ${last[jobs.few]}"
	note ratio.cpu "${last[cpu.many]} / ${last[cpu.few]}"
	beside_dead
	note ratio.dead "${last[jobs.dead]} / ${last[jobs.few]}"
	note ratio.dead.cpu "${last[cpu.dead]} / ${last[cpu.few]}"
	batches
done
few # what is compared is measured close together
finished
note ratio.finished "${last[jobs.finished]} / ${last[jobs.few]}"
note ratio.finished.cpu "${last[cpu.finished]} / ${last[cpu.few]}"
printf 'Jobs of one image to a folder, one dispatcher, medians of %s rounds\n' "$rounds"
row "600 to 100 waiting" jobs.few %8.0f jobs/s
row "  processor time" cpu.few %8.2f ms/job
row "$WAITING waiting" jobs.many %8.0f jobs/s
row "  ratio" ratio.jobs %8.3f '' '>=' 0.8
row "  processor time" cpu.many %8.2f ms/job
row "  ratio" ratio.cpu %8.3f '' '<=' 1.25
row "  from the start to the first one sent" start.many %8.2f s '<' 2
row "beside a dead target with $WAITING" jobs.dead %8.0f jobs/s
row "  ratio" ratio.dead %8.3f '' '>=' 0.8
row "  ratio of processor time" ratio.dead.cpu %8.3f '' '<=' 1.25
row "with $FINISHED in success/: ratio" ratio.finished %8.3f '' '>=' 0.8
row "  ratio of processor time" ratio.finished.cpu %8.3f '' '<=' 1.25
printf '%s series of one image that arrive as fast as they can, one router\n' "$BATCHES"
row "from the last one to all queued" batches %8.1f s '<' 10
row "  processor time of the router" batches.cpu %8.2f ms/series
