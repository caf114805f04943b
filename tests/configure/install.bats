# make install and uninstall, into a directory of the test's own, from a clone that is built.

bats_require_minimum_version 1.5.0
load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	root=$PWD/root
	mkdir clone
	(cd "$TOP" && git -c safe.directory="$TOP" ls-files -z | xargs -0 cp -a --parents -t "$OLDPWD/clone")
	cp -a "$BUILD" clone/build
	cp -an "$BIN/." clone/bin/
}

# into TARGET...: by make in the clone
into() { make -C clone -s BUILD=build BIN=bin DESTDIR="$root" PREFIX=/usr/local SYSCONFDIR=/usr/local/etc "$@"; }

@test "install: what is put there runs the demo's tools; uninstall removes that, and nothing of the site's own" {
	into install
	lib=$root/usr/local/lib/dcmspool
	"$root/usr/local/bin/dcmspool" -h | grep -q '^usage'
	"$root/usr/local/bin/getdcmtags" -h | grep -q '^usage'
	"$lib/makestudy" study -s 1 -n 1 >/dev/null
	"$lib/dicomcmp" -l study | grep -q .
	"$lib/dcmspool-layout" spool
	"$root/usr/local/bin/dcmspool" check -c "$root/usr/local/etc/dcmspool/dcmspool.conf" || [ $? = 100 ]
	grep -q '/var/spool/dcmspool' "$root/usr/local/etc/dcmspool/dcmspool.conf"
	[ -r "$root/usr/local/share/man/man8/dcmspool-up.8" ]
	echo mine >"$lib/send-mine"
	echo '# changed' >>"$root/usr/local/etc/dcmspool/dcmspool.conf"
	into uninstall
	run -0 find "$root" ! -type d -printf '%P\n'
	[ "$(sort <<<"$output")" = $'usr/local/etc/dcmspool/dcmspool.conf\nusr/local/lib/dcmspool/send-mine' ]
	rm "$lib/send-mine" "$root/usr/local/etc/dcmspool/dcmspool.conf"
	into install
	into uninstall
	[ -z "$(find "$root" -name '*dcmspool*')" ]
	[ -z "$(find "$root" ! -type d)" ]
}

@test "install: the demo finds its tools where it was installed" {
	into install
	printf '%s\n' 'spool = "/nowhere"' 'target "a" { type = folder path = "/archive" }' \
		'rule "r" { match = "True" targets = { "a" } }' >x.conf
	BUILD='' run -111 "$root/usr/local/bin/dcmspool" demo -c x.conf
	[[ $output == *"unable to find the spool /nowhere"* ]]
}

# bats test_tags=root
@test "install by root: what must be built is built by the owner of the clone" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	chown -R nobody clone
	chmod 755 . ..
	rm clone/bin/storescp.dic
	into install
	[ -s "$root/usr/local/lib/dcmspool/storescp.dic" ]
	[ "$(stat -c %U clone/bin/storescp.dic)" = nobody ]
	[ -z "$(find clone -user root)" ]
}
