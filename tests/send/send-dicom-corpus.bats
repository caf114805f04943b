# send-dicom-corpus.bats: every file of the public test set beside the clone (../shared/corpus), which is not
# part of it: skipped where that is absent.
# bats file_tags=sender

load ../helper
load sender

setup_file() {
	local corpus=$BATS_TEST_DIRNAME/../../../shared/corpus
	export CORPUS=$corpus
	[ -e "$CORPUS" ] || return 0
	mkdir "$BATS_FILE_TMPDIR/certs"
	cd "$BATS_FILE_TMPDIR/certs" || return
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out crt -subj /CN=test -days 2 -addext subjectAltName=IP:127.0.0.1
	chmod 600 key
}

# corpus: the job has all files of the corpus with a SOP class and instance UID, $kept what arrives
corpus() {
	[ -e "$CORPUS" ] || skip 'no ../shared/corpus'
	/usr/bin/python3 "$BATS_TEST_DIRNAME/corpus.py" make "$CORPUS" "$job"
	kept=$BATS_TEST_TMPDIR/kept
	mkdir "$kept"
	total=$(ls "$job" | wc -l)
	mapfile -t names < <(ls "$job" | sort -n)
	export TARGET_TIMEOUT=30
}

# all_arrive: all but those named here have, byte for byte
all_arrive() {
	echo "# $((total - 1)) of $total files arrive" >&3
	[ "$status" -eq 1 ]
	[ "$(count '^stored')" -eq $((total - 1)) ]
	# synth/nasty/meta-only.dcm
	[ "$(grep '^failed' <<<"$output" | cut -f4)" = 'the image cannot be sent: it has no data set' ]
	run /usr/bin/python3 "$BATS_TEST_DIRNAME/corpus.py" check "$CORPUS" "$kept"
	echo "$output"
	[ "${lines[-1]}" = "$((total - 1)) byte for byte" ]
	# What the data set says of itself is no UID there; the meta header's is sent.
	[ "$(grep -v '^names differ: .*/uid-sop-newline.dcm' <<<"$output")" = "not byte for byte: $CORPUS/synth/nasty/meta-only.dcm
$((total - 1)) byte for byte" ]
}

@test "send-dicom: the corpus arrives byte for byte" {
	corpus
	fake "keep=$kept" 0000
	send dicom "${names[@]}"
	all_arrive
}

@test "send-dicom: the corpus arrives byte for byte over TLS and four connections" {
	corpus
	local certs=$BATS_FILE_TMPDIR/certs
	fake "keep=$kept" "tls=$certs/key,$certs/crt,$certs/crt" 0000
	TARGET_CONNECTIONS=4 TARGET_TLS=yes TARGET_TLS_CA=$certs/crt TARGET_TLS_KEY=$certs/key TARGET_TLS_CERT=$certs/crt \
		send dicom "${names[@]}"
	all_arrive
}

# bats test_tags=torture
@test "send-dicom: the corpus to a target that takes implicit little endian only has the same values" {
	corpus
	fake "keep=$kept" syntax=1.2.840.10008.1.2 0000
	TARGET_DECOMPRESS=lossy send dicom "${names[@]}"
	[ "$status" -eq 1 ]
	# what is not sent, and why: how many of each
	diff - <(grep -E '^(failed|never)' <<<"$output" | cut -f4 | sed -E 's/(: (reading|decompressing) file)?: [0-9]+\.dcm$//
		s/.*only the image.s own, /only /; s/the target does not take //; s/, and the conversion.* by / by /' |
		sort | uniq -c | sed 's/^ *//') <<-'END'
		5 Explicit VR Little Endian (1.2.840.10008.1.2.1) by dcmconv failed: I/O suspension or premature end of stream
		2 Explicit VR Little Endian (1.2.840.10008.1.2.1) by dcmconv failed: Invalid stream
		1 Explicit VR Little Endian (1.2.840.10008.1.2.1) by dcmconv failed: Item Delimitation Item missing
		1 Explicit VR Little Endian (1.2.840.10008.1.2.1) by dcmconv failed: Sequence Delimitation Item missing
		1 JPEG Baseline (1.2.840.10008.1.2.4.50) by dcmdjpeg failed: Input transfer syntax JPEG Baseline not supported
		1 JPEG Lossless, Process 14 (1.2.840.10008.1.2.4.57) by dcmdjpeg failed: Input transfer syntax JPEG Lossless, Non-hierarchical, Process 14 not supported
		1 JPEG-LS Lossless (1.2.840.10008.1.2.4.80) by dcmdjpls failed: Invalid compressed image data
		1 only 1.2.840.10008.1.2.4.94, which cannot be converted here
		1 only 1.2.840.10008.1.2.8.1, which cannot be converted here
		1 only 1.2.840.10008.1.20, which cannot be converted here
		1 only HEVC/H.265 Main Profile (1.2.840.10008.1.2.4.107), which cannot be converted here
		3 only JPEG 2000 (1.2.840.10008.1.2.4.91), which cannot be converted here
		12 only JPEG 2000 Lossless (1.2.840.10008.1.2.4.90), which cannot be converted here
		1 only MPEG2 Main Profile (1.2.840.10008.1.2.4.100), which cannot be converted here
		2 the image cannot be sent: it has no data set
	END
	run /usr/bin/python3 "$BATS_TEST_DIRNAME/corpus.py" values "$CORPUS" "$kept"
	echo "$output"
	# Others than pydicom makes of it: the colour model and the marks of a lossy compression, which decompression
	# changes; private elements whose VR implicit little endian does not have; values that are damaged on purpose.
	[ "$(sed -n 's/^other values: .*\/\([^/ ]*\) .*/\1/p' <<<"$output" | LC_ALL=C sort | tr '\n' ' ')" = "$(tr '\n' ' ' <<-'END'
		6_2.dcm
		6_3.dcm
		JPEG2000.dcm
		JPEGLSNearLossless_16.dcm
		OBXXXX1A_expb.dcm
		SC_rgb_dcmtk_+eb+cy+np.dcm
		SC_rgb_dcmtk_+eb+cy+s4.dcm
		SC_rgb_jls_lossy_sample.dcm
		SC_rgb_small_odd_jpeg.dcm
		examples_ybr_color.dcm
		len-item-4GB.dcm
		meta-only.dcm
		new-vrs-before-0020.dcm
		private-0009-evbe.dcm
		trunc-in-pixels.dcm
		trunc-last-byte.dcm
		uid-series-cr.dcm
		uid-series-dollar.dcm
		un-undefined-cp246-Ditem.dcm
		un-undefined-nested-implicit-sq.dcm
	END
	)" ]
}
