#!/usr/bin/env bats
# send-dicomweb: credentials, settings, TLS, the probe, memory, curl.
# bats file_tags=sender

load ../helper
load sender
load dicomweb

@test "send-dicomweb: basic and bearer credentials, from files, in no argument" {
	images 1
	web
	secret PASSWORD_FILE 'ä"\ : $x'
	TARGET_USERNAME='b "c' send dicomweb 1.dcm
	[ "$status" -eq 0 ]
	grep -q "Basic $(printf %s 'b "c:ä"\ : $x' | base64)" "$BATS_TEST_TMPDIR/web.log"
	unset TARGET_PASSWORD_FILE
	secret TOKEN_FILE 'abc.def-"ghi"=='
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '%s\n' '#!/bin/sh' 'printf "%s\n" "$@" >>"$BATS_TEST_TMPDIR/arguments"' "exec $(command -v curl) \"\$@\"" \
		>"$BATS_TEST_TMPDIR/bin/curl"
	chmod +x "$BATS_TEST_TMPDIR/bin/curl"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH send dicomweb 1.dcm
	[ "$status" -eq 0 ]
	grep -q 'Bearer abc.def-"ghi"==' "$BATS_TEST_TMPDIR/web.log"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arguments")" -eq 3 ]
	lacks arguments abc
}

@test "send-dicomweb: the token is read for each request" {
	images 2
	web
	secret TOKEN_FILE one
	mkdir "$BATS_TEST_TMPDIR/bin" # a curl that replaces the token when it has read it
	printf '%s\n' '#!/bin/sh' "$(command -v curl) \"\$@\"; status=\$?" '(umask 077; echo two >"$TARGET_TOKEN_FILE")' 'exit $status' \
		>"$BATS_TEST_TMPDIR/bin/curl"
	chmod +x "$BATS_TEST_TMPDIR/bin/curl"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH TARGET_REQUEST_SIZE=1 send dicomweb 1.dcm 2.dcm
	[ "$status" -eq 0 ]
	[ "$(grep -o 'Bearer [a-z]*' "$BATS_TEST_TMPDIR/web.log" | tr '\n' ' ')" = 'Bearer one Bearer two ' ]
}

@test "send-dicomweb: settings that can never work" {
	images 1
	web
	secret TOKEN_FILE x
	secret PASSWORD_FILE y
	local setting
	for setting in URL= URL=ftp://a URL=http:///x URL=http://a@b/ URL='http://a/"x' URL='http://a/?q' TIMEOUT=0 \
		REQUEST_SIZE=0 CA_FILE=/nonexistent USERNAME=a:b USERNAME= USERNAME=$'a\nb'; do
		run env -u TARGET_TOKEN_FILE "TARGET_$setting" bash -c 'cd "$1" && echo 1.dcm | "$2"' - "$job" "$BIN/send-dicomweb"
		echo "$setting: $output"
		[ "$status" -eq 100 ]
		[[ $output = $'target\t-\t-\t'* ]]
	done
	TARGET_USERNAME=a send dicomweb 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *"both a token and a user"* ]]
	TARGET_USERNAME=a TARGET_TOKEN_FILE= TARGET_PASSWORD_FILE= send dicomweb 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *"set both or none"* ]]
	unset TARGET_PASSWORD_FILE
	chmod 644 "$TARGET_TOKEN_FILE"
	send dicomweb 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *"chmod 600"* ]]
}

@test "send-dicomweb: TLS, with our authority only and for the right name only" {
	images 1
	cd "$BATS_TEST_TMPDIR"
	for name in localhost elsewhere; do
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
			-keyout "$name.key" -out "$name.crt" 2>/dev/null
	done
	web --tls localhost.crt localhost.key
	TARGET_URL=${TARGET_URL/http:\/\/127.0.0.1/https://localhost}
	send dicomweb 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"certificate is not trusted by this machine; if"* ]]
	CURL_CA_BUNDLE=$BATS_TEST_TMPDIR/none send dicomweb 1.dcm # as without ca-certificates
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"install ca-certificates"* ]]
	TARGET_CA_FILE=$BATS_TEST_TMPDIR/elsewhere.crt send dicomweb 1.dcm
	[[ $output = $'target\t-\t-\t'*"certificate is not trusted; see ca_file"* ]]
	CURL_CA_BUNDLE=/nonexistent send dicomweb 1.dcm # as if there were none
	[[ $output = $'target\t-\t-\t'*"knows no authority for certificates; install ca-certificates"* ]]
	TARGET_CA_FILE=$BATS_TEST_TMPDIR/localhost.crt send dicomweb 1.dcm
	[ "$status" -eq 0 ]
	TARGET_CA_FILE=$BATS_TEST_TMPDIR/localhost.key send dicomweb 1.dcm
	[ "$status" -eq 111 ]
	web --tls elsewhere.crt elsewhere.key
	TARGET_URL=${TARGET_URL/http:\/\/127.0.0.1/https://localhost}
	TARGET_CA_FILE=$BATS_TEST_TMPDIR/elsewhere.crt send dicomweb 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *"certificate"* ]]
	lacks web.log POST
}

@test "send-dicomweb: the probe tells a server from none, whatever it thinks of searches" {
	for answer in ok 200 400 403 404 405 501; do
		web "$answer"
		probe
		echo "$answer: $output"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
		lacks web.log POST
	done
	for answer in 401 500 503 301 hang; do
		web "$answer"
		TARGET_TIMEOUT=1 probe
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\t'* ]]
	done
	stop_all
	probe
	[ "$status" -eq 111 ]
}

@test "send-dicomweb: memory does not grow with the images" {
	images 2
	truncate -s +300M "$job/1.dcm"
	web
	cat >"$BATS_TEST_TMPDIR/measure.py" <<-'END'
		import resource, subprocess, sys
		subprocess.run(sys.argv[1:], check=True)
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
	END
	TARGET_REQUEST_SIZE=1000000000 run bash -c 'cd "$1" && printf "%s\n" 1.dcm 2.dcm |
		python3 ../measure.py "$2" 2>../kilobytes' - "$job" "$BIN/send-dicomweb"
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(requests)" -eq 1 ]
	[ "$(<"$BATS_TEST_TMPDIR/kilobytes")" -lt 100000 ] # AddressSanitizer takes most of it when it is there
}

@test "send-dicomweb: curl dies with the sender" {
	images 1
	web hang
	start sender bash -c 'cd "$1" && exec "$2" < <(echo 1.dcm)' - "$job" "$BIN/send-dicomweb"
	wait_for pgrep -P "$pid_sender" curl
	curl=$(pgrep -P "$pid_sender" curl)
	stop "$pid_sender" KILL
	gone() { ! kill -0 "$curl" 2>/dev/null; }
	wait_for gone
	[ "$(ls "$job")" = 1.dcm ]
}

@test "send-dicomweb: without curl it says so" {
	images 1
	mkdir "$BATS_TEST_TMPDIR/empty"
	TARGET_URL=http://127.0.0.1:1 run env PATH="$BATS_TEST_TMPDIR/empty" "$BIN/send-dicomweb" -p </dev/null
	[ "$status" -eq 126 ] # ours
	[[ $output = *"unable to run curl"*"install it" ]]
	[ "$(count ^target)" -eq 0 ]
}
