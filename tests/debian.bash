# debian.bash: a Debian 12 of the test's own, booted in a container: for what only a real host shows. Needs root,
# debootstrap, systemd-nspawn and, the first time, the mirror that apt has.

# What a host has that gets the package, and what it fetches then.
DEBIAN_HAS='systemd,systemd-sysv,dbus,ca-certificates,sudo,iproute2,procps'
DEBIAN_CACHE=${DEBIAN_CACHE:-/var/cache/dcmspool-tests}
DEBIAN_FETCHES='dcmtk s6 libconfuse2 libinotifytools0 libjansson4 inotify-tools openssh-client rsync orthanc man-db curl jq'

debian_possible() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	local tool
	for tool in debootstrap systemd-nspawn dpkg-buildpackage dh lintian; do
		command -v "$tool" >/dev/null || skip "$tool is missing"
	done
	unshare --mount true || skip "unable to mount"
}

# debian_base: prints the directory of a Debian 12, made once for all tests of this machine: minbase and $DEBIAN_HAS,
# with the archives of $DEBIAN_FETCHES beside it, so that what is installed in a container needs no network.
debian_base() {
	local mirror base new
	base=$DEBIAN_CACHE/bookworm-$(echo "$DEBIAN_HAS $DEBIAN_FETCHES" | cksum | cut -d ' ' -f 1)
	mkdir -p "$DEBIAN_CACHE"
	(
		flock 9
		[ ! -d "$base" ] || exit 0
		new=$base.new
		rm -rf "$new"
		# shellcheck disable=SC2016 # apt-get's words
		mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Codename: bookworm' | sort | head -n 1)
		debootstrap --variant=minbase --include="$DEBIAN_HAS" bookworm "$new" "${mirror:-http://deb.debian.org/debian}"
		apt-config dump Acquire::http Acquire::https | grep -i proxy >"$new/etc/apt/apt.conf.d/99proxy" || true
		cp /etc/resolv.conf "$new/etc/"
		# shellcheck disable=SC2086 # names without blanks
		chroot "$new" apt-get install -y -q --download-only $DEBIAN_FETCHES
		mv "$new" "$base"
	) 9>"$DEBIAN_CACHE/.lock" >"$DEBIAN_CACHE/log" 2>&1 3>&- || { tail -n 30 "$DEBIAN_CACHE/log" >&2 && return 1; }
	echo "$base"
}

# debian_package DIRECTORY: the package of this commit there, as dcmspool.deb; newer.deb is the same with a higher version
debian_package() {
	(
		flock 9
		make -s -C "$TOP" BUILD="$BUILD" package
	) 9>"$DEBIAN_CACHE/.package" >"$BATS_TEST_TMPDIR/package.log" 2>&1 3>&- || { cat "$BATS_TEST_TMPDIR/package.log" && return 1; }
	mkdir -p "$1"
	cp "$(tail -n 1 "$BATS_TEST_TMPDIR/package.log" | sed "s|^build/|$BUILD/|")" "$1/dcmspool.deb"
	dpkg-deb -R "$1/dcmspool.deb" "$1/tree"
	sed -i '/^Version:/s/$/+newer/' "$1/tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$1/tree" "$1/newer.deb" >&2
	rm -r "$1/tree"
}

# debian_run DIRECTORY SCRIPT: boots that Debian with DIRECTORY/ as what is written on it, and runs SCRIPT (a file) as
# root in it, once it is up; /test there is DIRECTORY/test. Prints what SCRIPT said; its status is ours.
debian_run() {
	local dir=$1 base
	base=$(debian_base) || return
	mkdir -p "$dir/upper/etc/systemd/system/multi-user.target.wants" "$dir/test" "$dir/tree"
	cp "$2" "$dir/test/script"
	echo '127.0.0.1 localhost' >"$dir/upper/etc/hosts"
	cat >"$dir/upper/etc/systemd/system/the-test.service" <<-'END'
		[Unit]
		After=multi-user.target
		[Service]
		Type=idle
		Environment=HOME=/root
		WorkingDirectory=/root
		ExecStart=/bin/sh -c 'bash /test/script >/test/said 2>&1; echo $? >/test/status; systemctl poweroff'
	END
	ln -sf ../the-test.service "$dir/upper/etc/systemd/system/multi-user.target.wants/"
	rm -f "$dir/test/status"
	# In a mount namespace of its own, that goes with the container. The upper layer lies in memory.
	# shellcheck disable=SC2016 # the inner shell's words
	unshare --mount sh -e -c '
		mount -t tmpfs -o size=4g none "$1/tree"
		mkdir "$1/tree/upper" "$1/tree/work" "$1/tree/root"
		cp -a "$1/upper/." "$1/tree/upper/"
		mount -t overlay -o "lowerdir=$2,upperdir=$1/tree/upper,workdir=$1/tree/work" none "$1/tree/root"
		exec timeout -k 10 "${3}" systemd-nspawn -q -D "$1/tree/root" --register=no --keep-unit --private-network \
			--bind="$1/test:/test" -b </dev/null' sh "$dir" "$base" "${DEBIAN_LIMIT_S:-600}" >"$dir/console" 2>&1 3>&- || true
	cat "$dir/test/said"
	return "$(cat "$dir/test/status" || echo 1)"
}
