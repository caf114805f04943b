#!/usr/bin/env bats
# dcmspool demo without a router: what a router does to the spool is done by hand here.
# shellcheck disable=SC2154 # pid_NAME comes from start

load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tmp
	export TMPDIR=$PWD/tmp
}

teardown() {
	stop_all
}

# fake_spool: a spool, and a dcmspool-conf that knows it, for the demo without a router.
fake_spool() {
	spool=$BATS_TEST_TMPDIR/spool
	mkdir -p fake "$spool"/{receiving,incoming,routing,outgoing/archive,sending/archive,success,discard,error} \
		archive
	port=$(free_port)
	cat >fake/dcmspool-conf <<-EOF
		#!/bin/sh
		while [ "\$1" = -c ]; do shift 2; done
		case \$1 in
		spool) echo '$spool' ;;
		receiver.port) printf '%s\\n104\\n' $port ;;
		targets) echo archive ;;
		target.archive.type) echo folder ;;
		target.archive.path) echo '$PWD/archive' ;;
		*) exit 100 ;;
		esac
	EOF
	chmod +x fake/dcmspool-conf
}

# short UID: 8 hexadecimal digits, FNV-1a.
short() {
	local h=2166136261 i
	for ((i = 0; i < ${#1}; i++)); do h=$(((h ^ $(printf %d "'${1:i:1}")) * 16777619 & 0xffffffff)); done
	printf %08x $h
}

@test "demo: shows the way of each series, counts what arrived" {
	fake_spool
	mkdir in series
	start storescp storescp +B +xa --promiscuous -dhl -od in -fe .dcm "$port"
	wait_for listens "$port"
	start demo env BIN="$PWD/fake" "$TOP/bin/dcmspool-demo" -c x.conf
	wait_for grep -q 'sent: 48 images' demo.log
	[ "$(find in -name '*.dcm' | wc -l)" -eq 48 ]
	mkdir "$spool/receiving/a1"
	set -- in/*
	while read -r uid image; do
		mkdir -p "series/$uid"
		mv "$1" "series/$uid/$image.dcm"
		shift
	done < <("$BIN/getdcmtags" "$@" | jq -r '.SeriesInstanceUID + " " + .SOPInstanceUID')
	for folder in series/*; do
		uid=${folder#series/}
		job=20261122T140301.123456Z.0badcafe.$(short "$uid")
		mv "$folder" "$spool/incoming/$uid"
		mv "$spool/incoming/$uid" "$spool/routing/$job"
		mv "$spool/routing/$job" "$spool/outgoing/archive/$job"
		mv "$spool/outgoing/archive/$job" "$spool/sending/archive/$job"
		cp -r "$spool/sending/archive/$job" "archive/$uid"
		mv "$spool/sending/archive/$job" "$spool/success/$job.archive"
	done
	status=0
	wait "$pid_demo" || status=$?
	cat demo.log
	[ "$status" -eq 0 ]
	[ "$(grep -c 'CHEST 5.0 CORONAL' demo.log)" -eq 5 ]
	for place in receiving incoming routing outgoing/archive sending/archive 'success: archive'; do
		grep -q "  $place\$" demo.log
	done
	grep -q '^archive: 48 images' demo.log
	[ "$(grep -c "^ *12 $PWD/archive/" demo.log)" -eq 4 ]
	[[ $(tail -n 1 demo.log) == "48 images sent, 48 arrived; "*" s from the last image sent"* ]]
	run grep -q $'\033' demo.log
	[ "$status" -eq 1 ]
}

@test "demo: the images are received, but nothing moves: says so when the time is up" {
	fake_spool
	start storescp storescp +B +xa --promiscuous -dhl -od "$spool/receiving" "$port"
	wait_for listens "$port"
	run env BIN="$PWD/fake" "$TOP/bin/dcmspool-demo" -t 2
	[ "$status" -eq 111 ]
	[[ $output == *"sent: 48 images"* ]]
	[[ $output == *"are routers and dispatchers running?"* ]]
}

@test "demo: no router, no spool, wrong usage: says so" {
	fake_spool
	run env BIN="$PWD/fake" "$TOP/bin/dcmspool-demo"
	[ "$status" -eq 111 ]
	[[ $output == *"unable to send to 127.0.0.1 port $port: "*'"make run" in another'* ]]
	run env BIN="$PWD/fake" "$TOP/bin/dcmspool-demo" -c x.conf
	[[ $output == *'"make run CONF=x.conf" in another'* ]]
	rm -r "$spool"
	run env BIN="$PWD/fake" "$TOP/bin/dcmspool-demo"
	[ "$status" -eq 111 ]
	[[ $output == *"unable to find the spool"* ]]
	run "$TOP/bin/dcmspool-demo" -z
	[ "$status" -eq 100 ]
	run env BIN="$PWD/fake" BUILD=/nowhere "$TOP/bin/dcmspool-demo"
	[ "$status" -eq 100 ]
	[ -z "$(ls tmp)" ]
}
