#!/usr/bin/env bats
# send-dicom over TLS.
# bats file_tags=sender

load ../helper
load sender
load tls

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
	[ "$status" -eq 100 ]
	[[ $output = $'target\t'*'do not match' ]]
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
	head -c 200 "$job/3.dcm" >"$job/cut.dcm"
	profile LittleEndianExplicit
	tls_scp server -xf "$BATS_TEST_TMPDIR/profile" Default
	send dicom bad.dcm 1.dcm rle.dcm cut.dcm missing.dcm 3.dcm
	[ "$status" -eq 1 ]
	[ "$(count $'^stored\t0000\t[13].dcm')" -eq 2 ]
	[ "$(count '^failed')" -eq 4 ]
	grep -q $'^failed\t-\trle.dcm\tthe target accepts.*only the image\'s own, RLE Lossless (1.2.840.10008.1.2.5); decompress allows no other$' \
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
	[ "$status" -eq 0 ]
	[ "$(count $'^stored\t0000\t[123].dcm')" -eq 3 ]
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
	[ "$(grep -c ^association "$BATS_TEST_TMPDIR/fake.log")" -eq 4 ] # 139 classes with two fallbacks each, 42 at once
}

@test "send-dicom tls: association refused or aborted, no listener: the target's fault" {
	images 2
	for option in --refuse --abort-after --abort-during; do
		tls_scp server "$option"
		send dicom 1.dcm 2.dcm
		[ "$status" -eq 111 ]
		[ "$(cut -f1 <<<"$output")" = "$([ "$option" = --refuse ] && echo target || echo doubt)" ]
		stop_all
	done
	send dicom 1.dcm
	one_target_line refused
}

@test "send-dicom tls: an image that makes the target abort is in doubt, and the others get through" {
	images 5
	tls_fake "$(uid 2.dcm)=abort" "$(uid 4.dcm)=abort" 0000
	send dicom {1..5}.dcm
	[ "$status" -eq 111 ]
	[ "$(count $'^stored\t0000\t[135].dcm')" -eq 3 ]
	[ "$(count $'^doubt\t-\t[24].dcm\tthe target aborts')" -eq 2 ]
}

@test "send-dicom tls: no answer is no answer: wrong ID, no status, hanging" {
	images 3
	tls_fake "$(uid 2.dcm)=wrongid" 0000
	send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	grep -q $'^doubt\t-\t2.dcm\t.*another request' <<<"$output"
	[ "$(count '^stored')" -eq 2 ]
	tls_fake nostatus
	send dicom 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'doubt\t-\t1.dcm\t'*'it has no status' ]]
	tls_fake 0000 hang
	TARGET_TIMEOUT=1 send dicom {1..3}.dcm
	[ "$status" -eq 111 ]
	[ "$(cut -f1,3 <<<"$output" | tr '\t\n' ' ;')" = 'stored 1.dcm;doubt 2.dcm;doubt 3.dcm;' ]
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
	for setting in TARGET_TLS_CA=/nonexistent TARGET_TLS_CERT= TARGET_TLS_CERT=/nonexistent \
		TARGET_TLS_KEY= TARGET_TLS_KEY=/nonexistent "TARGET_TLS_KEY=$BATS_TEST_TMPDIR/open.key" \
		TARGET_TLS_PROFILE=old TARGET_TLS=maybe; do
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
	[ "$status" -eq 100 ]
	[[ $output = *"unable to read the private key $BATS_TEST_TMPDIR/locked.key: it has a password"* ]]
	TARGET_TLS_KEY=$BATS_TEST_TMPDIR/empty send dicom 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *"unable to read the private key $BATS_TEST_TMPDIR/empty: "* ]]
	TARGET_TLS_CA=$BATS_TEST_TMPDIR/empty send dicom 1.dcm
	[ "$status" -eq 100 ]
	[[ $output = *"unable to read the authorities $BATS_TEST_TMPDIR/empty: "* ]]
}
