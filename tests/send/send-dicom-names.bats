# send-dicom-names.bats: whose certificate send-dicom believes, and with which TLS it makes do.
# bats file_tags=sender

load ../helper
load sender

@test "send-dicom: zeros behind the last element are sent as they lie, and told once" {
	images 4
	local kept=$BATS_TEST_TMPDIR/kept n
	mkdir "$kept"
	head -c 100 /dev/zero >>"$job/2.dcm"
	printf '\0\0' >>"$job/3.dcm"
	truncate -s -512 "$job/4.dcm" # its pixels are zeros: no padding
	head -c 512 /dev/zero >>"$job/4.dcm"
	fake "keep=$kept" 0000
	send dicom {1..4}.dcm
	[ "$status" -eq 0 ]
	for n in {1..4}; do
		tail -c "$(stat -c %s "$kept/$n")" "$job/$n.dcm" | cmp - "$kept/$n"
	done
	[ "$(tail -c 100 "$kept/2" | tr -d '\0' | wc -c)" -eq 0 ]
	[ "$(grep -c 'zeros behind the last element are sent as they lie.* image=2.dcm' "$BATS_TEST_TMPDIR/stderr")" -eq 1 ]
	[ "$(grep -c zeros "$BATS_TEST_TMPDIR/stderr")" -eq 1 ]
	send dicom 1.dcm 4.dcm
	run grep zeros "$BATS_TEST_TMPDIR/stderr"
	[ "$status" -eq 1 ]
}
load tls

# tls_only NAME OPTION...: openssl as a server that gets no further than TLS
tls_only() {
	tls
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	start tls openssl s_server -accept "127.0.0.1:$TARGET_PORT" -key "$CERTS/$1.key" -cert "$CERTS/$1.crt" -WWW "${@:2}"
	wait_for listens "$TARGET_PORT"
}

@test "send-dicom tls: the target's certificate must name it: by its address, by its name, by tls_name" {
	images 1
	tls_scp noaddress # the certificate is for localhost
	send dicom 1.dcm
	one_target_line "the target's certificate is not accepted: IP address mismatch"
	if getent hosts localhost; then # a tree made by debootstrap has no /etc/hosts
		TARGET_HOST=localhost send dicom 1.dcm
		[ "$status" -eq 0 ]
	fi
	TARGET_TLS_NAME=localhost send dicom 1.dcm
	[ "$status" -eq 0 ]
	stop_all
	tls_scp elsewhere
	send dicom 1.dcm
	one_target_line 'IP address mismatch'
	TARGET_TLS_NAME=pacs.example send dicom 1.dcm
	[ "$status" -eq 0 ]
	TARGET_TLS_NAME=192.0.2.1 send dicom 1.dcm
	[ "$status" -eq 0 ]
	TARGET_TLS_NAME=example send dicom 1.dcm
	one_target_line 'hostname mismatch'
	TARGET_TLS_NAME=pacs.example TARGET_TLS_CA=$CERTS/other.crt send dicom 1.dcm
	one_target_line 'self-signed certificate in certificate chain'
	stop_all
	tls_scp named # 127.0.0.1 as its common name, which counts for nothing
	send dicom 1.dcm
	one_target_line 'IP address mismatch'
}

@test "send-dicom tls: self-signed, not yet valid, by the system's authorities; anonymous believes anybody" {
	images 1
	tls_scp self --ignore-peer-cert
	send dicom 1.dcm
	one_target_line "the target's certificate is not accepted: self-signed certificate"
	TARGET_TLS=anonymous send dicom 1.dcm
	[ "$status" -eq 0 ]
	TARGET_TLS_CA='' send dicom 1.dcm
	one_target_line "the target's certificate is not accepted: self-signed certificate"
	SSL_CERT_FILE=$CERTS/self.crt TARGET_TLS_CA='' send dicom 1.dcm
	[ "$status" -eq 0 ]
	stop_all
	tls_scp future
	send dicom 1.dcm
	one_target_line "the target's certificate is not accepted: certificate is not yet valid"
}

@test "send-dicom tls: TLS 1.2 and 1.3, nothing older; suites with forward secrecy only; SNI for names" {
	images 1
	tls_only server -tls1_1 -cipher ALL:@SECLEVEL=0
	send dicom 1.dcm
	one_target_line 'TLS'
	[[ $output = *protocol* ]]
	stop_all
	tls_only server -tls1_2 -cipher AES128-GCM-SHA256 # RSA key exchange
	send dicom 1.dcm
	one_target_line 'the target refuses the TLS connection: handshake failure'
	stop_all
	tls_only server -tls1_2 -cipher ECDHE-RSA-AES128-SHA256 # no authenticated encryption
	TARGET_TLS_PROFILE=modified send dicom 1.dcm
	one_target_line 'the target refuses the TLS connection: handshake failure'
	stop_all
	for version in -tls1_2 -tls1_3; do
		tls_only server "$version"
		TARGET_TIMEOUT=1 send dicom 1.dcm
		one_target_line 'does not answer in time (1 s)' # TLS stands
		stop_all
	done
	getent hosts localhost || return 0
	tls_only server -servername wanted -cert2 "$CERTS/server.crt" -key2 "$CERTS/server.key" -servername_fatal
	TARGET_TIMEOUT=1 TARGET_HOST=localhost send dicom 1.dcm
	[[ $output = *'unrecognized name' ]]
	TARGET_TIMEOUT=1 send dicom 1.dcm
	one_target_line 'does not answer in time (1 s)' # an address is never told
}
