# blame.bats: whose failure it is, the table of dcmspool-sender(7), with a sender that plays every row.

load ../helper
load ../router
load dispatch

teardown() {
	stop_all
	show_state
}

@test "a sender that cannot be loaded, or crashes at once, is nobody's failure but ours" {
	own_sender lost <<<'exit 127'
	make_router 'target "lost" { type = lost image_retries = 1 retry_min = 100ms retry_max = 200ms }' \
		'rule "all" { match = "True" targets = { "lost" } }'
	start_all
	images 2
	send "$BATS_TEST_TMPDIR/study"
	wait_for grep -q 'unable to send to lost: send-lost could not be loaded, status 127; it is tried again' \
		"$BATS_TEST_TMPDIR/dispatcher1.log"
	stop "$pid_dispatcher1"
	own_sender lost <<<'kill -SEGV $$'
	start_dispatchers 1
	wait_for eval '[ "$(grep -c "was killed by signal 11" "$BATS_TEST_TMPDIR/dispatcher1.log")" -ge 3 ]'
	[ ! -e "$SPOOL/outgoing/lost/paused.json" ]
	has_jobs error 0
	own_sender lost <<-'END'
		#!/bin/sh
		while read -r image; do printf 'stored\t0000\t%s\tfine\n' "$image"; done
	END
	wait_for has_jobs success 1
	[ "$(cut -f3 "$SPOOL"/success/*/sent.log | sort -u | tr '\n' ' ')" = "stored " ]
}

# make_played: a target whose sender does what the test says: it breaks off at the images (or jobs) whose
# names match a line of the file "breaks", after "per" images of an association, or when "down" is there; "answers"
# has "IMAGE STATUS" for others than success ("wait": no answer, ever; "down": it is, from then on). "sent" has a line for each image that it
# sent, "asked" for each probe.
make_played() {
	own_sender played <<-'END'
		#!/bin/sh
		cd "$TARGET_HOME" || exit 100
		broken() { printf 'target\t-\t-\tbroken off\n'; exit 111; }
		[ ! -e down ] || broken
		[ "$1" != -p ] || { echo asked >>asked; exit 0; }
		n=0 per=$(cat per 2>/dev/null || echo 1000000)
		while read -r image; do
			echo "$image" >>sent
			n=$((n + 1))
			if [ "$n" -gt "$per" ] || echo "$image $DCMSPOOL_JOB" | grep -qf breaks; then
				printf 'doubt\t-\t%s\tbroken off\n' "$image"
				broken
			fi
			status=$(sed -n "s/^$image //p" answers)
			case ${status:-0000} in
			wait) exec tail -f /dev/null ;;
			down) : >down && broken ;;
			never) printf 'never\t-\t%s\tno way\n' "$image" ;;
			0000) printf 'stored\t0000\t%s\tsuccess\n' "$image" ;;
			*) printf 'failed\t%s\t%s\tit said so\n' "$status" "$image" ;;
			esac
		done
	END
	: >breaks && : >answers && : >sent
	make_router "target \"played\" { type = played settings = { \"home=$BATS_TEST_TMPDIR\" }
		retry_min = ${PAUSE:-100ms} retry_max = ${PAUSE:-200ms} image_retries = ${RETRIES:-3} ${GIVE_UP:+give_up = $GIVE_UP} }" \
		'rule "all" { match = "True" targets = { "played" } }'
}
sent_times() { grep -c "^$1.dcm" "$BATS_TEST_TMPDIR/sent"; }

@test "a target that ends each association after an image: nothing is given up, nothing waits, little is sent twice" {
	cd "$BATS_TEST_TMPDIR"
	make_played
	echo 1 >per
	images 40
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for -t 60 has_jobs success 1
	[ "$(images_in "$SPOOL/success")" -eq 40 ]
	[ "$(wc -l <sent)" -le 50 ]
	[ -z "$(journal retried)" ]
	[ ! -e "$SPOOL/outgoing/played/paused.json" ]
}

@test "an image at which a healthy target breaks goes last and alone, then to error/; nobody else waits" {
	cd "$BATS_TEST_TMPDIR"
	make_played
	images 5
	echo "${uid[1]}" >breaks
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for sent_and_given_up 1 1
	[ "$(images_in "$SPOOL/success")" -eq 4 ]
	grep -q "^${uid[1]}.dcm: - broken off" "$SPOOL"/error/*/reason.txt
	[ "$(sort sent | uniq -c | sort -rn | head -n 2 | tail -n 1 | tr -s ' ' | cut -d' ' -f2)" -eq 1 ] # the others once
	[ "$(sent_times "${uid[1]}")" -le 5 ]
	grep -q asked asked
	[ ! -e "$SPOOL/outgoing/played/paused.json" ]
	[ -z "$(grep 'target failed' dispatcher1.log)" ]
}

@test "such an image alone in its job: a series that comes meanwhile goes at once, the target is never paused" {
	cd "$BATS_TEST_TMPDIR"
	PAUSE=300s make_played
	images 1
	echo "${uid[0]}" >breaks
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for eval '[ "$(journal retried | wc -l)" -eq 1 ]'
	has_jobs outgoing/played 1
	[ ! -e "$SPOOL/outgoing/played/paused.json" ]
	study "$BATS_TEST_TMPDIR/good" -s 1 -n 2 -r 16 -c 16 -S 7
	send "$BATS_TEST_TMPDIR/good"
	wait_for has_jobs success 1
	[ "$(cut -f 3 "$SPOOL"/outgoing/played/*/sent.log | tr '\n' ' ')" = "doubt doubt failed " ]
}

@test "a target that breaks at everything, though it answers the probe, is paused; later all goes" {
	cd "$BATS_TEST_TMPDIR"
	RETRIES=20 make_played
	echo dcm >breaks
	for n in 1 2 3; do study "$BATS_TEST_TMPDIR/s$n" -s 1 -n "$n" -r 16 -c 16 -S "$n"; done
	start_all
	for n in 1 2 3; do send "$BATS_TEST_TMPDIR/s$n"; done
	wait_for test -e "$SPOOL/outgoing/played/paused.json"
	wait_for eval '[ "$(grep -c "target failed" dispatcher1.log)" -ge 4 ]'
	has_jobs error 0
	: >breaks
	wait_for has_jobs success 3
	has_jobs error 0
}

@test "out of resources: the target's, nothing counts; unless others are stored at the same time" {
	cd "$BATS_TEST_TMPDIR"
	make_played
	images 4
	for u in "${uid[@]}"; do echo "$u.dcm A700"; done >answers
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for eval '[ "$(grep -c "target failed, paused .*A700 it said so" dispatcher1.log)" -ge 5 ]'
	wait_for eval '[ "$(jq .failures "$SPOOL/outgoing/played/paused.json")" -ge 6 ]'
	has_jobs error 0
	echo "${uid[1]}.dcm 507" >answers
	wait_for sent_and_given_up 1 1
	[ "$(images_in "$SPOOL/success")" -eq 3 ]
	grep -q "^${uid[1]}.dcm: 507" "$SPOOL"/error/*/reason.txt
}

@test "a duplicate (0111) is stored when an earlier try may have arrived; else it is refused, once" {
	cd "$BATS_TEST_TMPDIR"
	make_played
	images 3
	echo "${uid[0]}" >breaks
	echo "${uid[1]}.dcm 0111" >answers
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for grep -qrF "${uid[0]}.dcm	0	broken off" "$SPOOL/sending" "$SPOOL/outgoing"
	echo "${uid[0]}.dcm 0111" >>answers
	: >breaks
	wait_for sent_and_given_up 1 1
	[ "$(sent_times "${uid[1]}")" -eq 1 ]
	grep -q "^${uid[1]}.dcm: 0111 it said so" "$SPOOL"/error/*/reason.txt
	[[ $(ledger "${uid[0]}") == *"stored 0111 "* ]]
	[ "$(ledger "${uid[1]}")" = 'never 0111 1' ]
}

@test "a duplicate (0111) after a kill is refused, for nobody has said that it was sent" {
	cd "$BATS_TEST_TMPDIR"
	make_played
	images 2
	for n in 0 1; do echo "${uid[n]}.dcm wait"; done >answers
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for eval '[ "$(sent_times "${uid[0]}")" -eq 1 ]'
	stop "$pid_dispatcher1" KILL
	for n in 0 1; do echo "${uid[n]}.dcm 0111"; done >answers
	start_dispatchers 1
	wait_for has_jobs error 1
	[ "$(ledger "${uid[0]}")" = 'never 0111 1' ]
	grep -q "^${uid[1]}.dcm: 0111 it said so" "$SPOOL"/error/*/reason.txt
}

@test "a target that fails for too long in the middle of a job: killed after the split, only the rest is a success" {
	cd "$BATS_TEST_TMPDIR"
	GIVE_UP=1s make_played
	images 2
	echo "${uid[1]}.dcm down" >answers
	ROUTERS=1 DISPATCHERS=0
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for has_jobs outgoing/played 1
	start victim strace -qq -o /dev/null -P "${uid[1]}.dcm" \
		-e trace=unlinkat -e inject=unlinkat:signal=SIGKILL:when=1 "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for ended "$pid_victim"
	has_jobs error 1
	has_images "$SPOOL/sending" 2
	start_dispatchers 1
	wait_for sent_and_given_up 1 1
	[ "$(find "$SPOOL/success" "$SPOOL/error" -name '*.dcm' -printf '%f\n' | sort | tr '\n' ' ')" = \
		"${uid[0]}.dcm ${uid[1]}.dcm " ]
	[ "$(ledger "${uid[1]}")" = 'never - 1' ]
	grep -q "could not be used for these images since" "$SPOOL"/error/*/reason.txt
}

@test "an image that can never be sent is not tried again; nor by the next dispatcher" {
	cd "$BATS_TEST_TMPDIR"
	make_played
	images 3
	printf '%s.dcm never\n%s.dcm a900\n' "${uid[0]}" "${uid[1]}" >answers
	start_all
	send "$BATS_TEST_TMPDIR/study"
	wait_for eval '[ "$(sent_times "${uid[1]}")" -ge 2 ]'
	stop "$pid_dispatcher1" KILL
	start_dispatchers 1
	wait_for sent_and_given_up 1 1
	[ "$(sent_times "${uid[0]}")" -eq 1 ]
	[ "$(sent_times "${uid[1]}")" -ge 3 ]
	[ "$(ledger "${uid[0]}")" = 'never - 1' ]
	grep -q "^${uid[0]}.dcm: - no way" "$SPOOL"/error/*/reason.txt
}
