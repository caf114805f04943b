# Each recipe of dcmspool-recipes(7), as it stands there: its parts of a configuration are used, its commands typed, on
# a router of the test's own. What only a host has, sudo and systemctl, is played; port 104 and the upgrade are those of
# tests/system/package.sh and tests/stranger.

bats_require_minimum_version 1.5.0
load ../helper
load ../router

setup() {
	ETC=$BATS_TEST_TMPDIR/etc SRV=$BATS_TEST_TMPDIR/srv SINK=$BATS_TEST_TMPDIR/sink
	mkdir "$ETC" "$ETC/conf.d" "$SRV" "$SINK" "$SRV/archive"
	make_up "target \"archive\" { type = folder path = \"$SRV/archive\" retry_min = 1d retry_max = 1d }" \
		'rule "archive" { match = "True" targets = { "archive" } }'
	mv "$CONF" "$ETC/dcmspool.conf"
	CONF=$ETC/dcmspool.conf
	export DCMSPOOL_CONF=$CONF
	PACS=$(free_port)
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	stop_all
	kill_processes
	if mountpoint -q "$SRV/archive"; then umount "$SRV/archive"; fi
	show_state || true
}

# block RECIPE N: the Nth literal block of a recipe, with the test's paths and ports
block() {
	awk -v recipe=".Ss $1" -v n="$2" '
		/^\.S[sh] / { on = $0 == recipe }
		on && /^\.Ed/ { inside = 0 }
		on && inside && count == n { print; found = 1 }
		on && /^\.Bd/ { inside = 1; count++ }
		END { exit !found }' "$TOP/etc/dcmspool-recipes.7" |
		sed "s|/var/spool/dcmspool|$SPOOL|g; s|/etc/dcmspool|$ETC|g; s|/srv/|$SRV/|g
			s|10\.0\.0\.5|127.0.0.1|; s|port = 104|port = $PACS|"
}

# configure RECIPE N: takes that block into the configuration; type RECIPE N: types it
configure() { block "$1" "$2" >"$ETC/conf.d/${1//[^A-Za-z]/}.conf"; }
type_in() {
	local words
	words=$(block "$1" "$2")
	echo "$words"
	eval "$words"
}

sudo() {
	if [ "$1" = -u ]; then shift 2; fi
	if [ "$1" != -s ]; then "$@"; fi
}
dcmspool() { "$BIN/dcmspool" "$@"; }
systemctl() {
	case $* in
	'reload dcmspool') dcmspool reload ;;
	'start dcmspool') running_up ;;
	'stop dcmspool.socket') ;;
	'stop dcmspool.socket dcmspool')
		press_ctrl_c
		wait "$pid_up"
		;;
	*) false ;;
	esac
}
install() { # to whom it belongs is the test's user
	local words=()
	while [ $# -gt 0 ]; do
		case $1 in -o | -g) shift ;; *) words+=("$1") ;; esac
		shift
	done
	command install "${words[@]}"
}

running_up() {
	SPOOL=$("$BIN/dcmspool" conf spool)
	start_up
	wait_for up_runs
	wait_for listens "$PORT"
}

pacs() { start pacs storescp -v +B -od "$SINK" "$@" "$PACS" && wait_for listens "$PACS"; }
sink_has() { [ "$(find "$SINK" -type f | wc -l)" -eq "$1" ]; }

@test "recipes: between scanner and PACS" {
	pacs -d
	running_up
	configure 'Between scanner and PACS' 1
	type_in 'Between scanner and PACS' 2
	one_series ct 2.25.1
	send ct -aet CT1
	wait_for sink_has 2
	grep -q 'Calling Application Name: *CT1' pacs.log
}

@test "recipes: a second copy for research" {
	running_up
	configure 'A second copy for research' 1
	type_in 'A second copy for research' 2
	one_series ct 2.25.1
	dcmodify -nb -i 'StudyDescription=STUDY42 A' ct/SE0001/*.dcm
	one_series other 2.25.2
	send ct
	send other
	wait_for has_images "$SRV/archive" 4
	wait_for has_images "$SRV/research" 2
}

@test "recipes: yesterday's MR series again after a rule was wrong" {
	running_up
	one_series mr 2.25.1
	one_series ct 2.25.2
	dcmodify -nb -m Modality=MR mr/SE0001/*.dcm
	dcmodify -nb -m Modality=CT ct/SE0001/*.dcm
	send mr
	send ct
	wait_for has_jobs success 2
	rm -r "$SRV"/archive/*
	for job in "$SPOOL"/success/*; do # they came yesterday
		mv "$job" "$SPOOL/success/$(date -u -d yesterday +%Y%m%d)T${job##*/*T}"
	done
	# shellcheck disable=SC2317 # the recipe calls it
	(type_in "Send yesterday's MR series again after a rule was wrong" 1)
	wait_for has_images "$SRV/archive" 2
	wait_for at_rest
	has_jobs success 2
	[ "$(dcmdump +P Modality "$(find "$SRV/archive" -name '*.dcm' | head -n 1)" | grep -c MR)" -eq 1 ]
}

@test "recipes: drain a host, and open it again" {
	running_up
	dcmspool hold archive
	one_series one 2.25.1
	send one
	wait_for has_jobs outgoing/archive 1
	type_in 'Drain a host before maintenance' 1
	run type_in 'Drain a host before maintenance' 2
	[[ $output = *archive*held* ]]
	one_series late 2.25.3
	run ! send late
	dcmspool release archive
	drained() { [ -z "$(type_in 'Drain a host before maintenance' 2 | grep archive)" ]; }
	wait_for drained
	has_images "$SRV/archive" 2
	systemctl stop dcmspool.socket dcmspool
	type_in 'Drain a host before maintenance' 3
	one_series two 2.25.2
	send two
	wait_for has_images "$SRV/archive" 4
}

@test "recipes: move the spool; what waits goes on" {
	local old=$SPOOL
	running_up
	dcmspool hold archive
	one_series one 2.25.1
	send one
	wait_for has_jobs outgoing/archive 1
	type_in 'Move the spool' 1
	rm -r "$old"
	[ "$SPOOL" = "$SRV/spool" ]
	dcmspool release archive
	wait_for has_images "$SRV/archive" 2
	wait_for at_rest
}

@test "recipes: back up the spool, and go back" {
	running_up
	dcmspool hold archive
	one_series one 2.25.1
	send one
	wait_for has_jobs outgoing/archive 1
	type_in 'Back up the spool, and go back' 1
	dcmspool release archive
	wait_for has_images "$SRV/archive" 2
	systemctl stop dcmspool.socket dcmspool
	rm -r "$SPOOL" "${SRV:?}/archive"/*
	mkdir "$SPOOL"
	type_in 'Back up the spool, and go back' 2
	systemctl start dcmspool
	dcmspool release archive
	wait_for has_images "$SRV/archive" 2
}

@test "recipes: a PACS over TLS" {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 2 2>openssl.log
	for who in router pacs; do
		openssl req -newkey rsa:2048 -nodes -keyout $who.key -out $who.csr -subj /CN=$who 2>openssl.log
		openssl x509 -req -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $who.crt -days 2 \
			-extfile <(echo subjectAltName=IP:127.0.0.1) 2>openssl.log
	done
	pacs +tls pacs.key pacs.crt +cf ca.crt
	type_in 'A PACS over TLS' 1
	configure 'A PACS over TLS' 2
	echo 'rule "pacs" { match = "True" targets = { "pacs" } }' >>"$CONF"
	dcmspool echo pacs
	running_up
	one_series one 2.25.1
	send one
	wait_for sink_has 2
}

@test "recipes: a target with office hours" {
	mkdir "$SRV/reading"
	configure 'A target with office hours' 1
	local hours=$ETC/conf.d/Atargetwithofficehours.conf now later
	now=$(date +%H:%M) later=$(date -d '+2 hours' +%H:%M)
	grep -q '"08:00-18:00"' "$hours"
	sed -i "s/08:00-18:00/$later-$(date -d '+3 hours' +%H:%M)/" "$hours"
	printf '%s\n' 'rule "reading" { match = "True" targets = { "reading" } }' \
		"rule \"urgent\" { match = \"tags.PatientID == 'NOW'\" targets = { \"reading\" } priority = urgent }" >>"$CONF"
	running_up
	one_series one 2.25.1
	one_series now 2.25.2 -i NOW
	send one
	wait_for has_jobs outgoing/reading 1
	send now
	wait_for has_images "$SRV/reading" 2
	has_jobs outgoing/reading 1
	sed -i "s/$later-[0-9:]*/$now-$later/" "$hours"
	systemctl reload dcmspool
	wait_for has_images "$SRV/reading" 4
}

# bats test_tags=root
@test "recipes: the disk of a target is full" {
	mount -t tmpfs -o size=1m none "$SRV/archive" || skip "unable to mount"
	dd if=/dev/zero of="$SRV/archive/ballast" bs=4k 2>dd.log || true
	running_up
	one_series one 2.25.1
	send one
	wait_for [ -s "$SPOOL/outgoing/archive/paused.json" ]
	run type_in 'The disk of a target is full' 1
	[[ $output == *'No space left'* ]]
	rm "$SRV/archive/ballast"
	type_in 'The disk of a target is full' 2
	wait_for has_images "$SRV/archive" 2
}

# typed_in SCRIPT RECIPE N: does the script type each line of that block, as root?
typed_in() {
	local line
	while read -r line; do
		grep -qF -- "${line#sudo }" "$TOP/$1" || { echo "$1: not there: $line" && return 1; }
	done < <(block "$2" "$3" | sed "s|port = $PACS|port = 104|")
}

@test "recipes: what is typed on a host only is typed there" {
	typed_in tests/system/package.sh 'Port 104' 1
	typed_in tests/system/package.sh 'Port 104' 2
	typed_in tests/stranger Upgrade 1
}

@test "recipes: every recipe is run by a test" {
	local recipe
	while read -r recipe; do
		grep -v '^@test' "$TOP/tests/docs/recipes.bats" | grep -qF -- "$recipe" || { echo "$recipe: no test" && return 1; }
	done < <(sed -n 's/^\.Ss //p' "$TOP/etc/dcmspool-recipes.7")
}
