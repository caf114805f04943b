#!/usr/bin/env bats
# send-dicomweb against the contract of dcmspool-sender(7): a real Orthanc, and a fake that plays faults.
# bats file_tags=sender

load ../helper
load sender
load dicomweb

# orthanc: a real server that wants alice's password.
orthanc() {
	local plugin=/usr/share/orthanc/plugins/libOrthancDicomWeb.so port
	[ -e "$plugin" ] || skip "orthanc-dicomweb is not installed"
	port=$(free_port)
	mkdir "$BATS_TEST_TMPDIR/db"
	cat >"$BATS_TEST_TMPDIR/orthanc.json" <<-END
		{ "StorageDirectory": "$BATS_TEST_TMPDIR/db", "IndexDirectory": "$BATS_TEST_TMPDIR/db",
		  "HttpPort": $port, "HttpBindAddresses": ["127.0.0.1"], "DicomServerEnabled": false,
		  "RemoteAccessAllowed": true, "AuthenticationEnabled": true, "SaveJobs": false,
		  "RegisteredUsers": { "alice": "a \\"\\\\: b" },
		  "Plugins": ["$plugin"], "DicomWeb": { "Enable": true, "Root": "/dicom-web/" } }
	END
	export TARGET_URL=http://127.0.0.1:$port/dicom-web/ TARGET_USERNAME=alice
	secret PASSWORD_FILE 'a "\: b'
	start orthanc Orthanc "$BATS_TEST_TMPDIR/orthanc.json"
	wait_for listens "$port"
}

# retrieved NAME: the image comes out of Orthanc as it went in.
retrieved() {
	curl -sf -u 'alice:a "\: b' -X POST -d "$(uid "$1")" "${TARGET_URL%dicom-web/}tools/lookup" >"$BATS_TEST_TMPDIR/found"
	curl -sf -u 'alice:a "\: b' "${TARGET_URL%dicom-web/}instances/$(jq -r '.[0].ID' "$BATS_TEST_TMPDIR/found")/file" \
		>"$BATS_TEST_TMPDIR/back.dcm"
	cmp "$job/$1" "$BATS_TEST_TMPDIR/back.dcm"
}

faultless() { lacks web.log ERROR; }
# told: the answers in short, sorted by image.
told() { sort -t$'\t' -k3V <<<"$output" | cut -f1-3 | tr '\t\n' ' ;'; }

@test "send-dicomweb: Orthanc gets every image once, its bytes as they were" {
	images 7
	orthanc
	send dicomweb {1..7}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000\t[1-7].dcm\tsuccess$')" -eq 7 ]
	for i in {1..7}; do retrieved $i.dcm; done
	[ "$(ls "$job" | wc -l)" -eq 7 ] # nothing is added to the job
}

@test "send-dicomweb: an image that Orthanc cannot read fails alone" {
	images 4
	orthanc
	head -c 1300 "$job/2.dcm" >"$job/cut.dcm" # its header is whole
	mv "$job/cut.dcm" "$job/2.dcm"
	send dicomweb {1..4}.dcm
	[ "$status" -eq 1 ]
	[ "$(told)" = "stored 0000 1.dcm;failed 400 2.dcm;stored 0000 3.dcm;stored 0000 4.dcm;" ]
	grep -q 'HTTP 400' <<<"$output"
	retrieved 4.dcm
}

@test "send-dicomweb: Orthanc refuses a wrong password, and the probe says so before" {
	images 1
	orthanc
	probe
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	secret PASSWORD_FILE wrong
	probe
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'HTTP 401: the credentials'* ]]
	send dicomweb 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*'HTTP 401: the credentials'* ]]
}

@test "send-dicomweb: what the answer says of each image is told" {
	images 12
	web "$(uid 2.dcm)=fA700" "$(uid 3.dcm)=f0122" "$(uid 4.dcm)=fC000" "$(uid 5.dcm)=wB000" "$(uid 6.dcm)=wB007" \
		"$(uid 7.dcm)=f0110" "$(uid 8.dcm)=f" "$(uid 9.dcm)=wA700" "$(uid 10.dcm)=both" "$(uid 11.dcm)=fC122" \
		"$(uid 12.dcm)=r0110"
	send dicomweb {1..12}.dcm
	[ "$status" -eq 1 ]
	[ "$(told)" = "stored 0000 1.dcm;failed A700 2.dcm;failed 0122 3.dcm;failed C000 4.dcm;stored B000 5.dcm;\
stored B007 6.dcm;failed 0110 7.dcm;failed - 8.dcm;failed A700 9.dcm;failed - 10.dcm;failed C122 11.dcm;failed 0110 12.dcm;" ]
	grep -q 'out of resources' <<<"$output"
	[ "$(requests)" -eq 1 ]
	faultless
}

@test "send-dicomweb: all refused with 409, answers in a list, answers without classes" {
	images 2
	web "$(uid 1.dcm)=f0110" "$(uid 2.dcm)=f0111"
	send dicomweb {1..2}.dcm
	[ "$status" -eq 1 ]
	[ "$(told)" = "failed 0110 1.dcm;failed 0111 2.dcm;" ]
	for answer in list bare; do
		web "$answer"
		send dicomweb {1..2}.dcm
		[ "$status" -eq 0 ]
		[ "$(told)" = "stored 0000 1.dcm;stored 0000 2.dcm;" ]
	done
}

@test "send-dicomweb: an answer in XML, as older servers give it" {
	images 5
	web xml "$(uid 2.dcm)=fA700" "$(uid 3.dcm)=wB007" "$(uid 4.dcm)=r0110"
	send dicomweb {1..5}.dcm
	echo "$output"
	[ "$status" -eq 1 ]
	[ "$(told)" = "stored 0000 1.dcm;failed A700 2.dcm;stored B007 3.dcm;failed 0110 4.dcm;stored 0000 5.dcm;" ]
	faultless
}

@test "send-dicomweb: an image that the answer does not name, or of another class, is not stored" {
	images 5
	web "$(uid 2.dcm)=omit" "$(uid 4.dcm)=class" "$(uid 5.dcm)=other"
	send dicomweb {1..5}.dcm
	[ "$status" -eq 111 ]
	echo "$output"
	[ "$(told)" = "stored 0000 1.dcm;doubt - 2.dcm;stored 0000 3.dcm;doubt - 4.dcm;failed 409 5.dcm;target - -;" ]
	grep -q $'^doubt\t-\t2.dcm\t.*does not mention' <<<"$output"
	[ "$(grep -c 'parts=1 ' "$BATS_TEST_TMPDIR/web.log")" -eq 3 ] # each of them alone, once
}

@test "send-dicomweb: nothing is stored when the answer is none" {
	local answer names=({1..4}.dcm)
	images 4
	for answer in liar nobody garbage html cutxml cut close 200 204 500 500+ early; do
		web "$answer"
		[ "$answer" != early ] || names=(1.dcm) # so small that it hangs; curl takes 5 s longer than the timeout
		TARGET_TIMEOUT=1 send dicomweb "${names[@]}"
		echo "$answer: $output"
		[ "$status" -eq 111 ]
		[ "$(cut -f1 <<<"$output" | uniq | tr "\n" " ")" = "doubt target " ]
		faultless
		stop_all
	done
}

@test "send-dicomweb: success that is told before the images were sent is none" {
	images 3 -r 2048 -c 2048 # more than the kernel's buffers on the way can hold
	web early
	send dicomweb {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1 <<<"$output" | uniq | tr '\n' ' ')" = 'doubt target ' ]
}

@test "send-dicomweb: a server that cannot be used costs no image anything" {
	images 3
	for answer in 401 403 404 405 406 429 301 307 308; do
		web "$answer"
		send dicomweb {1..3}.dcm
		echo "$output"
		[ "$status" -eq 111 ]
		[[ $output = $'target\t-\t-\thttp://127.0.0.1:'*"HTTP $answer: "* ]]
		[ "$(requests)" -eq 1 ]
		stop_all
	done
	[[ $output = *"not followed"*"http://elsewhere.example/dicom-web" ]]
	web 429
	send dicomweb {1..3}.dcm
	[[ $output = *"HTTP 429: "*"; it says to wait 120" ]]
	stop_all
	send dicomweb 1.dcm # nobody listens any more
	[ "$status" -eq 111 ]
	[[ $output = $'target\t-\t-\t'*"connect"* ]]
	TARGET_URL=http://no-such-host.invalid send dicomweb 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = *"resolve"* ]]
}

@test "send-dicomweb: a service that has moved within its host is followed, by 307 and 308 only" {
	images 3
	web moved
	size=$(stat -c %s "$job/1.dcm")
	TARGET_REQUEST_SIZE=$size send dicomweb {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 3 ]
	[ "$(grep -c '^POST /dicom-web/studies ' "$BATS_TEST_TMPDIR/web.log")" -eq 1 ]
	[ "$(grep -c '^POST /new/studies ' "$BATS_TEST_TMPDIR/web.log")" -eq 3 ]
	faultless
}

@test "send-dicomweb: a server that hangs, trickles or floods is given up" {
	images 1
	for answer in hang stall drip slow huge; do
		web "$answer"
		# shellcheck disable=SC2016 # the inner shell's words
		TARGET_TIMEOUT=1 start "$answer" bash -c 'cd "$1" && exec "$2" <<<1.dcm 2>/dev/null' - "$job" "$BIN/send-dicomweb"
	done
	for answer in hang stall drip slow huge; do
		local pid=pid_$answer status=0
		wait "${!pid}" || status=$?
		[ "$status" -eq 111 ]
		[ "$(cut -f1 "$BATS_TEST_TMPDIR/$answer.log" | tr '\n' ' ')" = 'doubt target ' ]
	done
}

@test "send-dicomweb: what was answered before the server broke counts" {
	images 4
	web ok close
	TARGET_REQUEST_SIZE=1 send dicomweb {1..4}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;doubt 2.dcm;doubt 3.dcm;doubt 4.dcm;target -;' ]
}

@test "send-dicomweb: one break costs nothing" {
	images 4
	for answer in close 500 garbage; do
		web "$answer" ok
		send dicomweb {1..4}.dcm
		[ "$status" -eq 0 ]
		[ "$(count '^stored')" -eq 4 ]
	done
}

@test "send-dicomweb: images at which the server breaks are in doubt, those it refuses fail, the others are stored" {
	local result
	images 6
	for answer in break 500 502 504 400 409 415 507 503; do
		web "$(uid 1.dcm)=$answer" "$(uid 2.dcm)=$answer" "$(uid 3.dcm)=$answer" "$(uid 6.dcm)=$answer"
		send dicomweb {1..6}.dcm
		echo "$output"
		case $answer in
		break | 500 | 502 | 504) result='doubt -' ;;
		*) result="failed $answer" ;;
		esac
		[ "$(told | sed 's/target - -;//')" = "$result 1.dcm;$result 2.dcm;$result 3.dcm;stored 0000 4.dcm;stored 0000 5.dcm;$result 6.dcm;" ]
		if [ "$result" = 'doubt -' ]; then [ "$status" -eq 111 ]; else [ "$status" -eq 1 ]; fi
		stop_all
	done
}

@test "send-dicomweb: a server without room is the target's, and is not asked for each image" {
	images 20
	for answer in 503 507; do
		web "$answer"
		send dicomweb {1..20}.dcm
		[ "$status" -eq 111 ]
		[ "$(cut -f1,2 <<<"$output" | uniq | tr '\t\n' ' ;')" = "failed $answer;target -;" ]
		[ "$(requests)" -eq 4 ]
		stop_all
	done
}

@test "send-dicomweb: requests are of request_size bytes, and smaller where the server wants it" {
	images 8
	web
	size=$(stat -c %s "$job/1.dcm")
	TARGET_REQUEST_SIZE=$((size * 3)) send dicomweb {1..8}.dcm
	[ "$status" -eq 0 ]
	[ "$(requests)" -eq 3 ]
	[ "$(grep -c parts=3 "$BATS_TEST_TMPDIR/web.log")" -eq 2 ]
	stop_all
	web --max 2 "$(uid 7.dcm)=413"
	send dicomweb {1..8}.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 7 ]
	grep -q $'^failed\t413\t7.dcm\t.*larger than' <<<"$output"
	[ "$(grep -c parts=2 "$BATS_TEST_TMPDIR/web.log")" -ge 3 ]
}

@test "send-dicomweb: a large request asks first, and a refusal comes before the images" {
	images 2 -r 1024 -c 1024
	web 413
	send dicomweb {1..2}.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^failed\t413\t[12].dcm\t.*HTTP 413')" -eq 2 ]
	[ "$(grep -c 'parts=0.*expect=YES' "$BATS_TEST_TMPDIR/web.log")" -eq 3 ]
}

@test "send-dicomweb: two files of one SOP instance go in two requests" {
	images 2
	dcmodify -q -nb -m "0008,0018=$(uid 1.dcm)" "$job/2.dcm"
	web
	send dicomweb {1..2}.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(requests)" -eq 2 ]
}

@test "send-dicomweb: a file that cannot be sent costs no other image anything" {
	images 4
	head -c 300 /dev/zero >"$job/bad.dcm"
	dcmodify -q -nb -nmu -imt -e 0008,0018 "$job/3.dcm"
	dcmconv -F "$job/3.dcm" "$job/3.dcm" # or its meta header would name it
	mkfifo "$job/pipe.dcm"
	ln -s /etc/passwd "$job/link.dcm"
	web
	send dicomweb bad.dcm 1.dcm missing.dcm 3.dcm pipe.dcm link.dcm 4.dcm
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq 2 ]
	[ "$(count '^failed')" -eq 5 ]
	[ "$(grep -c parts=2 "$BATS_TEST_TMPDIR/web.log")" -eq 1 ]
}

@test "send-dicomweb: a file without a meta header gets one, and its data set goes as it is" {
	images 4
	orthanc
	for i in 1 2 3; do cp "$job/$i.dcm" "$BATS_TEST_TMPDIR/$i.dcm"; done
	dcmconv -F +ti "$job/1.dcm" "$job/1.dcm"   # implicit
	dcmconv -F +te "$job/2.dcm" "$job/2.dcm"   # explicit
	tail -c +129 "$job/3.dcm" >"$job/part.dcm" # "DICM", but no preamble
	mv "$job/part.dcm" "$job/3.dcm"
	send dicomweb {1..4}.dcm
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000')" -eq 4 ]
	for i in 1 2 3; do
		curl -sf -u 'alice:a "\: b' -X POST -d "$(dcmdump -q +P 0008,0018 "$BATS_TEST_TMPDIR/$i.dcm" | sed 's/.*\[\(.*\)\].*/\1/')" \
			"${TARGET_URL%dicom-web/}tools/lookup" >"$BATS_TEST_TMPDIR/found"
		curl -sf -u 'alice:a "\: b' "${TARGET_URL%dicom-web/}instances/$(jq -r '.[0].ID' "$BATS_TEST_TMPDIR/found")/file" \
			>"$BATS_TEST_TMPDIR/back.dcm"
		dcmftest "$BATS_TEST_TMPDIR/back.dcm"
		[ $i -eq 3 ] || tail -c "$(stat -c %s "$job/$i.dcm")" "$BATS_TEST_TMPDIR/back.dcm" | cmp - "$job/$i.dcm"
		dcmdump -q -M "$BATS_TEST_TMPDIR/back.dcm" | grep -v '^#\|^(0002' | cmp - <(dcmdump -q -M "$BATS_TEST_TMPDIR/$i.dcm" | grep -v '^#\|^(0002')
		run dcmdump "$BATS_TEST_TMPDIR/back.dcm" # a wrong group length is a warning
		[[ $output != *[WE]:* ]]
	done
}
