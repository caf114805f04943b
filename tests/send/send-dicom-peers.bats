# send-dicom-peers.bats: targets as they are in use: storescp of DCMTK in each of its ways, dcmqrscp, dcmjs-dimse;
# and one that stops reading.
# bats file_tags=sender

# shellcheck disable=SC2154 # setup() sets job

load ../helper
load sender

# syntaxes: the job gets an image in each transfer syntax that storescp knows, named by the end of its UID. Those
# of MPEG, HEVC and JPEG 2000 have no such pixels, which nobody looks at.
syntaxes() {
	local name
	for name in 1.2=ivle 1.2.1=evle 1.2.2=evbe 1.2.1.99=deflated; do
		images 1 -x "${name#*=}"
		mv "$job/1.dcm" "$job/${name%=*}.dcm"
	done
	for name in 1.2.4.{90,91,{100..108}}; do
		images 1 -P "1.2.840.10008.$name"
		mv "$job/1.dcm" "$job/$name.dcm"
	done
	for name in 50='dcmcjpeg +eb' 51='dcmcjpeg +ee' 70='dcmcjpeg +e1' 80='dcmcjpls +el' 81='dcmcjpls +en' rle=dcmcrle; do
		images 1
		# shellcheck disable=SC2086 # a program and its options
		${name#*=} "$job/1.dcm" "$job/1.2.4.${name%=*}.dcm"
	done
	mv "$job/1.2.4.rle.dcm" "$job/1.2.5.dcm"
	rm "$job/1.dcm"
}

# arrives OWN SYNTAX: in which transfer syntax an image comes to a storescp that takes OWN besides the uncompressed
# ones ("implicit": only that; "all"), or "-".
arrives() {
	case $1/$2 in
	all/* | "$2/$2" | [!i]*/1.2 | [!i]*/1.2.1 | [!i]*/1.2.2 | implicit/1.2) echo "$2" ;;
	*/1.2.4.9? | */1.2.4.1??) echo - ;;
	implicit/*) echo 1.2 ;;
	*) echo 1.2.1 ;;
	esac
}

# bats test_tags=sweep
@test "send-dicom: storescp with each option for transfer syntaxes: what it takes comes byte for byte, the rest converted" {
	local option own name syntax step nth=0
	step=$(every 5)
	declare -A uid
	syntaxes
	cd "$job"
	for name in *.dcm; do uid[$name]=$(uid "$name"); done
	[ "${#uid[@]}" -eq 21 ]
	export TARGET_DECOMPRESS=lossy
	while read -r option own; do
		((nth++ % step == 0)) || continue
		echo "# $option"
		rm -rf "$BATS_TEST_TMPDIR/received"
		scp "$option"
		send dicom "${!uid[@]}"
		stop_all
		cd "$BATS_TEST_TMPDIR/received"
		for name in "${!uid[@]}"; do
			syntax=$(arrives "$own" "${name%.dcm}")
			if [ "$syntax" = - ]; then
				grep -q $'^never\t-\t'"$name"$'\tthe target accepts this SOP class in no transfer syntax' <<<"$output"
				[ ! -e "CT.${uid[$name]}" ]
				continue
			fi
			echo "$name $syntax $output"
			grep -q $'^stored\t0000\t'"$name"$'\t' <<<"$output"
			dcmdump -q +P 0002,0010 -Un "CT.${uid[$name]}" | grep -qF "[1.2.840.10008.$syntax]"
			[ "$syntax" != "${name%.dcm}" ] || "$TOOLS/dicomcmp" "$job/$name" "CT.${uid[$name]}"
		done
		cd "$job"
	done <<-END
		+x= none
		+xe none
		+xb none
		+xi implicit
		+xa all
		+xs 1.2.4.70
		+xy 1.2.4.50
		+xx 1.2.4.51
		+xv 1.2.4.90
		+xw 1.2.4.91
		+xt 1.2.4.80
		+xu 1.2.4.81
		+xm 1.2.4.100
		+xh 1.2.4.101
		+xn 1.2.4.102
		+xl 1.2.4.103
		+x2 1.2.4.104
		+x3 1.2.4.105
		+xo 1.2.4.106
		+x4 1.2.4.107
		+x5 1.2.4.108
		+xr 1.2.5
		+xd 1.2.1.99
	END
}

@test "send-dicom: dcmqrscp has every image, as it was" {
	images 6
	local dir=$BATS_TEST_TMPDIR/dcmqrscp i
	mkdir "$dir"
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	cat >"$dir/conf" <<-END
		NetworkTCPPort = $TARGET_PORT
		MaxPDUSize = 16384
		MaxAssociations = 16
		HostTable BEGIN
		HostTable END
		VendorTable BEGIN
		VendorTable END
		AETable BEGIN
		PACS $dir RW (100, 1024mb) ANY
		AETable END
	END
	start dcmqrscp env LD_PRELOAD="$TOOLS/loopback.so" dcmqrscp +B -c "$dir/conf"
	wait_for listens "$TARGET_PORT"
	# one association at a time: it names files by the second, and two processes of it may choose the same name
	send dicom {1..3}.dcm
	[ "$status" -eq 0 ]
	send dicom {4..6}.dcm
	[ "$status" -eq 0 ]
	probe dicom
	[ "$status" -eq 0 ]
	[ "$(find "$dir" -name 'CT*' | wc -l)" -eq 6 ]
	for i in {1..6}; do
		"$TOOLS/dicomcmp" "$job/$i.dcm" "$(grep -lF "$(uid "$i.dcm")" "$dir"/CT*)"
	done
	TARGET_AEC=NOBODY send dicom 1.dcm
	[ "$status" -eq 111 ]
	[[ $output = $'target\t'*"rejects the association: called AE title not recognised" ]]
}

@test "send-dicom: dcmjs-dimse has every image; one that it answers with an error has not been stored" {
	export NODE_PATH=${NODE_PATH:-/usr/local/lib/node_modules:/usr/lib/node_modules}
	node -e 'require("dcmjs-dimse")' 2>/dev/null || skip "dcmjs-dimse is not installed (npm)"
	images 4
	local i
	TARGET_PORT=$(free_port)
	export TARGET_PORT
	cat >"$BATS_TEST_TMPDIR/scp.js" <<-'END'
		const { Server, Scp, responses, constants } = require('dcmjs-dimse');
		const { createHash } = require('crypto');
		class Target extends Scp {
		  associationRequested(association) {
		    for (const c of association.getPresentationContexts()) {
		      const context = association.getPresentationContext(c.id);
		      context.setResult(constants.PresentationContextResult.Accept, context.getTransferSyntaxUids()[0]);
		    }
		    this.sendAssociationAccept();
		  }
		  cStoreRequest(request, callback) {
		    const data = request.getDataset(), response = responses.CStoreResponse.fromRequest(request);
		    const pixels = createHash('sha256').update(Buffer.from(data.getElement('PixelData')[0])).digest('hex');
		    console.log(data.getElement('SOPInstanceUID'), data.getTransferSyntaxUid(), pixels);
		    response.setStatus(data.getElement('SOPInstanceUID') === process.argv[3] ?
		      constants.Status.ProcessingFailure : constants.Status.Success);
		    callback(response);
		  }
		  cEchoRequest(request, callback) {
		    const response = responses.CEchoResponse.fromRequest(request);
		    response.setStatus(constants.Status.Success);
		    callback(response);
		  }
		  associationReleaseRequested() { this.sendAssociationReleaseResponse(); }
		}
		new Server(Target).listen(Number(process.argv[2]));
	END
	start dcmjs env LD_PRELOAD="$TOOLS/loopback.so" node "$BATS_TEST_TMPDIR/scp.js" "$TARGET_PORT" "$(uid 3.dcm)"
	wait_for listens "$TARGET_PORT"
	send dicom {1..4}.dcm
	[ "$status" -eq 1 ]
	[ "$(cut -f 1-3 <<<"$output" | tr '\t\n' ' ;')" = "stored 0000 1.dcm;stored 0000 2.dcm;failed 0110 3.dcm;stored 0000 4.dcm;" ]
	for i in 1 2 4; do
		grep -qF "$(uid "$i.dcm") 1.2.840.10008.1.2.1 $(tail -c 512 "$job/$i.dcm" | sha256sum | cut -d ' ' -f 1)" \
			"$BATS_TEST_TMPDIR/dcmjs.log"
	done
	probe dicom
	[ "$status" -eq 0 ]
}

@test "send-dicom: a target that stops reading in the middle of an image is left after the time-out, one that is slow is not" {
	local reads begin
	cat >"$BATS_TEST_TMPDIR/peer.py" <<-'END'
		import signal, socket, struct, sys, time
		def take(n):
		    data = b''
		    while len(data) < n:
		        data += c.recv(n - len(data)) or sys.exit()
		    return data
		with socket.socket() as s:
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536) # the rest stays with the sender's kernel
		    s.bind(('127.0.0.1', int(sys.argv[1])))
		    s.listen()
		    while True:
		        c = s.accept()[0]
		        head = c.recv(6, socket.MSG_WAITALL)
		        if len(head) == 6: # the others only look whether it listens
		            break
		body, at, answer = take(struct.unpack('>I', head[2:])[0]), 68, b''
		while at < len(body):
		    kind, length = struct.unpack_from('>BxH', body, at)
		    item = body[at + 4:at + 4 + length]
		    at += 4 + length
		    if kind == 0x20:
		        syntax = item[8 + struct.unpack_from('>H', item, 6)[0]:]
		        answer += struct.pack('>BxHBxxx', 0x21, 4 + len(syntax), item[0]) + syntax
		answer += struct.pack('>BxHBxHI', 0x50, 8, 0x51, 4, 131072)
		c.sendall(struct.pack('>BxI', 2, 68 + len(answer)) + body[:68] + answer)
		for n in range(int(sys.argv[2])): # each time a part of what is there, then nothing for a while
		    print('read', len(take(65536)), flush=True)
		    time.sleep(0.5)
		signal.pause()
	END
	# 32 MB, more than the kernel keeps; 512 KB that it keeps: we wait for the answer while the target still reads
	for reads in 1 8; do
		rm -rf "$BATS_TEST_TMPDIR/study"
		images 1 -r $((reads == 1 ? 4096 : 512)) -c $((reads == 1 ? 4096 : 512))
		TARGET_PORT=$(free_port)
		start peer python3 "$BATS_TEST_TMPDIR/peer.py" "$TARGET_PORT" "$reads"
		wait_for listens "$TARGET_PORT"
		begin=${EPOCHREALTIME/./}
		TARGET_PORT=$TARGET_PORT TARGET_TIMEOUT=2 send dicom 1.dcm
		[ "$status" -eq 111 ]
		if [ "$reads" -eq 1 ]; then
			[[ $output = $'doubt\t-\t1.dcm\t'*"the target takes nothing more for 2 s" ]]
		else
			[[ $output = $'doubt\t-\t1.dcm\t'*"the target does not answer in time (2 s)" ]]
		fi
		[ "$(grep -c read "$BATS_TEST_TMPDIR/peer.log")" -eq "$reads" ]
		[ $((${EPOCHREALTIME/./} - begin)) -ge $((reads * 500000)) ]
		stop_all
	done
}
