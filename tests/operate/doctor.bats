# doctor.bats: each finding is seen where it is, with its meaning and remedy, and not where it is not.

load whole
load verbs

setup() {
	export TZ=UTC
	make_router 'target "pacs" { type = folder path = "pacs" }' 'rule "all" { match = "True" targets = { "pacs" } }'
	mkdir -p "$BATS_TEST_TMPDIR/pacs"
	chmod o-rwx "$SPOOL"
}

# doctor OPTION...: its answer, in all; whatever it finds
doctor() {
	local status=0
	"$BIN/dcmspool-doctor" -c "$CONF" --json "$@" >"$BATS_TEST_TMPDIR/all" || status=$?
	[ "$status" -le 1 ] || { cat "$BATS_TEST_TMPDIR/all"; return "$status"; }
}
# finds PLACE FINDING REMEDY: patterns; it is told
finds() {
	jq -e --arg place "$1" --arg finding "$2" --arg remedy "$3" 'any(.findings[]; (.place | test($place)) and
		(.finding | test($finding)) and (.remedy | test($remedy)) and .meaning != "")' "$BATS_TEST_TMPDIR/all" >/dev/null ||
		{ jq . "$BATS_TEST_TMPDIR/all"; return 1; }
}
# well PLACE WHAT: so is that
well() {
	jq -e --arg place "$1" --arg what "$2" 'any(.well[]; (.place | test($place)) and (.what | test($what)))' \
		"$BATS_TEST_TMPDIR/all" >/dev/null || { jq . "$BATS_TEST_TMPDIR/all"; return 1; }
}

@test "doctor: what is well, and that nothing runs" {
	doctor
	well 'dcmspool.conf$' 'no mistake'
	well '/spool$' 'rename, hard link, flock'
	well '/spool$' 'MB are free'
	well max_user_instances '75$'
	well 'port' 'is free'
	well 'target pacs' 'can be used'
	well '/spool$' 'everything in it is where it can be'
	finds '/spool$' 'no router runs' 'dcmspool up'
	jq -e '.note | test("storage commitment")' "$BATS_TEST_TMPDIR/all"
	# nothing else but what depends on the machine
	[ "$(jq -r '.findings[].finding' "$BATS_TEST_TMPDIR/all" |
		grep -cvE 'no router runs|belongs to root|is not synchronised|is on (tmpfs|overlayfs)')" -eq 0 ]
	[ -z "$(ls -A "$SPOOL/incoming")" ]
	# what one that was killed has left
	mkdir -p "$SPOOL/incoming/.doctor/e"
	touch "$SPOOL/incoming/.doctor/a"
	doctor
	well '/spool$' 'rename, hard link, flock'
	[ -z "$(ls -A "$SPOOL/incoming")" ]
	# for a person: findings always, the rest on a terminal
	run -1 "$BIN/dcmspool-doctor" -c "$CONF"
	[[ $output == *"/spool: no router runs on it"*"meaning: nothing is received"*"remedy:  start it"* ]]
	[[ $output != *well\ * ]]
	COLUMNS=100 run -1 "$BIN/dcmspool-doctor" -c "$CONF"
	[[ $output == *"well target pacs: can be used"* ]]
}

@test "doctor: the configuration has a mistake, or what is hardly meant" {
	echo 'target "b" { type = folder path = "b" rate_limit = 3 }' >>"$CONF"
	doctor
	finds 'dcmspool.conf:[0-9]+: target.b.rate_limit' 'no effect' 'remove it'
	well 'target pacs' 'can be used'
	echo 'nonsense = 3' >>"$CONF"
	doctor
	finds 'dcmspool.conf:[0-9]+: nonsense' 'unknown key' .
	jq -e '.well == []' "$BATS_TEST_TMPDIR/all"
}

@test "doctor: the spool is open to others, missing, full, of a newer format, or holds what nobody knows" {
	chmod o+rx "$SPOOL"
	echo odd >"$SPOOL/outgoing/odd.txt"
	sed -i 's/min_free = [0-9]*/min_free = 100000000/' "$CONF"
	doctor
	finds '/spool$' 'open to all users' 'o-rwx'
	finds '^outgoing/odd.txt$' . .
	finds '/spool$' 'less than receiver.min_free' 'make room'
	echo 99 >"$SPOOL/.format"
	doctor
	finds '/spool$' 'has format 99' .
	mv "$SPOOL" "$SPOOL.away"
	doctor
	finds '/spool$' 'cannot be seen' 'dcmspool layout'
	mv "$SPOOL.away" "$SPOOL" # for who looks at it afterwards
}

@test "doctor: a spool in memory" {
	[ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] || skip "/dev/shm is no tmpfs"
	local shm
	shm=$(mktemp -d /dev/shm/doctor.XXXXXX)
	cp -a "$SPOOL" "$shm/"
	sed -i "s|^spool = .*|spool = \"$shm/spool\"|" "$CONF"
	doctor || :
	rm -rf "$shm"
	finds '/spool$' 'is on tmpfs' 'move the spool to a disk'
}

@test "doctor: more connections than inotify and open files allow" {
	echo 'receiver { max_associations = 10000 }' >>"$CONF"
	(ulimit -n 1024 && doctor)
	finds max_user_instances 'may need 10011' sysctl
	finds 'open files' 'may have 1024; .* may need 40064' LimitNOFILE
}

@test "doctor: the clock is before the journal's last line" {
	echo '{"time": "2099-01-01T00:00:00.000000Z", "event": "x"}' >"$SPOOL/journal/2099-01-01.jsonl"
	doctor
	finds '^clock$' 'before the last line' 'set it right'
}

@test "doctor: certificates that have ended, or end within 30 days; also behind a link, and the second of a file" {
	command -v openssl >/dev/null || skip "openssl is not installed"
	local days
	cd "$BATS_TEST_TMPDIR"
	for days in 10 60; do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out "$days.crt" -subj /CN=x -days $days 2>/dev/null
	done
	openssl req -newkey rsa:2048 -nodes -keyout key -out csr -subj /CN=x 2>/dev/null
	openssl x509 -req -in csr -signkey key -out over.crt -days -1 2>/dev/null
	chmod 600 key
	cat 60.crt over.crt >two.crt
	ln -s 10.crt link.crt
	echo "receiver { tls_key = \"$PWD/key\" tls_cert = \"$PWD/link.crt\" tls_ca = \"$PWD/60.crt\" }
		target \"tls\" { type = dicom host = localhost port = 1 aec = X tls = yes tls_ca = \"$PWD/two.crt\" }" >>"$CONF"
	doctor --offline
	finds 'link.crt$' 'ends within 30 days, on ' 'dcmspool reload'
	finds 'two.crt$' 'ended on ' 'dcmspool reload'
	well '60.crt$' 'holds for more than 30 days'
	well '/key$' 'only its owner'
}

@test "doctor: a target that does not answer; --offline asks none" {
	echo 'target "down" { type = dicom host = 127.0.0.1 port = 1 aec = X }' >>"$CONF"
	doctor
	finds '^target down$' refused 'dcmspool echo'
	doctor --offline
	! finds '^target down$' . . >/dev/null
	! well '^target' . >/dev/null
}

@test "doctor: a port that somebody else has, and one below 1024" {
	start taken storescp -od "$BATS_TEST_TMPDIR" "$PORT"
	wait_for listens "$PORT"
	doctor
	finds "port $PORT" 'taken' 'ss -ltnp'
	stop "$pid_taken"
	doctor
	well "port $PORT" 'is free'
}

@test "doctor: a DCMTK that nobody knows, and programs that are missing" {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	printf "#!/bin/sh\necho '%sdcmtk: storescp v3.9.9 2031-04-22 $'\n" '$' >"$bin/storescp"
	chmod +x "$bin/storescp"
	ln -s /bin/sh "$bin/sh"
	echo 'target "web" { type = dicomweb url = "http://127.0.0.1:1/" }' >>"$CONF"
	PATH=$bin:$PATH doctor --offline
	finds DCMTK 'version 3.9.9' 'make check'
	rm "$bin/storescp"
	env PATH="$bin" "$BIN/dcmspool-doctor" -c "$CONF" --json --offline >"$BATS_TEST_TMPDIR/all" || :
	finds storescp 'not installed' 'apt install dcmtk'
	finds s6-svscan 'not installed' 'apt install s6'
	finds curl 'not installed' 'apt install curl'
}

@test "doctor: what runs, and a program that is down" {
	make_up 'target "pacs" { type = folder path = "pacs" }' 'rule "all" { match = "True" targets = { "pacs" } }'
	start_and_wait
	doctor
	well '.service$' 'all [0-9]+ programs are up'
	well "port $PORT" 'is listened at'
	s6-svc -wD -d "$SPOOL/.service/receiver"
	doctor
	finds '.service/receiver$' 'is down' log
	finds "port $PORT" 'nobody listens' receiver
	# a mistake in the file: what runs is looked at
	echo 'nonsense = 3' >>"$CONF"
	doctor
	finds 'nonsense' . .
	well '/spool$' 'rename, hard link'
}
