# What people do with cp and mv in a running spool (STATES.md 6): nothing that they bring is lost.

bats_require_minimum_version 1.5.0
load ../helper
load ../router
load byhand

@test "files copied and moved into incoming/ are routed" {
	make_router
	start_all
	small study -n 3
	cp "$BATS_TEST_TMPDIR"/study/*/IM00001.dcm "$SPOOL/incoming/"
	routes 1
	cp -r "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/copy"
	mv "$BATS_TEST_TMPDIR"/copy/*/IM00002.dcm "$SPOOL/incoming/"
	mv "$BATS_TEST_TMPDIR"/copy/*/IM00003.dcm "$SPOOL/incoming/name.without.suffix"
	routes 3
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(jobs_in error)" -eq 0 ]
}

@test "files that lie in incoming/ when the router starts are routed" {
	make_router
	small study -n 2
	cp "$BATS_TEST_TMPDIR"/study/*/* "$SPOOL/incoming/"
	start_routers 2
	start_dispatchers 1
	routes 2
	identical "$BATS_TEST_TMPDIR/study"
}

@test "a file is not taken before its writer closes it, alone or in a folder" {
	local file folder slow
	make_router
	start_all
	small study -n 2
	small other -n 1
	small third -n 1
	file=$(one_file study)
	folder=$SPOOL/incoming/folder
	for slow in "$SPOOL/incoming/slow.dcm" "$folder/deep/slow.dcm"; do
		mkdir -p "${slow%/*}"
		exec 5>"$slow"
		head -c 700 "$file" >&5
		# two others, one after the other, go through meanwhile: longer than association_grace
		cp "$(one_file other)" "$SPOOL/incoming/"
		wait_for has_jobs success 1
		cp "$(one_file third)" "$SPOOL/incoming/"
		wait_for has_jobs success 2
		[ -e "$slow" ]
		tail -c +701 "$file" >&5
		exec 5>&-
		wait_for has_jobs success 3
		wait_for at_rest
		rm -r "$SPOOL"/success/*
		file=${file/IM00001/IM00002}
	done
	[ "$(jobs_in error)" -eq 0 ]
	mv "$BATS_TEST_TMPDIR/other" "$BATS_TEST_TMPDIR/third" "$BATS_TEST_TMPDIR/study/"
	identical "$BATS_TEST_TMPDIR/study"
}

@test "a tree of folders: images are routed, everything else is in error/ with a reason" {
	make_router
	start_all
	small study -s 3 -n 4
	cp -r "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/cd"
	mkdir -p "$BATS_TEST_TMPDIR/cd/empty" "$BATS_TEST_TMPDIR/cd/a/b/c/d/e"
	mv "$BATS_TEST_TMPDIR"/cd/SE0003 "$BATS_TEST_TMPDIR/cd/a/b/c/d/e/"
	mv "$BATS_TEST_TMPDIR"/cd/SE0002/IM00001.dcm "$BATS_TEST_TMPDIR/cd/SE0002/.hidden"
	echo hello >"$BATS_TEST_TMPDIR/cd/README"
	echo hello >"$BATS_TEST_TMPDIR/cd/a/b/notes.txt"
	: >"$BATS_TEST_TMPDIR/cd/a/empty.dcm"
	echo hello >"$BATS_TEST_TMPDIR/cd/"$'csi\xc2\x9b2J'
	cp -r "$BATS_TEST_TMPDIR/cd" "$SPOOL/incoming/"
	routes 12
	identical "$BATS_TEST_TMPDIR/study"
	has_quarantined 4
	run ! grep $'\xc2\x9b' "$SPOOL"/journal/*
	grep -q 'csi.u009B2J' "$SPOOL"/journal/*
	reasons | grep README
	reasons | grep notes.txt
	reasons | grep empty.dcm
}

@test "files of a dropped folder that have the names of ours are not lost" {
	local name
	make_router
	start_all
	small study -n 1
	mkdir -p "$BATS_TEST_TMPDIR/folder/deep"
	cp "$(one_file study)" "$BATS_TEST_TMPDIR/folder/plan.json"
	for name in reason.txt sent.log association.json series.json job.json .reading; do
		echo "mine: $name" >"$BATS_TEST_TMPDIR/folder/deep/$name"
	done
	for name in reason.txt .new.notes .assoc.x; do
		echo "mine: $name" >"$BATS_TEST_TMPDIR/folder/$name"
	done
	mv "$BATS_TEST_TMPDIR/folder" "$SPOOL/incoming/"
	routes 1
	[ "$(grep -rl 'mine: ' "$SPOOL/error" | wc -l)" -eq 9 ]
}

@test "hostile names: spaces, newlines, leading dashes, UTF-8, long ones, those of our files" {
	local name n=0 file
	local names=('two words.dcm' $'new\nline.dcm' '-rf' '--help' 'Schädel ä.dcm' $'\xff\xfe' '*' '$(touch x)'
		'series.json' 'job.json' 'plan.json' 'reason.txt' 'association.json' '.complete' '~' '%n%s'
		"$(printf 'x%.0s' {1..255})")
	make_router
	start_all
	small study -n ${#names[@]}
	small trees -n ${#names[@]}
	for name in "${names[@]}"; do
		n=$((n + 1))
		file=$(printf '%s/study/SE0001/IM%05d.dcm' "$BATS_TEST_TMPDIR" "$n")
		[ "$name" = .complete ] || cp -- "$file" "$SPOOL/incoming/$name"
	done
	routes $((n - 1))
	mkdir "$BATS_TEST_TMPDIR/folder"
	n=0
	for name in "${names[@]}"; do
		n=$((n + 1))
		file=$(printf '%s/trees/SE0001/IM%05d.dcm' "$BATS_TEST_TMPDIR" "$n")
		# as a file and as a folder of a folder; "series.json" and "job.json" make it a job
		case $name in *.json | reason.txt | .complete) continue ;; esac
		mkdir -p -- "$BATS_TEST_TMPDIR/folder/$name"
		cp -- "$file" "$BATS_TEST_TMPDIR/folder/$name/$name"
	done
	cp -r "$BATS_TEST_TMPDIR/folder" "$SPOOL/incoming/"$'-fol\nder'
	routes $((n - 1 + n - 6))
	[ "$(jobs_in error)" -eq 0 ]
	[ -z "$(find "$BATS_TEST_TMPDIR" -name x)" ]
}

@test "an empty folder goes, nothing else happens" {
	make_router
	start_all
	mkdir -p "$SPOOL/incoming/empty" "$SPOOL/incoming/nested/empty"
	wait_for at_rest
	[ "$(jobs_in error)" -eq 0 ]
	[ "$(jobs_in success)" -eq 0 ]
}

@test "a symbolic link is not followed, and does not stay" {
	local job
	make_router
	start_all
	small study -n 1
	send "$BATS_TEST_TMPDIR/study"
	routes 1
	job=$(the_job success)
	ln -s /etc/passwd "$SPOOL/incoming/passwd.dcm"
	ln -s "$(one_file study)" "$SPOOL/incoming/image.dcm"
	ln -s "$BATS_TEST_TMPDIR/study" "$SPOOL/incoming/folder"
	ln -s nowhere "$SPOOL/incoming/dangling"
	mkdir "$SPOOL/incoming/with"
	ln -s /etc "$SPOOL/incoming/with/etc"
	wait_for has_quarantined 5
	wait_for at_rest
	# one to a job, which has series.json and job.json
	ln -s "../success/$job" "$SPOOL/incoming/job"
	wait_for has_quarantined 6
	wait_for at_rest
	[ "$(grep -c 'symbolic link' <(reasons))" -eq 6 ]
	[ "$(find "$SPOOL/error" -type f ! -name reason.txt ! -name .told | wc -l)" -eq 0 ]
	[ "$(images_in "$BATS_TEST_TMPDIR/archive")" -eq 1 ]
	[ -e "$SPOOL/success/$job/job.json" ]
}

@test "pipes and sockets do not block, and go to error/" {
	make_router
	start_all
	small study -n 1
	mkfifo "$SPOOL/incoming/pipe.dcm"
	mkdir "$BATS_TEST_TMPDIR/folder"
	mkfifo "$BATS_TEST_TMPDIR/folder/pipe.dcm"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \
		"$SPOOL/incoming/socket"
	cp "$(one_file study)" "$BATS_TEST_TMPDIR/folder/"
	mv "$BATS_TEST_TMPDIR/folder" "$SPOOL/incoming/"
	routes 1
	has_quarantined 3
	reasons
}

@test "a folder copied with the modes of a CD: nothing in it may be written, all of it is filed" {
	make_router
	start_all
	small study -n 2
	mkdir -p "$BATS_TEST_TMPDIR/cd/below"
	cp "$BATS_TEST_TMPDIR"/study/*/IM00001.dcm "$BATS_TEST_TMPDIR/cd/"
	cp "$BATS_TEST_TMPDIR"/study/*/IM00002.dcm "$BATS_TEST_TMPDIR/cd/below/"
	chmod -R a-w "$BATS_TEST_TMPDIR/cd"
	cp -r "$BATS_TEST_TMPDIR/cd" "$SPOOL/incoming/"
	chmod -R u+w "$BATS_TEST_TMPDIR/cd"
	routes 2
	wait_for nothing_before_queues
}

@test "a file that may not be read goes to error/, the others are routed" {
	[ "$(id -u)" -ne 0 ] || skip "root may read everything"
	TIMEOUT=1s
	make_router
	start_all
	small study -n 2
	mkdir "$BATS_TEST_TMPDIR/folder" "$BATS_TEST_TMPDIR/closed"
	cp "$BATS_TEST_TMPDIR"/study/*/IM00001.dcm "$BATS_TEST_TMPDIR/folder/"
	cp "$BATS_TEST_TMPDIR"/study/*/IM00001.dcm "$BATS_TEST_TMPDIR/folder/closed"
	cp "$BATS_TEST_TMPDIR"/study/*/IM00002.dcm "$BATS_TEST_TMPDIR/closed"
	chmod 0 "$BATS_TEST_TMPDIR/folder/closed" "$BATS_TEST_TMPDIR/closed"/*
	mv "$BATS_TEST_TMPDIR/folder" "$SPOOL/incoming/"
	mv "$BATS_TEST_TMPDIR/closed/IM00002.dcm" "$SPOOL/incoming/"
	routes 1
	has_quarantined 2
	reasons | grep 'may not be read by the user who runs dcmspool; chown it'
}

@test "bare data sets without preamble and meta header are routed" {
	make_router
	start_all
	small study -n 2 -M -x ivle
	cp "$BATS_TEST_TMPDIR"/study/*/* "$SPOOL/incoming/"
	routes 2
	[ "$(jobs_in error)" -eq 0 ]
}

@test "a dropped file or folder with the name of a series that is being received" {
	make_router
	start_all
	small study -n 6 -u 1.2.3.4
	small second -n 1 -u 1.2.3.4
	cp "$(one_file second)" "$SPOOL/incoming/1.2.3.4"
	send "$BATS_TEST_TMPDIR/study"
	routes 7
	small third -n 2 -u 1.2.3.4
	mkdir "$BATS_TEST_TMPDIR/1.2.3.4"
	mv "$BATS_TEST_TMPDIR"/third/*/IM00001.dcm "$BATS_TEST_TMPDIR/1.2.3.4/"
	mv "$BATS_TEST_TMPDIR/1.2.3.4" "$SPOOL/incoming/"
	send "$BATS_TEST_TMPDIR/third"
	routes 9
}

@test "a dropped folder with the name of a series: what has no .dcm, or lies deeper, is routed with it" {
	make_router
	start_receiver
	small study -n 2 -u 1.2.3.4
	small drop -n 3 -u 1.2.3.5
	mkdir -p "$SPOOL/incoming/1.2.3.4/deep"
	cp "$BATS_TEST_TMPDIR"/drop/*/IM00001.dcm "$SPOOL/incoming/1.2.3.4/"
	cp "$BATS_TEST_TMPDIR"/drop/*/IM00002.dcm "$SPOOL/incoming/1.2.3.4/IM2"
	cp "$BATS_TEST_TMPDIR"/drop/*/IM00003.dcm "$SPOOL/incoming/1.2.3.4/deep/"
	send "$BATS_TEST_TMPDIR/study"
	start_routers 1
	start_dispatchers 1
	routes 5
	[ "$(jobs_in error)" -eq 0 ]
}

# bats test_tags=root
@test "many things that cannot be moved hold nothing up" {
	local i
	make_router
	start_receiver
	start_dispatchers 1
	for ((i = 0; i < 80; i++)); do mkdir -m 555 "$SPOOL/incoming/stays$i"; done
	others "$SPOOL"/incoming/*
	start_plain_router
	wait_for grep -q 'unable to take incoming/stays79: ' "$BATS_TEST_TMPDIR/router1.log"
	small study -n 2
	send "$BATS_TEST_TMPDIR/study"
	wait_for -t 10 has_jobs success 1
	small other -n 1
	cp "$(one_file other)" "$SPOOL/incoming/"
	wait_for -t 10 has_jobs success 2
	# and they are tried now and then, not all the time
	[ "$(grep -c 'unable to take incoming/stays7: ' "$BATS_TEST_TMPDIR/router1.log")" -eq 1 ]
}

# bats test_tags=root
@test "files of another user go to several targets, though the kernel permits no link to them" {
	make_router 'target "a" { type = folder path = "a" }' 'target "b" { type = folder path = "b" }' \
		'rule "all" { match = "True" targets = { "a", "b" } }'
	sed -i 's/series_timeout = 20s/series_timeout = 1s/' "$CONF"
	small study -n 3
	cp "$BATS_TEST_TMPDIR"/study/*/* "$SPOOL/incoming/"
	others "$SPOOL"/incoming/*
	start_plain_router
	wait_for has_jobs outgoing/b 1
	wait_for has_jobs outgoing/a 1
	wait_for nothing_before_queues
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$SPOOL/outgoing/a"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$SPOOL/outgoing/b"
	[ -z "$(find "$SPOOL" -name '.new.*')" ]
	! grep -q error: "$BATS_TEST_TMPDIR/router1.log"
}

@test "many loose files are read together: each end of a reader does not make all the others looked at" {
	make_router
	start_dispatchers 1
	small study -n 80
	for f in "$BATS_TEST_TMPDIR"/study/*/*; do # names that are fit, and others
		mv "$f" "$SPOOL/incoming/Bild ${f##*/}"
		cp "$SPOOL/incoming/Bild ${f##*/}" "$f"
	done
	newest=$(stat -c %.9Z "$SPOOL"/incoming/* | sort -n | tail -n 1)
	older() { awk -v newest="$newest" -v now="$(date +%s.%N)" 'BEGIN { exit !(now - newest > 0.3) }'; }
	wait_for older # than association_grace: all may be taken at once
	start_routers 1
	routes 80
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(journal association-ended | wc -l)" -eq 1 ]
}

@test "a tree deeper than a path can be long is read all the same" {
	make_router
	sed -i 's/series_timeout = 20s/series_timeout = 1s/' "$CONF"
	start_dispatchers 1
	small study -n 4
	python3 - "$BATS_TEST_TMPDIR" <<-'END'
		import os, shutil, sys
		images = sorted(os.scandir(sys.argv[1] + "/study/SE0001"), key=lambda i: i.name)
		os.mkdir(sys.argv[1] + "/tree")
		os.chdir(sys.argv[1] + "/tree")
		for level in range(200):
		    name = "%03d" % level + "x" * 60
		    os.mkdir(name)
		    os.chdir(name)
		    if level % 50 == 49:
		        shutil.copy(images[level // 50].path, "image.dcm")
		        open("reason.txt", "w").write("mine")
	END
	mv "$BATS_TEST_TMPDIR/tree" "$SPOOL/incoming/"
	start_routers 1
	routes 4
	identical "$BATS_TEST_TMPDIR/study"
	has_quarantined 4
}

@test "a name in routing/ that is none of a job's is said, once, and left alone" {
	local name
	make_router
	name=$(printf 'n%.0s' {1..130})
	mkdir "$SPOOL/routing/$name"
	start_routers 1
	start_dispatchers 1
	small study -n 2
	cp "$BATS_TEST_TMPDIR"/study/*/IM00001.dcm "$SPOOL/incoming/"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 1
	[ "$(grep -c "no job, left alone: routing/$name; " "$BATS_TEST_TMPDIR/router1.log")" -eq 1 ]
	[ -d "$SPOOL/routing/$name" ]
}

# bats test_tags=root
@test "what could not be quarantined is not in the journal as quarantined" {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to make files of another user"
	make_router
	small study -n 1 -u 1.2.3.4
	"$BIN/getdcmtags" -c "$CONF" "$(one_file study)" 127.0.0.1 CT1 DCMSPOOL
	mkdir -m 555 "$SPOOL/incoming/1.2.3.4/folder"
	others "$SPOOL/incoming/1.2.3.4/folder"
	touch "$SPOOL/incoming/1.2.3.4/.complete"
	start_plain_router
	wait_for grep -q 'unable to move folder from routing/.*: Permission denied; ' "$BATS_TEST_TMPDIR/router1.log"
	[ -z "$(journal quarantined)" ]
	chmod 777 "$SPOOL"/routing/*/folder
	mkdir "$SPOOL/incoming/.wake"
	wait_for has_jobs outgoing/archive 1
	[ "$(journal quarantined | wc -l)" -eq 1 ]
}

@test "a DICOMDIR is called one: by explain, getdcmtags -k, and in the reason of its quarantine" {
	local says='is a DICOMDIR (PS3.10 8.6), not an image'
	make_router
	cd "$BATS_TEST_TMPDIR"
	study disc -s 1 -n 1 -r 32 -c 32
	mv disc/SE0001/IM00001.dcm disc/IM1 && rmdir disc/SE0001
	command -v dcmmkdir >/dev/null || skip "dcmmkdir is missing"
	(cd disc && dcmmkdir IM1)
	run "$BIN/dcmspool-explain" -c "$CONF" disc/DICOMDIR
	[[ $output == *"it $says"* ]]
	run "$BIN/dcmspool-explain" -c "$CONF" disc
	[[ $output == *"disc/DICOMDIR: left out, it is no DICOM image: it $says"* ]]
	run "$BIN/getdcmtags" -k disc/DICOMDIR
	[ "$status" -eq 100 ]
	[[ $output == *"disc/DICOMDIR $says" ]]
	"$BIN/getdcmtags" -k disc/IM1
	"$BIN/getdcmtags" -c "$CONF" "$PWD/disc/DICOMDIR" 127.0.0.1 CT1 DCMSPOOL
	grep -q "$says" "$SPOOL"/error/*/reason.txt
}
