#!/usr/bin/env bats
# send-dicom over TLS, and to Orthanc with and without it.
# bats file_tags=sender

load ../helper
load sender

# Certificates are made once: keys take a moment.
setup_file() {
	export CERTS=$BATS_FILE_TMPDIR/certs
	mkdir "$CERTS"
	cd "$CERTS" || return
	authority ca
	authority other
	certificate server ca 2
	certificate client ca 2
	certificate expired ca -1
	certificate stranger other 2
	chmod 600 ./*.key
}

authority() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" -days 2
}

# certificate NAME AUTHORITY DAYS: NAME.key and NAME.crt
certificate() {
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
	openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -out "$1.crt" -days "$3"
}

# tls: what this file's targets are sent with
tls() {
	export TARGET_TLS=yes TARGET_TLS_CA=$CERTS/ca.crt TARGET_TLS_KEY=$CERTS/client.key \
		TARGET_TLS_CERT=$CERTS/client.crt
}

# tls_scp NAME OPTION...: storescp with the certificate of that name; it wants one of the client
tls_scp() {
	tls
	scp +tls "$CERTS/$1.key" "$CERTS/$1.crt" +cf "$CERTS/ca.crt" "${@:2}"
}

# tls_fake ANSWER...: the fake target with TLS
tls_fake() {
	tls
	fake "tls=$CERTS/server.key,$CERTS/server.crt,$CERTS/ca.crt" "$@"
}

probe() { run /usr/bin/env -u DCMSPOOL_JOB "$BIN/send-dicom" -p </dev/null; }

# one_target_line TEXT: the only line of output is one that blames the target, with that text
one_target_line() {
	[ "$status" -eq 111 ]
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[[ $output = $'target\t-\t-\t127.0.0.1:'*"$1"* ]]
}

# profile SYNTAX: as in send-dicom.bats
profile() {
	printf '%s\n' '[[TransferSyntaxes]]' '[A]' "TransferSyntax1 = $1" '[[PresentationContexts]]' '[P]' \
		'PresentationContext1 = CTImageStorage\A' '[[Profiles]]' '[Default]' 'PresentationContexts = P' \
		>"$BATS_TEST_TMPDIR/profile"
}

@test "send-dicom tls: every image arrives once, in the transfer syntax that it has" {
	images 3
	dcmcrle "$job/1.dcm" "$job/rle.dcm"
	dcmcjpeg +eb +un "$job/2.dcm" "$job/jpeg.dcm"
	dcmconv +ti "$job/3.dcm" "$job/implicit.dcm"
	tls_scp server +xa
	send dicom rle.dcm jpeg.dcm implicit.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000')" -eq 3 ]
	received=$BATS_TEST_TMPDIR/received/CT
	[ "$(dcmdump +P 0002,0010 "$received.$(uid rle.dcm)" | grep -c RLELossless)" -eq 1 ]
	[ "$(dcmdump +P 0002,0010 "$received.$(uid jpeg.dcm)" | grep -c JPEGBaseline)" -eq 1 ]
	rm "$received".*
	send dicom {1..3}.dcm
	[ "$status" -eq 0 ]
	for i in {1..3}; do "$TOOLS/dicomcmp" "$job/$i.dcm" "$received.$(uid $i.dcm)"; done
}

@test "send-dicom tls: the target's certificate: of another authority, expired, none" {
	images 1
	tls_scp server
	TARGET_TLS_CA=$CERTS/other.crt send dicom 1.dcm
	one_target_line "the target's certificate is not accepted: self-signed certificate in certificate chain"
	cd "$BATS_TEST_TMPDIR"
	TARGET_TLS_CA=$CERTS/other.crt probe
	one_target_line "the target's certificate is not accepted"
	probe
	[ "$status" -eq 0 ]
	stop_all
	tls_scp expired
	probe
	one_target_line "the target's certificate is not accepted: certificate has expired"
	send dicom 1.dcm
	one_target_line "certificate has expired"
	stop_all
	scp # without TLS
	probe
	one_target_line 'it may speak no TLS at this port'
	[ -z "$(ls "$BATS_TEST_TMPDIR/received")" ]
}

@test "send-dicom tls: our certificate: none, of another authority, expired" {
	images 1
	tls_scp server
	TARGET_TLS_KEY='' TARGET_TLS_CERT='' send dicom 1.dcm
	one_target_line 'the target refuses the TLS connection: certificate required'
	TARGET_TLS_KEY=$CERTS/stranger.key TARGET_TLS_CERT=$CERTS/stranger.crt send dicom 1.dcm
	one_target_line 'the target refuses the TLS connection: unknown ca'
	TARGET_TLS_KEY=$CERTS/expired.key TARGET_TLS_CERT=$CERTS/expired.crt send dicom 1.dcm
	one_target_line 'the target refuses the TLS connection: certificate expired'
	TARGET_TLS_KEY=$CERTS/expired.key TARGET_TLS_CERT=$CERTS/client.crt send dicom 1.dcm
	one_target_line 'do not match'
	TARGET_TLS= send dicom 1.dcm # no TLS to a target that wants it
	one_target_line ''
	[ -z "$(ls "$BATS_TEST_TMPDIR/received")" ]
}

@test "send-dicom tls: a target that asks for no certificate" {
	images 1
	tls_scp server --ignore-peer-cert
	TARGET_TLS_KEY='' TARGET_TLS_CERT='' send dicom 1.dcm
	[ "$status" -eq 0 ]
}

@test "send-dicom tls: refusals, warnings and errors are told per image" {
	images 8
	tls_fake show=1 0000 a700 b000 b006 b007 c123 0122 0107
	send dicom {1..8}.dcm
	[ "$status" -eq 1 ]
	[ "$(cut -f1-3 <<<"$output" | tr '\t\n' ' ;')" = "stored 0000 1.dcm;failed A700 2.dcm;stored B000 3.dcm;\
stored B006 4.dcm;stored B007 5.dcm;failed C123 6.dcm;failed 0122 7.dcm;failed 0107 8.dcm;" ]
	[ "$(grep -c ^association "$BATS_TEST_TMPDIR/fake.log")" -eq 1 ]
}

@test "send-dicom tls: what cannot be read, or is not accepted, fails alone" {
	images 3
	dcmcrle "$job/2.dcm" "$job/rle.dcm"
	head -c 300 /dev/zero >"$job/bad.dcm"
	head -c 600 "$job/3.dcm" >"$job/cut.dcm"
	cp "$job/1.dcm" "$job/nouid.dcm"
	dcmodify -q -nb -nmu -imt -e 0008,0018 "$job/nouid.dcm"
	profile LittleEndianExplicit
	tls_scp server -xf "$BATS_TEST_TMPDIR/profile" Default
	send dicom bad.dcm 1.dcm rle.dcm cut.dcm missing.dcm nouid.dcm 3.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^stored\t0000\t[13].dcm')" -eq 2 ]
	[ "$(count '^failed')" -eq 5 ]
	grep -q $'^failed\t-\trle.dcm\tthe target accepts.*only the image\'s own, RLE Lossless (1.2.840.10008.1.2.5)$' \
		<<<"$output"
	[ "$(ls "$BATS_TEST_TMPDIR/received" | wc -l)" -eq 2 ]
	stop_all
	profile JPEG2000
	tls_scp server -xf "$BATS_TEST_TMPDIR/profile" Default
	send dicom 1.dcm rle.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^failed\t-\t.*\tthe target accepts')" -eq 2 ]
}

@test "send-dicom tls: SOP classes and transfer syntaxes that nobody knows" {
	images 2
	sed -i 's/1\.2\.840\.10008\.5\.1\.4\.1\.1\.2\b/1.2.276.0.7230010.3.9.9.9/g' "$job/1.dcm"
	"$TOOLS/makestudy" "$BATS_TEST_TMPDIR/htj2k" -s 1 -n 1 -r 16 -c 16 -P 1.2.840.10008.1.2.4.201 >/dev/null
	mv "$BATS_TEST_TMPDIR"/htj2k/*/*.dcm "$job/3.dcm"
	tls_fake 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^stored\t0000\t[12].dcm')" -eq 2 ]
	[[ $output = *$'failed\t-\t3.dcm\t'*'transfer syntax'* ]]
}

@test "send-dicom tls: more SOP classes than an association has room for" {
	images 1
	for i in $(seq 2 140); do
		sed "s/1\.2\.840\.10008\.5\.1\.4\.1\.1\.2\b/1.2.840.10008.5.1.4.9.$((100 + i))/g" "$job/1.dcm" >"$job/$i.dcm"
	done
	tls_fake show=1 0000
	send dicom $(seq -f %g.dcm 1 140)
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 140 ]
	[ "$(grep -c ^association "$BATS_TEST_TMPDIR/fake.log")" -eq 2 ]
}

@test "send-dicom tls: association refused or aborted, no listener: the target's fault" {
	images 2
	for option in --refuse --abort-after --abort-during; do
		tls_scp server "$option"
		send dicom 1.dcm 2.dcm
		one_target_line ''
		stop_all
	done
	send dicom 1.dcm
	one_target_line refused
}

@test "send-dicom tls: an image that makes the target abort fails alone; one abort costs nothing" {
	images 5
	tls_fake "$(uid 2.dcm)=abort" "$(uid 4.dcm)=abort" 0000
	send dicom {1..5}.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^stored\t0000\t[135].dcm')" -eq 3 ]
	[ "$(count $'^failed\t-\t[24].dcm\tthe association breaks')" -eq 2 ]
	tls_fake 0000 abort 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 3 ]
}

@test "send-dicom tls: no answer is no answer: wrong ID, no status, hanging" {
	images 3
	tls_fake "$(uid 2.dcm)=wrongid" 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 1 ]
	grep -q $'^failed\t-\t2.dcm\t.*Unexpected Response MsgId' <<<"$output"
	[ "$(count '^stored')" -eq 2 ]
	tls_fake nostatus
	send dicom 1.dcm
	one_target_line ''
	tls_fake 0000 hang
	TARGET_TIMEOUT=1 send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;target -;' ]
}

@test "send-dicom tls: a port that accepts and says nothing is given up after the time-out" {
	images 1
	tls
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	start mute python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)' "$TARGET_PORT"
	wait_for listens "$TARGET_PORT"
	TARGET_TIMEOUT=1 send dicom 1.dcm
	one_target_line 'does not answer in time'
}

@test "send-dicom tls: several connections, and the rate" {
	images 6
	tls_fake show=1 0000
	TARGET_CONNECTIONS=3 TARGET_RATE_LIMIT=100000000 send dicom {1..6}.dcm
	[ "$status" -eq 0 ]
	[ "$(count '^stored')" -eq 6 ]
	[ "$(grep -c ^association "$BATS_TEST_TMPDIR/fake.log")" -eq 3 ]
}

@test "send-dicom tls: settings that cannot work are permanent errors" {
	images 1
	tls
	export TARGET_PORT=104
	cp "$CERTS/client.key" "$BATS_TEST_TMPDIR/open.key"
	chmod 644 "$BATS_TEST_TMPDIR/open.key"
	for setting in TARGET_TLS_CA= TARGET_TLS_CA=/nonexistent TARGET_TLS_CERT= TARGET_TLS_CERT=/nonexistent \
		TARGET_TLS_KEY= TARGET_TLS_KEY=/nonexistent "TARGET_TLS_KEY=$BATS_TEST_TMPDIR/open.key" \
		TARGET_DECOMPRESS=lossless TARGET_TLS=maybe; do
		run env "$setting" "$BIN/send-dicom" <<<1.dcm
		echo "$setting: $output"
		[ "$status" -eq 100 ]
		[[ $output = *"${setting%%=*}"* || $output = *TARGET_TLS_CERT* ]]
	done
}

@test "send-dicom tls: a key with a password, and files that are none, end with words" {
	images 1
	tls_scp server
	openssl rsa -aes128 -passout pass:secret -in "$CERTS/client.key" -out "$BATS_TEST_TMPDIR/locked.key" 2>/dev/null
	echo nothing >"$BATS_TEST_TMPDIR/empty"
	chmod 600 "$BATS_TEST_TMPDIR"/{locked.key,empty}
	TARGET_TLS_KEY=$BATS_TEST_TMPDIR/locked.key send dicom 1.dcm
	one_target_line 'private TLS key'
	TARGET_TLS_KEY=$BATS_TEST_TMPDIR/empty send dicom 1.dcm
	one_target_line 'private TLS key'
	TARGET_TLS_CA=$BATS_TEST_TMPDIR/empty send dicom 1.dcm
	one_target_line 'unable to load certificate file'
}

@test "send-dicom tls: without tlswhy.so it sends all the same" {
	images 1
	tls_scp server
	mkdir "$BATS_TEST_TMPDIR/bare"
	cp "$BIN/send-dicom" "$BATS_TEST_TMPDIR/bare"
	BIN=$BATS_TEST_TMPDIR/bare send dicom 1.dcm
	[ "$status" -eq 0 ]
	TARGET_TLS_CA=$CERTS/other.crt BIN=$BATS_TEST_TMPDIR/bare send dicom 1.dcm
	one_target_line 'certificate verify failed'
}

# orthanc TLS: a real PACS, with TLS when that is true; $HTTP is its REST interface
orthanc() {
	command -v Orthanc >/dev/null || skip "orthanc is not installed"
	TARGET_PORT=$(free_port)
	HTTP=$(free_port)
	export TARGET_PORT
	cat >"$BATS_TEST_TMPDIR/orthanc.json" <<-END
		{ "StorageDirectory": "$BATS_TEST_TMPDIR/orthanc", "IndexDirectory": "$BATS_TEST_TMPDIR/orthanc",
		"DicomPort": $TARGET_PORT, "HttpPort": $HTTP, "HttpBindAddresses": ["127.0.0.1"], "DicomAet": "PACS", "RemoteAccessAllowed": false,
		"AuthenticationEnabled": false, "Plugins": [], "DicomAlwaysAllowStore": true,
		"DicomAlwaysAllowEcho": true, "DicomTlsEnabled": $1,
		"DicomTlsCertificate": "$CERTS/server.crt", "DicomTlsPrivateKey": "$CERTS/server.key",
		"DicomTlsTrustedCertificates": "$CERTS/ca.crt", "DicomServerEnabled": true }
	END
	start orthanc Orthanc "$BATS_TEST_TMPDIR/orthanc.json"
	wait_for listens "$HTTP"
	wait_for listens "$TARGET_PORT"
}

# stored_images: how many Orthanc has
stored_images() { curl -s "http://127.0.0.1:$HTTP/instances" | jq length; }

@test "send-dicom: Orthanc gets every image, answers a C-ECHO and takes several connections" {
	images 12
	orthanc false
	cd "$BATS_TEST_TMPDIR"
	probe
	[ "$status" -eq 0 ]
	dcmcrle "$job/1.dcm" "$job/1.dcm"
	TARGET_CONNECTIONS=3 send dicom {1..12}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000')" -eq 12 ]
	[ "$(stored_images)" -eq 12 ]
	head -c 300 /dev/zero >"$job/13.dcm"
	send dicom 1.dcm 13.dcm # the one again, which Orthanc has already
	[ "$status" -eq 1 ]
	[ "$(count $'^stored\t0000\t1.dcm')" -eq 1 ]
	[ "$(stored_images)" -eq 12 ]
}

@test "send-dicom tls: Orthanc with TLS and client certificates" {
	images 4
	orthanc true
	tls
	cd "$BATS_TEST_TMPDIR"
	probe
	[ "$status" -eq 0 ]
	dcmcrle "$job/1.dcm" "$job/1.dcm"
	send dicom {1..4}.dcm
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000')" -eq 4 ]
	[ "$(stored_images)" -eq 4 ]
	TARGET_TLS_CA=$CERTS/other.crt send dicom 1.dcm
	one_target_line "the target's certificate is not accepted"
	TARGET_TLS_KEY=$CERTS/stranger.key TARGET_TLS_CERT=$CERTS/stranger.crt send dicom 1.dcm
	one_target_line 'the target refuses the TLS connection'
	[ "$(stored_images)" -eq 4 ]
}
