# ssh.bash: a real sshd on loopback, with keys of its own, run as whoever runs the tests.

# sshd_start [SUBSYSTEM]: with this for its sftp. Sets TARGET_PORT, TARGET_USERNAME, TARGET_KEY_FILE and
# TARGET_KNOWN_HOSTS, and $pid_sshd.
sshd_start() {
	local dir=$BATS_TEST_TMPDIR/ssh
	[ -x /usr/sbin/sshd ] || skip "openssh-server is not installed"
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	export TARGET_PORT TARGET_USERNAME TARGET_KEY_FILE=$dir/key TARGET_KNOWN_HOSTS=$dir/known
	TARGET_PORT=$(free_port)
	TARGET_USERNAME=$(id -un)
	if [ ! -d "$dir" ]; then
		mkdir -p "$dir"
		ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
		ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
		cp "$dir/key.pub" "$dir/authorized"
	fi
	{
		echo "Subsystem sftp ${1:-internal-sftp}"
		echo "ListenAddress 127.0.0.1:$TARGET_PORT"
		echo "HostKey $dir/host"
		echo "AuthorizedKeysFile $dir/authorized"
		printf '%s\n' 'StrictModes no' 'UsePAM no' 'PidFile none' 'PasswordAuthentication no' \
			'KbdInteractiveAuthentication no'
	} >"$dir/config"
	echo "[127.0.0.1]:$TARGET_PORT $(cut -d' ' -f1,2 "$dir/host.pub")" >"$dir/known"
	start sshd /usr/sbin/sshd -D -e -f "$dir/config"
	wait_for listens "$TARGET_PORT"
}

# odd_files: the files of the client's side get names with blanks, quotes and what ssh would replace
odd_files() {
	local dir=$BATS_TEST_TMPDIR/"a b'c%h#"
	mkdir "$dir"
	cp -p "$TARGET_KEY_FILE" "$TARGET_KNOWN_HOSTS" "$dir"
	rm "$TARGET_KEY_FILE" "$TARGET_KNOWN_HOSTS"
	TARGET_KEY_FILE=$dir/key TARGET_KNOWN_HOSTS=$dir/known
}

# descendants PID: its children and theirs
descendants() {
	local child
	for child in $(pgrep -P "$1"); do
		echo "$child"
		descendants "$child"
	done
}

# ends_well TYPE NAME NAME: what has arrived of the images 1.dcm and 2.dcm is whole; sent once more both are there,
# under these names, and nothing else
ends_well() {
	local file
	for file in "$archive"/PAT1/*/*/*.dcm; do
		[ ! -e "$file" ] || cmp 1.dcm "$file" || cmp 2.dcm "$file"
	done
	send "$1" 1.dcm 2.dcm
	[ "$status" -eq 0 ]
	[ "$(find "$archive" -type f | wc -l)" -eq 2 ]
	cmp 1.dcm "$archive"/PAT1/*/*/"$2"
	cmp 2.dcm "$archive"/PAT1/*/*/"$3"
}

# sshd_kill: the connections that it has, without warning; the listener stays
sshd_kill() { descendants "$pid_sshd" | xargs -r kill -KILL || true; }
