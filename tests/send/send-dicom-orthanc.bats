# send-dicom-orthanc.bats: a real PACS, with TLS and without.
# bats file_tags=sender

load ../helper
load sender
load tls

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
	wait_for -t 60 listens "$HTTP"
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
