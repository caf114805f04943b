#!/usr/bin/env bats
# The suite's own tools: what they make and send is what DCMTK's programs understand, and the faults
# that they play arrive. If one of these fails, believe no other test.
# shellcheck disable=SC2016,SC2154 # values that look like commands; pid_NAME comes from start

load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	stop_all
}

# receive [OPTION...]: a storescp writing to in/ on $port.
receive() {
	mkdir -p in
	port=$(free_port)
	TCP_NODELAY=1 start storescp storescp +B +xa --promiscuous -dhl -od in "$@" "$port"
	wait_for listens "$port"
}

rawsend() { "$TOOLS/rawsend" 127.0.0.1 "$port" "$@"; }

# tag FILE GGGG,EEEE: the value at the top level, as dcmdump prints it.
tag() { dcmdump -s +P "$2" "$1" 2>/dev/null | sed 's/^[^[]*\[\(.*\)\].*/\1/; q'; }

@test "makestudy: DCMTK reads every transfer syntax, with and without sequences" {
	for syntax in evle ivle evbe deflated; do
		for private in '' -p; do
			"$TOOLS/makestudy" "made$syntax$private" -S 1 -n 2 -r 32 -c 32 -x "$syntax" \
				-d "S $syntax" ${private:+"$private"}
			file=made$syntax$private/SE0001/IM00002.dcm
			dcmftest "$file"
			[ "$(tag "$file" 0008,103e)" = "S $syntax" ]
			[ "$(tag "$file" 0020,0013)" = 2 ]
			dcmdump -q +P 7fe0,0010 "$file" | grep -q '# *2048,'
			dcmdump -q "$file" >dump
			if [ "$private" ]; then grep -q '\[DECOY\]' dump; fi
		done
	done
	run cmp -s madeevle/SE0001/IM00001.dcm madeevle/SE0001/IM00002.dcm
	[ "$status" -eq 1 ]
}

@test "makestudy: the pixels are the same in every byte order, and differ from image to image" {
	for syntax in evle evbe deflated; do
		"$TOOLS/makestudy" $syntax -S 1 -n 2 -r 32 -c 32 -x $syntax
		dcmconv +te $syntax/SE0001/IM00001.dcm $syntax.dcm
		"$TOOLS/dicomcmp" evle.dcm $syntax.dcm
	done
	run dcmdump -q +P 7fe0,0010 evle/SE0001/IM00001.dcm
	[ "$output" != "$(dcmdump -q +P 7fe0,0010 evle/SE0001/IM00002.dcm)" ]
}

@test "makestudy: -v names what it wrote, one study, a UID of its own for each series and image" {
	"$TOOLS/makestudy" made -v -s 3 -n 4 -r 16 -c 16 >list
	[ "$(wc -l <list)" -eq 12 ]
	[ "$(cut -f 2 list | sort -u | wc -l)" -eq 1 ]
	[ "$(cut -f 3 list | sort -u | wc -l)" -eq 3 ]
	[ "$(cut -f 4 list | sort -u | wc -l)" -eq 12 ]
	while IFS=$'\t' read -r file study series sop; do
		[ "$(tag "$file" 0020,000d)" = "$study" ]
		[ "$(tag "$file" 0020,000e)" = "$series" ]
		[ "$(tag "$file" 0008,0018)" = "$sop" ]
		[ "$(tag "$file" 0002,0003)" = "$sop" ]
	done <list
}

@test "makestudy: a seed makes it repeatable, no seed does not" {
	"$TOOLS/makestudy" a -S 5 -s 2 -n 2 -r 16 -c 16
	"$TOOLS/makestudy" b -S 5 -s 2 -n 2 -r 16 -c 16
	diff -r a b
	"$TOOLS/makestudy" c -S 6 -s 2 -n 2 -r 16 -c 16 -v >list_c
	"$TOOLS/makestudy" d -s 2 -n 2 -r 16 -c 16 -v >list_d
	"$TOOLS/makestudy" e -s 2 -n 2 -r 16 -c 16 -v >list_e
	[ "$(cat list_[cde] | cut -f 4 | sort -u | wc -l)" -eq 12 ]
}

@test "makestudy: hostile values are written as they are" {
	long=$(printf '%05000d' 7)
	"$TOOLS/makestudy" long -n 1 -r 16 -c 16 -u "$long" -v >list
	[ "$(cut -f 3 list)" = "$long" ]
	dcmdump -q +L +P 0020,000e long/SE0001/IM00001.dcm | grep -qF "[$long]"
	"$TOOLS/makestudy" dots -n 1 -r 16 -c 16 -u ../../etc -o ../sop -y / -i $'a\nb' -d '$(id)' -q 1.2.3
	file=dots/SE0001/IM00001.dcm
	[ "$(tag "$file" 0020,000e)" = ../../etc ]
	[ "$(tag "$file" 0008,0018)" = ../sop ]
	[ "$(tag "$file" 0020,000d)" = / ]
	[ "$(tag "$file" 0008,103e)" = '$(id)' ]
	[ "$(tag "$file" 0008,0016)" = 1.2.3 ]
	grep -qaz $'a\nb' "$file"
}

@test "makestudy: -M leaves out preamble and meta header, -P encapsulates" {
	"$TOOLS/makestudy" a -S 1 -n 1 -r 16 -c 16
	"$TOOLS/makestudy" b -S 1 -n 1 -r 16 -c 16 -M
	"$TOOLS/dicomcmp" a/SE0001/IM00001.dcm b/SE0001/IM00001.dcm
	run dcmftest b/SE0001/IM00001.dcm
	[ "$status" -eq 1 ]
	[ "$(stat -c %s a/SE0001/IM00001.dcm)" -gt "$(stat -c %s b/SE0001/IM00001.dcm)" ]
	"$TOOLS/makestudy" c -S 1 -n 1 -r 16 -c 16 -P 1.2.840.10008.1.2.4.50
	dcmdump -q c/SE0001/IM00001.dcm >dump
	grep -q '0002,0010.*=JPEGBaseline' dump
	[ "$(grep -c '(fffe,e000) pi' dump)" -eq 3 ]
	"$TOOLS/makestudy" d -n 1 -r 16 -c 16 -P 1.2.3.4.5
	[ "$(tag d/SE0001/IM00001.dcm 0002,0010)" = 1.2.3.4.5 ]
}

@test "makestudy: called wrongly it says so and exits 100" {
	run "$TOOLS/makestudy"
	[ "$status" -eq 100 ]
	run "$TOOLS/makestudy" x -n 0
	[ "$status" -eq 100 ]
	run "$TOOLS/makestudy" x -x jpeg
	[ "$status" -eq 100 ]
	[[ $output == *"evle, ivle, evbe or deflated"* ]]
	run "$TOOLS/makestudy" no/such/place
	[ "$status" -eq 111 ]
}

@test "dcmsend to storescp: made files arrive, dicomcmp -d says identical" {
	receive +uf
	"$TOOLS/makestudy" made -s 2 -n 3 -r 64 -c 64
	"$TOOLS/makestudy" made/mr -s 1 -n 2 -r 64 -c 64 -m MR
	dcmsend +sd +r 127.0.0.1 "$port" made
	run "$TOOLS/dicomcmp" -d made in
	[ "$status" -eq 0 ]
	[[ $output == "8 identical, 0 missing, 0 extra, 0 twice, 0 different;"* ]]
}

@test "dcmsend to storescp: the other encodings arrive too, but dcmsend writes them anew" {
	receive +uf
	mkdir made
	for syntax in ivle evbe deflated; do
		"$TOOLS/makestudy" made/$syntax -n 1 -r 64 -c 64 -p -x $syntax
	done
	dcmsend +sd +r 127.0.0.1 "$port" made
	run "$TOOLS/dicomcmp" -d made in
	[ "$status" -eq 1 ]
	[[ $output == *"0 identical, 0 missing, 0 extra, 0 twice, 3 different;"* ]]
}

@test "dicomcmp: a file differs, is missing, extra or there twice" {
	"$TOOLS/makestudy" a -S 1 -n 4 -r 16 -c 16
	cp -r a b
	"$TOOLS/dicomcmp" -d a b
	printf x | dd of=b/SE0001/IM00001.dcm bs=1 seek=900 conv=notrunc status=none
	run "$TOOLS/dicomcmp" a/SE0001/IM00001.dcm b/SE0001/IM00001.dcm
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"at byte "*"78" ]]
	truncate -s -1 b/SE0001/IM00002.dcm
	run "$TOOLS/dicomcmp" a/SE0001/IM00002.dcm b/SE0001/IM00002.dcm
	[ "$status" -eq 1 ]
	[[ $output == *"length of the data set: "* ]]
	rm b/SE0001/IM00003.dcm
	cp b/SE0001/IM00004.dcm b/again
	"$TOOLS/makestudy" b/extra -S 2 -n 1 -r 16 -c 16
	echo no image >b/note.txt
	run "$TOOLS/dicomcmp" -d a b
	[ "$status" -eq 1 ]
	[[ $output == *"1 identical, 1 missing, 1 extra, 1 twice, 2 different; 0 and 1 files passed over" ]]
	[ "$("$TOOLS/dicomcmp" -l b | wc -l)" -eq 5 ]
	run "$TOOLS/dicomcmp" a
	[ "$status" -eq 2 ]
	run "$TOOLS/dicomcmp" -d a nowhere
	[ "$status" -eq 2 ]
}

@test "dicomcmp: the meta header does not count" {
	"$TOOLS/makestudy" a -S 1 -n 1 -r 16 -c 16
	"$TOOLS/makestudy" b -S 1 -n 1 -r 16 -c 16 -P 1.2.840.10008.1.2.4.50
	"$TOOLS/makestudy" c -S 1 -n 1 -r 16 -c 16 -P 1.2.840.10008.1.2.5
	"$TOOLS/dicomcmp" b/SE0001/IM00001.dcm c/SE0001/IM00001.dcm
	run "$TOOLS/dicomcmp" a/SE0001/IM00001.dcm c/SE0001/IM00001.dcm
	[ "$status" -eq 1 ]
}

@test "rawsend: stores in one association, byte for byte, and releases it" {
	receive +uf
	"$TOOLS/makestudy" made -n 3 -r 64 -c 64 -p
	"$TOOLS/makestudy" made/mr -n 1 -r 64 -c 64 -m MR -x evbe
	run rawsend made/SE0001/*.dcm made/mr/SE0001/*.dcm
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "context 1 0 1.2.840.10008.1.2.1" ]
	[ "${lines[1]}" = "context 3 0 1.2.840.10008.1.2.2" ]
	[ "${lines[2]}" = accepted ]
	[ "${lines[3]}" = "made/SE0001/IM00001.dcm 0000" ]
	[ "${lines[7]}" = released ]
	"$TOOLS/dicomcmp" -d made in
}

@test "rawsend: storescp refuses a context, an AE title, and the answer is told" {
	"$TOOLS/makestudy" made -n 1 -r 16 -c 16 -P 1.2.3.4.5
	receive
	run rawsend made/SE0001/IM00001.dcm
	[ "$status" -eq 1 ]
	[[ ${lines[0]} =~ ^"context 1 "[34]" -"$ ]]
	[[ $output == *"made/SE0001/IM00001.dcm nocontext"* ]]
	run rawsend -t 1.2.3.4.5 -t 1.2.840.10008.1.2 -E made/SE0001/IM00001.dcm
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "context 1 0 1.2.840.10008.1.2" ]]
	[[ $output == *$'\necho 0000\nmade'* ]]
	stop_all
	receive --refuse
	run rawsend -E
	[ "$status" -eq 1 ]
	[[ $output =~ ^"rejected 1 "[0-9]+" "[0-9]+$ ]]
}

@test "rawsend: hostile AE titles and UIDs go out as given" {
	receive -v -d
	"$TOOLS/makestudy" made -n 1 -r 16 -c 16
	rawsend -E -a 'a`id`b' -c 'x\x01\n\\y'
	# storescp 3.6.7 does not answer a caller without a name, and goes on.
	run rawsend -E -T 1 -a ''
	[ "$output" = timeout ]
	grep -qa 'Illegal service parameter: Calling AP Title' storescp.log
	run rawsend -E -a 12345678901234567
	[ "$status" -eq 2 ]
	run rawsend -i "$(printf '1.%05000d' 0)" -q 1.2.3.4 made/SE0001/IM00001.dcm
	[ "$status" -eq 1 ]
	[[ $output == *accepted* ]]
	grep -qF 'a`id`b' storescp.log
	grep -qaF $'x\x01' storescp.log
	grep -qa '1\.2\.3\.4' storescp.log
}

@test "rawsend: 128 presentation contexts" {
	receive
	run rawsend -P 128
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 130 ]
	[[ ${lines[127]} == "context 255 "* ]]
	run rawsend -P 129
	[ "$status" -eq 2 ]
}

@test "rawsend: breaks off after an image, and in the middle of one" {
	receive +uf
	"$TOOLS/makestudy" made -n 3
	run rawsend -A 2 made/SE0001/*.dcm
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = closed ]
	[ "$(find in -type f | wc -l)" -eq 2 ]
	rm in/*
	run rawsend -D 2 -R made/SE0001/*.dcm
	[ "$status" -eq 0 ]
	[ "${lines[-2]}" = "made/SE0001/IM00001.dcm 0000" ]
	wait_for grep -qa '^E: ' storescp.log
	[ "$("$TOOLS/dicomcmp" -l in | wc -l)" -le 2 ]
	rm -f in/*
	rawsend -C 1000 made/SE0001/IM00001.dcm
	run "$TOOLS/dicomcmp" made/SE0001/IM00001.dcm in/*
	[ "$status" -eq 1 ]
	[[ $output == *length* ]]
}

@test "rawsend: garbage, a monstrous length, an answer that never comes" {
	receive
	run rawsend -G -T 5
	[ "$status" -eq 1 ]
	[ "$output" = closed ] || [ "$output" = aborted ]
	run rawsend -L 4294967295 -T 5
	[ "$status" -eq 1 ]
	[ "$output" = closed ] || [ "$output" = aborted ]
	kill -STOP "$pid_storescp"
	run rawsend -E -T 1
	kill -CONT "$pid_storescp"
	[ "$status" -eq 1 ]
	[ "$output" = timeout ]
}

@test "rawsend: hangs until standard input is closed, or the receiver is tired of it" {
	receive --socket-timeout 1
	mkfifo gate
	exec 5<>gate
	# A background program's standard input is /dev/null unless it is redirected itself.
	start hang sh -c 'exec "$@" <gate' sh "$TOOLS/rawsend" 127.0.0.1 "$port" -H open
	wait_for grep -q accepted hang.log
	status=0
	wait "$pid_hang" || status=$?
	[ "$status" -eq 1 ]
	[[ $(tail -n 1 hang.log) =~ ^(closed|aborted)$ ]]
	exec 5>&-
	for mode in connect half open; do
		run rawsend -H $mode </dev/null
		[ "$status" -eq 0 ]
		[ "${lines[-1]}" = closed ]
	done
}

@test "rawsend: goes to loopback addresses only" {
	for host in 192.0.2.1 0.0.0.0 example.org ::; do
		run "$TOOLS/rawsend" $host 104 -E
		[ "$status" -eq 2 ]
		[[ $output == *"not a loopback address"* ]]
	done
	receive
	"$TOOLS/rawsend" localhost "$port" -E
	run "$TOOLS/rawsend" 127.0.0.2 "$port" -E # where nobody listens
	[ "$status" -ne 2 ]
}
