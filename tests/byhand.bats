# What people do with cp and mv in a running spool (STATES.md 6): nothing that they bring is lost.

bats_require_minimum_version 1.5.0
load helper
load router

teardown() {
	exec 5>&- # a slow writer that a failed test has left
	stop_all
	show_state || true # a skipped test has no spool
}

# routes N: N images are in the archive in all, and nothing is on its way
routes() {
	wait_for has_images "$BATS_TEST_TMPDIR/archive" "$1"
	wait_for at_rest
}

# identical DIR: the archive holds exactly these images
identical() { "$TOOLS/dicomcmp" -d "$1" "$BATS_TEST_TMPDIR/archive"; }

# Only what is in error/ without the reasons; names may hold anything.
quarantined() {
	find "$SPOOL/error" -mindepth 2 ! -name reason.txt ! -type d -printf . | wc -c
}
has_quarantined() { [ "$(quarantined)" -eq "$1" ]; }

# Every directory in error/ explains itself.
reasons() {
	local d
	for d in "$SPOOL"/error/*/; do test -s "$d/reason.txt"; done
	cat "$SPOOL"/error/*/reason.txt
}

pause() { read -r -t "$1" <> <(:) || true; }

small() { study "$BATS_TEST_TMPDIR/$1" -r 32 -c 32 "${@:2}"; }
one_file() { find "$BATS_TEST_TMPDIR/$1" -name '*.dcm' | sort | head -n 1; }

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
	cp -r "$BATS_TEST_TMPDIR/cd" "$SPOOL/incoming/"
	routes 12
	identical "$BATS_TEST_TMPDIR/study"
	has_quarantined 3
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
	mv "$BATS_TEST_TMPDIR/folder" "$SPOOL/incoming/"
	routes 1
	[ "$(grep -rl 'mine: ' "$SPOOL/error" | wc -l)" -eq 6 ]
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
	[ "$(find "$SPOOL/error" -type f ! -name reason.txt | wc -l)" -eq 0 ]
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
	reasons | grep -i 'permission'
}

@test "bare data sets without preamble and meta header are routed" {
	make_router
	start_all
	small study -n 2 -M -x ivle
	cp "$BATS_TEST_TMPDIR"/study/*/* "$SPOOL/incoming/"
	routes 2
	[ "$(jobs_in error)" -eq 0 ]
}

@test "jobs moved back from success/ and discard/, several at once, are routed by the rules of now" {
	make_router 'target "archive" { type = folder path = "archive" }' \
		'target "other" { type = folder path = "other" }' \
		'rule "ct" { match = "tags.Modality == '"'CT'"'" targets = { "archive" } }'
	ROUTERS=2
	start_all
	small ct -s 3 -n 3
	small mr -s 2 -n 2 -m MR
	send "$BATS_TEST_TMPDIR/ct"
	send "$BATS_TEST_TMPDIR/mr"
	wait_for has_jobs success 3
	wait_for has_jobs discard 2
	stop "$pid_router1"
	stop "$pid_router2"
	echo 'rule "all" { match = "True" targets = { "other" } }' >>"$CONF"
	rm -r "$BATS_TEST_TMPDIR/archive"
	start_routers 2
	mv "$SPOOL"/success/* "$SPOOL"/discard/* "$SPOOL/incoming/"
	wait_for has_images "$BATS_TEST_TMPDIR/archive" 9
	wait_for has_images "$BATS_TEST_TMPDIR/other" 13
	wait_for has_jobs success 8
	wait_for at_rest
	[ "$(jobs_in discard)" -eq 0 ]
	[ "$(journal resent | wc -l)" -eq 5 ]
	mkdir "$BATS_TEST_TMPDIR/all"
	mv "$BATS_TEST_TMPDIR/ct" "$BATS_TEST_TMPDIR/mr" "$BATS_TEST_TMPDIR/all/"
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/all" "$BATS_TEST_TMPDIR/other"
}

@test "a job of the dispatcher's moved back from error/ is sent" {
	local target
	target=$(free_port)
	make_router "target \"pacs\" { type = dicom host = \"127.0.0.1\" port = $target aec = \"PACS\" retry_min = 100ms retry_max = 200ms image_retries = 1 }" \
		'rule "all" { match = "True" targets = { "pacs" } }'
	start storescp storescp --fork -dhl --ignore "$target"
	wait_for listens "$target"
	start_all
	small study -n 3 -P 1.2.840.10008.1.2.4.50
	send "$BATS_TEST_TMPDIR/study" -nuc
	wait_for has_jobs error 1
	test -e "$SPOOL"/error/*/series.json
	wait_for at_rest
	stop "$pid_storescp"
	mkdir "$BATS_TEST_TMPDIR/pacs"
	start storescp2 storescp --fork -dhl +B +xa -od "$BATS_TEST_TMPDIR/pacs" "$target"
	wait_for listens "$target"
	mv "$SPOOL"/error/* "$SPOOL/incoming/"
	wait_for has_jobs success 1
	wait_for at_rest
	[ "$(jobs_in error)" -eq 0 ]
	"$TOOLS/dicomcmp" -d "$BATS_TEST_TMPDIR/study" "$BATS_TEST_TMPDIR/pacs"
}

@test "a quarantine moved back is read again: what is good now is routed, the rest returns" {
	make_router
	start_all
	small study -n 2
	head -c 700 "$(one_file study)" >"$SPOOL/incoming/broken.dcm"
	echo text >"$SPOOL/incoming/notes.txt"
	wait_for has_quarantined 2
	wait_for at_rest
	cp "$(one_file study)" "$SPOOL"/error/*/broken.dcm
	mv "$SPOOL"/error/* "$SPOOL/incoming/"
	routes 1
	has_quarantined 1
	reasons | grep notes.txt
	! reasons | grep broken
}

@test "a job copied with cp -r from success/ is routed, the original stays" {
	make_router
	start_all
	small study -n 20
	send "$BATS_TEST_TMPDIR/study"
	routes 20
	rm -r "$BATS_TEST_TMPDIR/archive"
	cp -r "$SPOOL"/success/* "$SPOOL/incoming/"
	routes 20
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(jobs_in success)" -eq 2 ]
	[ "$(images_in "$SPOOL/success")" -eq 40 ]
	[ "$(jobs_in error)" -eq 0 ]
}

@test "a job copied slowly is not taken before the copy is complete" {
	local job copy file
	make_router
	start_all
	small study -n 3
	send "$BATS_TEST_TMPDIR/study"
	routes 3
	rm -r "$BATS_TEST_TMPDIR/archive"
	job=$SPOOL/success/$(the_job success)
	copy=$SPOOL/incoming/copy
	# cp -r copies in the order of the directory: job.json may come first
	mkdir "$copy"
	cp "$job"/*.json "$job/sent.log" "$copy/"
	for file in "$job"/*.dcm; do
		exec 5>"$copy/${file##*/}"
		head -c 700 "$file" >&5
		pause 0.5 # longer than association_grace
		tail -c +701 "$file" >&5
		exec 5>&-
	done
	routes 3
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(jobs_in success)" -eq 2 ]
}

@test "a batch renamed by hand is routed, and so are the images that follow" {
	TIMEOUT=2s
	make_router
	start_all
	small study -n 4
	stay_connected "$BATS_TEST_TMPDIR"/study/*/*
	wait_for has_images "$SPOOL/incoming" 3
	mv "$SPOOL"/incoming/2.25.* "$SPOOL/incoming/by hand"
	stop "$pid_sender"
	routes 4
	identical "$BATS_TEST_TMPDIR/study"
	[ "$(jobs_in error)" -eq 0 ]
}

@test "other files in a job moved back go to error/, its images are routed" {
	local job
	make_router
	start_all
	small study -n 2
	small more -n 1
	send "$BATS_TEST_TMPDIR/study"
	routes 2
	rm -r "$BATS_TEST_TMPDIR/archive"
	job=$(the_job success)
	echo "for the radiologist" >"$SPOOL/success/$job/notes.txt"
	mkdir "$SPOOL/success/$job/folder"
	cp "$(one_file more)" "$SPOOL/success/$job/folder/"
	mkfifo "$SPOOL/success/$job/pipe.dcm"
	ln -s /etc/passwd "$SPOOL/success/$job/link.dcm"
	mv "$SPOOL/success/$job" "$SPOOL/incoming/"
	routes 2
	identical "$BATS_TEST_TMPDIR/study"
	has_quarantined 4
	grep -q radiologist "$SPOOL"/error/*/notes.txt
	[ "$(images_in "$SPOOL/error")" -eq 1 ]
}

@test "a job whose images have all been removed goes; one of only other files goes to error/" {
	make_router
	start_all
	small study -s 2 -n 2
	send "$BATS_TEST_TMPDIR/study"
	routes 4
	rm "$SPOOL"/success/*/*.dcm
	mkfifo "$(find "$SPOOL/success" -mindepth 1 -maxdepth 1 -type d | head -n 1)/pipe.dcm"
	mv "$SPOOL"/success/* "$SPOOL/incoming/"
	wait_for has_quarantined 1
	wait_for at_rest
	[ "$(jobs_in success)" -eq 0 ]
	[ "$(images_in "$BATS_TEST_TMPDIR/archive")" -eq 4 ]
}

@test "a dropped file or folder with the name of a series that is being received" {
	make_router
	start_all
	small study -n 6 -u 1.2.3.4
	small second -n 1 -u 1.2.3.4
	cp "$(one_file second)" "$SPOOL/incoming/1.2.3.4"
	send "$BATS_TEST_TMPDIR/study"
	routes 7
	mkdir "$SPOOL/incoming/1.2.3.4"
	small third -n 2 -u 1.2.3.4
	cp "$BATS_TEST_TMPDIR"/third/*/IM00001.dcm "$SPOOL/incoming/1.2.3.4/"
	rm "$BATS_TEST_TMPDIR"/third/*/IM00001.dcm
	send "$BATS_TEST_TMPDIR/third"
	routes 9
}
