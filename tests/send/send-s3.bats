#!/usr/bin/env bats
# send-s3 against the contract of dcmspool-sender(7). fakes3.py checks every signature; a real server,
# npm's s3rver, is asked as well when DCMSPOOL_S3RVER names its program.
# bats file_tags=sender

load ../helper
load sender

# s3 ANSWER...: a server with the bucket images
s3() {
	PORT=$(free_port)
	mkdir -p "$BATS_TEST_TMPDIR/s3/images"
	bucket=$BATS_TEST_TMPDIR/s3/images
	start s3 python3 "$TOP/tests/tools/fakes3.py" "$PORT" "$BATS_TEST_TMPDIR/s3" "$@"
	wait_for listens "$PORT"
	settings
}

settings() {
	printf 'AKIDEXAMPLE:se:cret/"\\+key\nmore\n' >"$BATS_TEST_TMPDIR/key"
	chmod 600 "$BATS_TEST_TMPDIR/key"
	unset TARGET_PATH
	export TARGET_URL=http://127.0.0.1:$PORT/images TARGET_REGION=eu-test-1 \
		TARGET_KEY_FILE=$BATS_TEST_TMPDIR/key TARGET_LAYOUT='{PatientID}/{SOPInstanceUID}.dcm'
}

objects() { find "$bucket" -type f | wc -l; }
requests() { grep -c "^$1" "$BATS_TEST_TMPDIR/s3.log"; }

@test "send-s3: signed, whole, byte for byte; keys with anything in them" {
	s3 ok
	images 1 -i "$(printf 'M\303\274ller & S\303\266hne; a+b=c%%20 (x)~!'"'"'$@,#[]{}^`')"
	mv "$job/1.dcm" "$job/2.dcm"
	dcmodify -q -nb -i '0008,0005=ISO_IR 192' "$job/2.dcm"
	images 1 -r 1024 -c 1024 -i PAT1 # more than 1 MB: curl asks with "Expect: 100-continue"
	send s3 1.dcm 2.dcm
	echo "$output"
	cat "$BATS_TEST_TMPDIR/stderr" "$BATS_TEST_TMPDIR/s3.log"
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t-\t[12].dcm\tstored$')" -eq 2 ]
	cmp "$job/1.dcm" "$bucket/PAT1/$(uid 1.dcm).dcm"
	cmp "$job/2.dcm" "$bucket"/M*/"$(uid 2.dcm).dcm"
	[[ $(cd "$bucket" && echo M*) = $'M\303\274ller & S\303\266hne; a+b=c%20 (x)~!\'$@,#[]{}^`' ]]
	export TARGET_URL=${TARGET_URL/127.0.0.1/localhost}/a/prefix
	send s3 1.dcm
	[ "$status" -eq 0 ]
	cmp "$job/1.dcm" "$bucket/a/prefix/PAT1/$(uid 1.dcm).dcm"
}

@test "send-s3: many images, over few connections; twice the same is once" {
	s3 ok
	images 150 -i PAT1
	for again in 1 2; do
		send s3 {1..150}.dcm
		[ "$status" -eq 0 ]
		[ "$(count '^stored')" -eq 150 ]
		[ "$(objects)" -eq 150 ]
	done
	cp "$job/1.dcm" "$job/uid~2.dcm"
	send s3 1.dcm 'uid~2.dcm'
	[ "$status" -eq 0 ]
	[ -f "$bucket/PAT1/$(uid 1.dcm)~2.dcm" ]
}

@test "send-s3: one refused image fails alone, with its reason" {
	images 4 -i PAT1
	s3 "$(uid 2.dcm)=400:EntityTooLarge" "$(uid 3.dcm)=413"
	send s3 {1..4}.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	grep -q $'^failed\t400\t2.dcm\tHTTP status 400 EntityTooLarge: It is EntityTooLarge. So there.$' <<<"$output"
	grep -q $'^failed\t413\t3.dcm\tHTTP status 413$' <<<"$output"
	head -c 300 /dev/zero >"$job/bad.dcm"
	send s3 bad.dcm missing.dcm 1.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^failed')" -eq 2 ]
}

@test "send-s3: what no image would survive is the target's, told once" {
	images 3 -i PAT1
	for fault in 403:SignatureDoesNotMatch 403:AccessDenied 403 404:NoSuchBucket 429 301:PermanentRedirect \
		400:AuthorizationHeaderMalformed 200 201 405 501:NotImplemented flood; do
		s3 ok "$fault"
		send s3 {1..3}.dcm
		echo "$fault: $output"
		stop_all
		[ "$status" -eq 111 ]
		[ "$(count '^stored')" -eq 1 ]
		[ "$(count "^target"$'\t-\t-\t'"$TARGET_URL: ")" -eq 1 ]
		[ "$(wc -l <<<"$output")" -eq 2 ]
	done
}

@test "send-s3: no server, a wrong key, region, bucket or clock" {
	images 1 -i PAT1
	s3 ok
	TARGET_URL=http://127.0.0.1:$(free_port)/images send s3 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\thttp://127.0.0.1:'*': Failed to connect to '* ]]
	TARGET_URL=http://127.0.0.1:$PORT/other send s3 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *'HTTP status 404 NoSuchBucket: '*'; make it, or see TARGET_URL' ]]
	TARGET_REGION=us-east-1 send s3 1.dcm
	[[ $output = $'target\t'*'AuthorizationHeaderMalformed'*'; see TARGET_REGION' ]]
	echo 'AKIDEXAMPLE:wrong' >"$TARGET_KEY_FILE"
	send s3 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t'*'SignatureDoesNotMatch'*'; see TARGET_KEY_FILE' ]]
	echo 'SOMEBODY:wrong' >"$TARGET_KEY_FILE"
	send s3 1.dcm
	[[ $output = $'target\t'*'InvalidAccessKeyId'*'; see TARGET_KEY_FILE' ]]
	[ "$(objects)" -eq 0 ]
}

@test "send-s3: an image at which the upload breaks is in doubt, one without room fails so; the others go on" {
	local result
	images 4 -i PAT1
	for fault in 500:InternalError close 502 408 400:RequestTimeout 503:SlowDown 507; do
		s3 "$(uid 2.dcm)=$fault"
		send s3 {1..4}.dcm
		echo "$fault: $output"
		stop_all
		[ "$(count '^stored')" -eq 3 ]
		case $fault in
		50[37]*) grep -q $'^failed\t'"${fault%%:*}"$'\t2.dcm\t' <<<"$output" && [ "$status" -eq 1 ] ;;
		*) grep -q $'^doubt\t-\t2.dcm\t' <<<"$output" && grep -q ^target <<<"$output" && [ "$status" -eq 111 ] ;;
		esac
		[ "$(objects)" -eq 3 ]
		rm -r "$bucket"
	done
	for fault in 500:InternalError close 503:SlowDown; do # for good
		s3 ok "$fault"
		send s3 {1..4}.dcm
		stop_all
		[ "$status" -eq 111 ]
		result=doubt
		[ "$fault" != 503:SlowDown ] || result=failed
		[ "$(cut -f1 <<<"$output" | tr '\n' ' ')" = "stored $result $result target " ]
	done
}

@test "send-s3: a server that never answers" {
	images 2 -i PAT1
	s3 ok hang
	TARGET_TIMEOUT=1 send s3 1.dcm 2.dcm
	[ "$status" -eq 111 ]
	[ "$(count '^stored')" -eq 1 ]
	[[ $output = *$'\ntarget\t-\t-\t'* ]]
}

@test "send-s3: an answer that does not come to its end" {
	images 2 -i PAT1
	export TARGET_TIMEOUT=1
	for fault in drip dripheader; do
		s3 "LIST=$fault"
		start "probe_$fault" "$BIN/send-s3" -p
		s3 ok "$fault"
		start "$fault" bash -c 'cd "$1" && printf "%s\n" 1.dcm 2.dcm | "$2" 2>/dev/null' - "$job" "$BIN/send-s3"
	done
	for fault in drip dripheader probe_drip probe_dripheader; do
		local pid=pid_$fault status=0
		wait "${!pid}" || status=$?
		[ "$status" -eq 111 ]
		grep -q $'^target\t-\t-\t' "$BATS_TEST_TMPDIR/$fault.log"
		[[ $fault = probe_* ]] || grep -q '^stored' "$BATS_TEST_TMPDIR/$fault.log"
		[ "$fault" = dripheader ] || grep -q '(curl 28)' "$BATS_TEST_TMPDIR/$fault.log"
	done
}

@test "send-s3: a success that is told too early, or with a page, is none" {
	images 1 -r 4096 -c 4096 -i PAT1 # more than the kernel's buffers on the way can hold
	for fault in early spa; do
		s3 "$fault"
		send s3 1.dcm
		echo "$fault: $output"
		[ "$status" -eq 111 ]
		case $fault in
		early) [[ $output = $'doubt\t-\t1.dcm\tsuccess was'*$'\ntarget\t-\t-\t'*'success was told before the image was sent' ]] ;;
		spa) [[ $output = $'target\t-\t-\t'*'has a text, so this is no S3 server; see TARGET_URL' ]] ;;
		esac
		stop_all
	done
}

# bats test_tags=both
@test "send-s3: the secret is in no argument and in no environment, and its file must be private" {
	images 1 -i PAT1
	s3 hang
	cd "$job"
	echo 1.dcm >"$BATS_TEST_TMPDIR/list"
	# shellcheck disable=SC2016 # the inner shell's words
	start sender sh -c 'exec "$0" <"$1"' "$BIN/send-s3" "$BATS_TEST_TMPDIR/list"
	curl_runs() { curl=$(pgrep -P "$pid_sender" -x curl); }
	wait_for curl_runs
	run grep -zc 'se:cret' "/proc/$curl/cmdline"
	[ "$output" -eq 0 ]
	run grep -zc 'se:cret' "/proc/$curl/environ"
	[ "$output" -eq 0 ]
	stop "$pid_sender" KILL
	gone() { [ ! -d "/proc/$1" ]; }
	wait_for gone "$curl"
	stop_all
	s3 ok
	for mode in 640 604 622; do
		chmod "$mode" "$TARGET_KEY_FILE"
		send s3 1.dcm
		[ "$status" -eq 100 ]
		[[ $output = $'target\t-\t-\tothers may read the secret file '*"chmod 600 $TARGET_KEY_FILE" ]]
	done
	chmod 400 "$TARGET_KEY_FILE"
	send s3 1.dcm
	[ "$status" -eq 0 ]
	if [ "$(id -u)" -eq 0 ]; then
		chown 1234 "$TARGET_KEY_FILE"
		send s3 1.dcm
		[ "$status" -eq 100 ]
		[[ $output = *'belongs to another user'* ]]
		chown 0 "$TARGET_KEY_FILE"
	fi
	chmod 600 "$TARGET_KEY_FILE"
	for line in '' nocolon ':x' 'x:' $'a b:c'; do
		printf '%s\n' "$line" >"$TARGET_KEY_FILE"
		send s3 1.dcm
		[ "$status" -eq 100 ]
		[[ $output = *'he first line of '* ]]
	done
	TARGET_KEY_FILE=/nonexistent send s3 1.dcm
	[[ $output = *'unable to read the secret file /nonexistent (TARGET_KEY_FILE): No such file'* ]]
	TARGET_KEY_FILE=/tmp send s3 1.dcm
	[[ $output = *'is no regular file' ]]
}

@test "send-s3: bad settings are permanent errors" {
	images 1
	s3 ok
	for setting in TARGET_URL= TARGET_URL=ftp://h/b TARGET_URL=http:// 'TARGET_URL=http://h/b?x' 'TARGET_URL=http://h/ b' \
		'TARGET_REGION=a:b' 'TARGET_REGION=a"b' TARGET_LAYOUT='{Modality}/{InstanceNumber}' 'TARGET_LAYOUT=x' \
		TARGET_TIMEOUT=0 TARGET_RATE_LIMIT=x TARGET_MARKER=a/b TARGET_KEY_FILE=; do
		run env "$setting" "$BIN/send-s3" <<<1.dcm
		echo "$setting: $output"
		[ "$status" -eq 100 ]
	done
	[ "$(requests PUT)" -eq 0 ]
	TARGET_CA_FILE=/nonexistent TARGET_URL=https://127.0.0.1:$PORT/images send s3 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t'*'(curl 77)' ]]
	CURL_CA_BUNDLE=/nonexistent TARGET_URL=https://127.0.0.1:$PORT/images send s3 1.dcm # without ca-certificates
	[[ $output = $'target\t'*'(curl 77); install ca-certificates' ]]
	PATH=/nonexistent run "$BIN/send-s3" -p </dev/null
	[ "$status" -eq 126 ] # ours
	[[ $output = *"unable to run curl"*"install it" ]]
}

@test "send-s3: the marker is the last object of its directory, before the last answer" {
	images 2 -i PAT2
	mv "$job/1.dcm" "$job/a.dcm"
	mv "$job/2.dcm" "$job/b.dcm"
	images 3 -i PAT1
	s3 ok
	export TARGET_MARKER=complete
	send s3 1.dcm a.dcm 2.dcm b.dcm
	[ "$status" -eq 0 ]
	[ "$(find "$bucket" -name complete)" = "$bucket/PAT2/complete" ] # 3.dcm is not there
	[ ! -s "$bucket/PAT2/complete" ]
	printf 'now\tt\tstored\t-\t%s\t1\tstored\n' 1.dcm 2.dcm >"$job/sent.log"
	send s3 3.dcm
	[ "$status" -eq 0 ]
	[ "$(tail -n 2 "$BATS_TEST_TMPDIR/s3.log")" = "PUT 200 /images/PAT1/$(uid 3.dcm).dcm
PUT 200 /images/PAT1/complete" ]
	stop_all
	rm -r "$bucket"
	s3 complete=400:InvalidRequest
	send s3 1.dcm 2.dcm 3.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[[ $output = *$'failed\t400\t3.dcm\tthe marker of its directory was refused: HTTP status 400 InvalidRequest'* ]]
	stop_all
	s3 complete=500:InternalError
	send s3 1.dcm 2.dcm 3.dcm
	[ "$status" -eq 111 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(count '^target')" -eq 1 ]
}

@test "send-s3: killed in the middle, it has told nothing untrue" {
	images 6 -i PAT1
	s3 ok
	cd "$job"
	printf '%s\n' {1..6}.dcm >"$BATS_TEST_TMPDIR/list"
	for n in 1 3 5; do
		strace -o /dev/null -e trace=write -e inject=write:signal=KILL:when=$n "$BIN/send-s3" \
			<"$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/out" || true
		while IFS=$'\t' read -r result _ file _; do
			[ "$result" != stored ] || cmp "$file" "$bucket/PAT1/$(uid "$file").dcm"
		done <"$BATS_TEST_TMPDIR/out"
		send s3 {1..6}.dcm
		[ "$status" -eq 0 ]
		[ "$(objects)" -eq 6 ]
	done
}

@test "send-s3: the rate is limited over small images as well" {
	images 8 -i PAT1
	s3 ok
	size=$(stat -c %s "$job/1.dcm")
	began=$(date +%s%N)
	TARGET_RATE_LIMIT=$((size * 4)) send s3 {1..8}.dcm
	[ "$status" -eq 0 ]
	[ $(($(date +%s%N) - began)) -ge 1900000000 ] # never less, however slow the machine
}

@test "send-s3: -p asks for the bucket" {
	s3 ok
	probe s3
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(cat "$BATS_TEST_TMPDIR/s3.log")" = 'GET 200 /images?list-type=2&max-keys=0' ]
	TARGET_URL=http://127.0.0.1:$PORT/other probe s3
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'NoSuchBucket'* ]]
	TARGET_REGION=x probe s3
	[ "$status" -eq 111 ]
	for answer in 403:AccessDenied 404:NoSuchKey 503:SlowDown 403:InvalidAccessKeyId 404 hang; do
		stop_all
		s3 "LIST=$answer"
		export TARGET_TIMEOUT=1
		probe s3
		echo "$answer: $output"
		case $answer in
		403:AccessDenied | 404:NoSuchKey) [ "$status" -eq 0 ] && [ -z "$output" ] ;;
		*) [ "$status" -eq 111 ] && [[ $output = $'target\t-\t-\t'* ]] ;;
		esac
	done
}

# probe_job: as a dispatcher asks that has a job to send
probe_job() { run bash -c '"$1" -p </dev/null 2>"$2"' - "$BIN/send-s3" "$BATS_TEST_TMPDIR/stderr"; }

@test "send-s3: -p with a job: whoever refuses to list only can be used" {
	for answer in 400:InvalidRequest 405:MethodNotAllowed 404 501:NotImplemented 403:AccessDenied; do
		s3 "LIST=$answer"
		probe_job
		echo "$answer: $output"
		[ "$status" -eq 0 ] && [ -z "$output" ]
		grep -q 'refuses to list, so it is there' "$BATS_TEST_TMPDIR/stderr"
		[ "$answer" = 403:AccessDenied ] || {
			probe s3
			[ "$status" -eq 111 ]
		}
		stop_all
	done
	for answer in 404:NoSuchBucket 403:SignatureDoesNotMatch 403:InvalidAccessKeyId 400:AuthorizationHeaderMalformed \
		429:SlowDown 500:InternalError 503 spa; do
		s3 "LIST=$answer"
		probe_job
		echo "$answer: $output"
		[ "$status" -eq 111 ] && [[ $output = $'target\t-\t-\t'* ]]
		stop_all
	done
}

@test "send-s3: a real server" {
	s3rver=${DCMSPOOL_S3RVER:-$(command -v s3rver || true)}
	[ -n "$s3rver" ] || skip "s3rver is not there (npm install s3rver; DCMSPOOL_S3RVER=.../node_modules/.bin/s3rver)"
	PORT=$(free_port)
	start s3rver "$s3rver" --directory "$BATS_TEST_TMPDIR/real" --address 127.0.0.1 --port "$PORT" \
		--configure-bucket images
	wait_for listens "$PORT"
	settings
	echo S3RVER:S3RVER >"$TARGET_KEY_FILE"
	export TARGET_REGION=us-east-1 TARGET_MARKER=complete
	images 20 -i "$(printf 'M\303\274ller (x) a+b=c')"
	dcmodify -q -nb -m '0008,0005=ISO_IR 192' "$job"/*.dcm
	send s3 {1..20}.dcm
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 20 ]
	key=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' \
		"$(printf 'M\303\274ller (x) a+b=c')/$(uid 20.dcm).dcm")
	curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user S3RVER:S3RVER \
		-H "x-amz-content-sha256: $(sha256sum </dev/null | cut -d ' ' -f 1)" "$TARGET_URL/$key" | cmp - "$job/20.dcm"
	probe s3
	echo "$output"
	[ "$status" -eq 0 ]
	TARGET_URL=http://127.0.0.1:$PORT/other probe s3
	[ "$status" -eq 111 ]
	TARGET_URL=http://127.0.0.1:$PORT/other send s3 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t'*NoSuchBucket* ]]
	echo SOMEBODY:S3RVER >"$TARGET_KEY_FILE" # s3rver 3.7 does not look at signatures of version 4
	send s3 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t'*InvalidAccessKeyId* ]]
}
