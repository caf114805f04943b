# many.bats: many batches: they are claimed together, and looked at only when there is something to be seen; nothing waits
# longer for that.

load ../helper
load ../router

teardown() {
	stop_all
	show_state | head -n 100
}

# batches FIRST LAST [MARKER]: batches of one image each, as getdcmtags leaves them
batches() {
	[ -e "$BATS_TEST_TMPDIR/image" ] || { one_series made 1.2.3 -n 1 && cp "$BATS_TEST_TMPDIR"/made/*/* "$BATS_TEST_TMPDIR/image"; }
	/usr/bin/python3 - "$SPOOL" "$BATS_TEST_TMPDIR/image" "$1" "$2" "${3-}" <<-'END'
		import json, os, shutil, sys, time
		spool, image, first, last = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
		boot = open('/proc/sys/kernel/random/boot_id').read()[:8]
		for n in range(first, last + 1):
		    made = spool + '/.new'
		    os.mkdir(made)
		    shutil.copy(image, made + '/1.dcm')
		    if sys.argv[5]:
		        open(made + '/' + sys.argv[5], 'w').close()
		    now = time.time()
		    with open(made + '/filed', 'w') as f:
		        f.write('%s %d 1.dcm a\n' % (boot, os.path.getsize(image)))
		    with open(made + '/series.json', 'w') as f:
		        json.dump({'received': time.strftime('%Y%m%dT%H%M%S', time.gmtime(now)) + '.%06dZ' % (now % 1 * 1e6),
		                   'tags': {'StudyInstanceUID': '1.2.3', 'SeriesInstanceUID': '1.2.3.%d' % n}}, f)
		    os.rename(made, '%s/incoming/1.2.3.%d' % (spool, n))
	END
}

queued() { has_jobs outgoing/archive "$1"; }
asleep() { [ "$(cut -d' ' -f3 "/proc/$pid_router1/stat")" = S ]; }

# start_router [COMMAND...]: one that has looked at everything, and sleeps
start_router() {
	start router1 "$@" "$BIN/dcmspool-router" -c "$CONF"
	wait_for grep -q ready "$BATS_TEST_TMPDIR/router1.log"
	wait_for asleep
}

@test "many: hundreds of batches at once are routed in the order of their arrival, with few syncs" {
	GRACE=0ms # all are due when they are looked at
	make_router
	batches 1 300
	start_router strace -f -qq -e trace=fsync,syncfs -o "$BATS_TEST_TMPDIR/syncs"
	wait_for queued 300
	pkill -P "$pid_router1"
	stop "$pid_router1"
	journal routed | jq -r .job >"$BATS_TEST_TMPDIR/order"
	sort -c "$BATS_TEST_TMPDIR/order"
	[ "$(grep -c sync "$BATS_TEST_TMPDIR/syncs")" -lt 150 ]
}

@test "many: with few descriptors, too, and nothing is tried again later" {
	make_router
	batches 1 200
	start router1 prlimit --nofile=32 "$BIN/dcmspool-router" -c "$CONF"
	wait_for -t 25 queued 200
	[ -z "$(grep 'error:' "$BATS_TEST_TMPDIR/router1.log")" ]
}

@test "many: one that cannot be routed keeps none of those that are claimed with it" {
	make_router
	start_router
	kill -STOP "$pid_router1"
	batches 1 20
	mkdir "$SPOOL/incoming/1.2.3.7/plan.json" # in the way of what the router writes
	chmod 0 "$SPOOL/incoming/1.2.3.9/1.dcm"
	rm "$SPOOL/incoming/1.2.3.11/series.json"
	mkdir "$SPOOL/incoming/1.2.3.11/.complete"
	kill -CONT "$pid_router1"
	wait_for eval '[ "$(jobs_in outgoing/archive)" -ge 18 ]'
}

@test "many: what was looked at and not complete is taken as soon as it is" {
	GRACE=300ms TIMEOUT=10m
	make_router
	start_router
	mkdir "$SPOOL/receiving/a"
	exec 8<"$SPOOL/receiving/a" && flock 8 # it is connected
	batches 1 4 .assoc.a
	wait_for asleep
	batches 5 5 # looks, and the others' grace is over
	wait_for queued 1
	wait_for asleep
	touch "$SPOOL/incoming/1.2.3.1/.complete"
	wait_for -t 20 queued 2
	mkdir "$SPOOL/incoming/1.2.3.2/.complete"
	wait_for -t 20 queued 3
	touch -d '1 hour ago' "$SPOOL/incoming/1.2.3.3"
	wait_for -t 20 queued 4
	rmdir "$SPOOL/receiving/a"
	wait_for -t 20 queued 5
}

@test "many: a batch that takes the place of one that was looked at, and more events than the kernel keeps" {
	GRACE=300ms TIMEOUT=10m
	make_router
	start_router
	mkdir "$SPOOL/receiving/a"
	exec 8<"$SPOOL/receiving/a" && flock 8
	batches 1 3 .assoc.a
	batches 4 4
	wait_for queued 1
	wait_for asleep
	kill -STOP "$pid_router1"
	mv "$SPOOL/incoming/1.2.3.1" "$SPOOL/aside"
	batches 1 1 .complete
	kill -CONT "$pid_router1"
	wait_for -t 20 queued 2
	wait_for asleep
	kill -STOP "$pid_router1"
	/usr/bin/python3 - "$SPOOL/incoming/.dir" "$(cat /proc/sys/fs/inotify/max_queued_events)" <<-'END'
		import os, sys
		for n in range(int(sys.argv[2])):
		    os.mkdir(sys.argv[1] + str(n % 2))
		    os.rmdir(sys.argv[1] + str(n % 2))
	END
	touch "$SPOOL/incoming/1.2.3.2/.complete"
	kill -CONT "$pid_router1"
	wait_for -t 20 queued 3
}
