# find.bats: which configuration a program reads. One test for each step of the order, cli/find.h.

bats_require_minimum_version 1.5.0
load ../helper

setup() {
	cd "$(realpath "$BATS_TEST_TMPDIR")" || return
	here=$PWD
}

# configuration FILE SPOOL [LINE...]: a configuration by which it can be told apart
configuration() {
	mkdir -p "$(dirname "$1")"
	printf 'spool = "%s"\n' "$2" >"$1"
	printf '%s\n' "${@:3}" >>"$1"
}

# clone DIRECTORY: what of a clone matters, with copies of the programs: they look beside themselves
clone() {
	mkdir -p "$1/bin" "$1/spool-layout"
	cp "$BIN"/dcmspool "$BIN"/dcmspool-* "$1/bin"
	cp "$TOP/spool-layout/directories" "$1/spool-layout"
	configuration "$1/etc/dcmspool.conf" "$PWD/$1/spool" "target \"a\" { type = folder path = \"$PWD/archive\" }"
	cp "$BIN/send-folder" "$1/bin"
}

# file PROGRAM-FOLDER: the configuration that is found in the working directory
file() { "$1/dcmspool-conf" file; }

# copy SPOOL: what `dcmspool up` leaves in it
copy() { configuration "$1/.service/dcmspool.conf" "$1"; }

@test "find: -c goes before all others, also when there is no such file" {
	clone clone
	copy "$here/spool"
	configuration named.conf /named
	configuration env.conf /env
	cd spool
	export DCMSPOOL_CONF=$here/env.conf
	[ "$(../clone/bin/dcmspool-conf -c ../named.conf file)" = "$here/named.conf" ]
	[ "$(../clone/bin/dcmspool-conf --config ../named.conf spool)" = /named ]
	run -100 ../clone/bin/dcmspool-conf -c ../none.conf file
	[[ $output == *'../none.conf: unable to read configuration: No such file or directory'* ]]
}

@test "find: DCMSPOOL_CONF goes before the spool and the clone, also when there is no such file" {
	clone clone
	copy "$here/spool"
	configuration env.conf /env
	cd spool
	[ "$(DCMSPOOL_CONF=../env.conf file ../clone/bin)" = "$here/env.conf" ]
	[ "$(DCMSPOOL_CONF='' file ../clone/bin)" = "$here/spool/.service/dcmspool.conf" ]
	DCMSPOOL_CONF=/none/x.conf run -100 ../clone/bin/dcmspool-conf file
	[[ $output == *'unable to find /none/x.conf, which DCMSPOOL_CONF names: No such file or directory'* ]]
	DCMSPOOL_CONF=/none/x.conf run -100 ../clone/bin/dcmspool hold a
	[[ $output == *'dcmspool-hold: fatal: unable to find /none/x.conf'* ]]
}

@test "find: in a spool, its running copy goes before the clone; the nearest one counts" {
	clone clone
	copy "$here/spool"
	copy "$here/spool/success/inner"
	mkdir -p spool/success/job spool/success/inner/deep/er
	[ "$(cd spool && file ../clone/bin)" = "$here/spool/.service/dcmspool.conf" ]
	[ "$(cd spool/success/job && file ../../../clone/bin)" = "$here/spool/.service/dcmspool.conf" ]
	[ "$(cd spool/success/inner/deep/er && file "$here/clone/bin")" = "$here/spool/success/inner/.service/dcmspool.conf" ]
	[ "$(cd spool && ../clone/bin/dcmspool-conf spool)" = "$here/spool" ]
	mkdir spool/gone
	[ "$(cd spool/gone && rmdir ../gone && file "$here/clone/bin")" = "$here/clone/etc/dcmspool.conf" ]
}

# bats test_tags=root
@test "find: what somebody else has put above the working directory is not used" {
	[ "$(id -u)" = 0 ] || skip "needs root, to make a file of another user's"
	clone clone
	copy "$here/spool"
	chown nobody spool/.service/dcmspool.conf
	cd spool
	run -100 ../clone/bin/dcmspool-conf file
	[[ $output == *"unable to use $here/spool/.service/dcmspool.conf: it belongs to another user"*'-c FILE'* ]]
	rm .service/dcmspool.conf
	ln -s "$here/clone/etc/dcmspool.conf" .service/dcmspool.conf
	[ "$(file ../clone/bin)" = "$here/clone/etc/dcmspool.conf" ] # the clone's
}

@test "find: in a clone, etc/dcmspool.conf; all verbs work without -c" {
	clone clone
	[ "$(file clone/bin)" = "$here/clone/etc/dcmspool.conf" ]
	cd clone
	[ "$(file bin)" = "$here/clone/etc/dcmspool.conf" ]
	bin/dcmspool check
	bin/dcmspool layout
	bin/dcmspool layout -n
	[ -d spool/incoming ]
	bin/dcmspool hold a
	[ -e spool/outgoing/a/held ]
	bin/dcmspool release a
	[ ! -e spool/outgoing/a/held ]
	bin/dcmspool retry all
	bin/dcmspool echo a
	bin/dcmspool up -n
	bin/dcmspool what-if
}

@test "find: installed programs read the installed configuration; without any, it is told how to name one" {
	local flags=()
	clone clone
	rm clone/spool-layout/directories # then it is none
	if [ ! -e /usr/local/etc/dcmspool/dcmspool.conf ]; then
		run -100 clone/bin/dcmspool-conf file
		[[ $output == *'unable to find a configuration: there is no '*'/dcmspool/dcmspool.conf; name one with -c FILE'* ]]
	fi
	! nm "$BIN/dcmspool-hold" | grep -q __asan_init || flags=(-fsanitize=address,undefined)
	cat >find.c <<-'E'
		#include "cli/find.h"
		#include <stdio.h>
		#include <stdlib.h>
		int main(void)
		{
			char *file = find_conf(NULL);
			puts(file);
			free(file);
		}
	E
	cc "${flags[@]}" -D_POSIX_C_SOURCE=200809L -DSYSCONFDIR="\"$here/etc\"" -I"$TOP/src/lib" -o find find.c \
		"$TOP/src/lib/cli/find.c" "$BUILD/libspool.a"
	configuration etc/dcmspool/dcmspool.conf /installed
	[ "$(./find)" = "$here/etc/dcmspool/dcmspool.conf" ]
}

@test "find: up does not start from the copy that it replaces" {
	clone clone
	copy "$here/spool"
	cd spool
	run -100 timeout 20 ../clone/bin/dcmspool up --root
	[[ $output == *'.service/dcmspool.conf is the copy of what ran before; name the file that it was made from with -c FILE'* ]]
	[ -e .service/dcmspool.conf ]
}
