#!/bin/bash
# package.sh: run as root on a Debian 12 that has just booted; /test has the package, a newer one, and makestudy.
set -eEu
trap 'echo "failed: line $LINENO: $BASH_COMMAND" && journalctl --no-pager -n 60 -u "dcmspool*"' ERR
export DEBIAN_FRONTEND=noninteractive
SPOOL=/var/spool/dcmspool
cd /root

step() { echo "== $*"; }
wait_for() {
	local deadline=$((SECONDS + 60))
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || { echo "not within the deadline: $*" && return 1; }
		read -r -t 0.1 <> <(:) || true
	done
}
images() { find "$1" -name '*.dcm' -type f 2>/dev/null | sort; }
has_images() { [ "$(images "$1" | wc -l)" -eq "$2" ]; }
series() { /test/makestudy "$1" -v -s 1 -n 2 -r 16 -c 16 | cut -f 4 >>uids; }
send() { dcmsend -aec DCMSPOOL +sd +r 127.0.0.1 "${2:-11112}" "$1"; }
quietly() { "$@" >/tmp/said 2>&1 || { cat /tmp/said && return 1; }; }

step "installed: a user, the spool, nothing that listens"
quietly apt-get install -y /test/dcmspool.deb
id dcmspool
runuser -u dcmspool -- dcmspool layout -n
[ "$(systemctl is-enabled dcmspool.service || true)" = disabled ]
[ -z "$(ss -Hltn 'sport = 11112')" ]
[ -s /usr/share/man/man8/dcmspool-up.8.gz ]

step "started: a series is in the archive"
systemctl enable --now dcmspool
for one in "$SPOOL"/.service/*/; do # READY was not told too early
	[ "$(s6-svstat -o ready "$one")" = true ]
done
series first
send first
wait_for has_images /var/lib/dcmspool/archive 2
[ "$(ps -o user= -C dcmspool-receiver)" = dcmspool ]

step "reloaded: a target and its rule more, with jobs that wait; a mistake changes nothing"
cat >/etc/dcmspool/conf.d/pacs.conf <<-END
	target "pacs" { type = dicom host = "127.0.0.1" port = 4242 aec = "PACS" retry_max = 1s retry_min = 1s }
	rule "pacs" { match = "True" targets = { "pacs" } }
END
systemctl reload dcmspool
series second
send second
wait_for has_images $SPOOL/outgoing/pacs 2
cp -a /etc/dcmspool/conf.d/pacs.conf right
sed -i 's/"True"/"Treu"/' /etc/dcmspool/conf.d/pacs.conf
systemctl reload dcmspool && exit 1
cp -a right /etc/dcmspool/conf.d/pacs.conf
series third
send third
wait_for has_images $SPOOL/outgoing/pacs 4

step "upgraded, while callers go on calling: none is refused, what waits goes on waiting"
mkdir many
i=0
until [ -e upgraded ] && [ "$i" -ge 40 ]; do
	i=$((i + 1))
	series "many/$i"
	send "many/$i" >"many/$i.log" 2>&1 || echo "$i: $(cat "many/$i.log")" >>refused
done &
callers=$!
until [ -e upgraded ]; do # somebody who only knocks, all the time
	(exec 4<>/dev/tcp/127.0.0.1/11112) 2>>refused || true
	read -r -t 0.02 <> <(:) || true
done &
before=$(systemctl show -P MainPID dcmspool)
wait_for has_images /var/lib/dcmspool/archive 8
quietly dpkg -i /test/newer.deb
[ "$(systemctl show -P MainPID dcmspool)" != "$before" ]
[ "$(systemctl is-active dcmspool)" = active ]
touch upgraded
wait "$callers"
cat refused
[ ! -s refused ]
all=$(wc -l <uids)
echo "$all images"
wait_for has_images /var/lib/dcmspool/archive "$all"
wait_for has_images $SPOOL/outgoing/pacs $((all - 2))

step "another port, below 1024"
echo 'receiver { port = 104 }' >/etc/dcmspool/conf.d/port.conf
systemctl daemon-reload
systemctl stop dcmspool.socket
systemctl restart dcmspool
series low
send low 104
wait_for has_images /var/lib/dcmspool/archive $((all + 2))
[ -z "$(ss -Hltn 'sport = 11112')" ]
rm /etc/dcmspool/conf.d/port.conf
systemctl daemon-reload
systemctl stop dcmspool.socket
systemctl restart dcmspool

step "a second site, on a port of its own"
cat >/etc/dcmspool/two.conf <<-END
	spool = "/var/lib/dcmspool/two"
	receiver { port = 105 }
	target "two" { type = folder path = "/var/lib/dcmspool/archive-two" }
	rule "two" { match = "True" targets = { "two" } }
END
mv /etc/dcmspool/conf.d/pacs.conf right # conf.d is everybody's
runuser -u dcmspool -- mkdir /var/lib/dcmspool/archive-two
systemctl daemon-reload
systemctl enable --now dcmspool@two
/test/makestudy two -s 1 -n 2 -r 16 -c 16 >/dev/null
send two 105
wait_for has_images /var/lib/dcmspool/archive-two 2
mv right /etc/dcmspool/conf.d/pacs.conf

step "removed: nothing runs, nothing is lost"
images $SPOOL >before
quietly apt-get remove -y dcmspool
[ -z "$(pgrep -u dcmspool || true)" ]
[ -z "$(ss -Hltn 'sport = 11112 or sport = 105')" ]
images $SPOOL | diff before -
[ -s /etc/dcmspool/dcmspool.conf ]

step "installed again: what waited is sent"
mkdir pacs
storescp +B -od pacs 4242 &
pacs=$!
quietly apt-get install -y /test/dcmspool.deb
systemctl is-enabled dcmspool
systemctl start dcmspool
pacs_has() { [ "$(find pacs -type f | wc -l)" -eq "$1" ]; }
wait_for pacs_has "$all"
wait_for has_images $SPOOL/outgoing 0
kill "$pacs"
find pacs -type f -printf '%f\n' | sed 's/^[A-Z]*\.//' | sort >arrived
tail -n +3 uids | sort | diff - arrived

step "purged: the spool stays, and that is said; with the right answer it goes"
quietly apt-get purge -y dcmspool
grep 'the spool /var/spool/dcmspool holds images and was kept' /tmp/said
images $SPOOL | grep -q .
[ ! -e /lib/systemd/system/dcmspool.service ] && [ ! -e /etc/dcmspool/dcmspool.conf ]
quietly apt-get install -y /test/dcmspool.deb
echo 'dcmspool dcmspool/purge-images boolean true' | debconf-set-selections
quietly apt-get purge -y dcmspool
[ ! -e $SPOOL ]
has_images /var/lib/dcmspool/archive $((all + 2))
