# check.bats: what dcmspool check says beyond mistakes of writing: names that are near, keys that exclude each
# other, warnings.

bats_require_minimum_version 1.5.0
load ../helper
load conf

@test "conf: the names that are near are suggested, the nearest first, three at most" {
	write a.conf <<-'E'
		target "mr1" { type = folder path = x }
		target "mr2" { type = folder path = x }
		target "mr3" { type = folder path = x }
		target "mr4" { type = folder path = x }
		target "pacs" { type = folder path = x layout = "{StudyDat}/{PixelData}/{SOPInstanceUID}" }
		rule "a" { match = "tags.StudyDat" targets = { "mr", "pacs2", "elsewhere" } }
		rule "b" { match = "tags.StudyDate" targets = "mr1" }
		rule "c" { match = "@Xyzzyxyzzy@" targets = "psac" }
		rule "d" { match = "tags['Acquisition Date'] or 1" targets = "PACS" }
		recieve { }
	E
	mistakes a.conf
	has 'a.conf:5: target.pacs.layout: unknown keyword {StudyDat}; did you mean StudyDate?'
	has 'a.conf:5: target.pacs.layout: unknown keyword {PixelData}; use one of the standard whose value is text'
	has 'a.conf:6: rule.a.targets: there is no target "mr"; did you mean mr1, mr2 or mr3?'
	has 'a.conf:6: rule.a.targets: there is no target "pacs2"; did you mean pacs?'
	has 'a.conf:6: rule.a.targets: there is no target "elsewhere"; add a section'
	grep -qF "rule.a.match: column 6: no such tag 'StudyDat'; did you mean StudyDate? Add it to extra_tags" <<<"$output"
	grep -qF "rule.b.match: column 6: no such tag 'StudyDate'; add it to extra_tags" <<<"$output"
	grep -qx ".*rule.c.match: column 1: no such tag 'Xyzzyxyzzy'" <<<"$output"
	has 'a.conf:8: rule.c.targets: there is no target "psac"; did you mean pacs?'
	grep -q "rule.d.match: .*did you mean AcquisitionDate" <<<"$output"
	has 'a.conf:9: rule.d.targets: there is no target "PACS"; did you mean pacs?'
	has 'a.conf:10: recieve: unknown key; did you mean receiver?'
	sed -i 's/recieve { }/extra_tags = "StudyDate"/; s/{PixelData}/{Rows}/; s/{StudyDat}/{studydate}/; /rule "[acd]"/d' a.conf
	"$conf" -n -c a.conf
}

@test "conf: layouts take every keyword of the standard, and of rsync name directories" {
	write a.conf <<-'E'
		target "a" { type = folder path = x layout = "{StudyDate}/{SenderAET}/{Rows}-{SOPInstanceUID}.dcm" }
		target "r" { type = rsync destination = "/srv/x" }
		target "s" { type = rsync destination = "/srv/x" layout = "{StudyDate}/{PatientID}" }
		rule "all" { match = "True" targets = { a, r, s } }
	E
	"$conf" -n -c a.conf
	[ "$("$conf" -c a.conf target.r.layout)" = "{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}" ]
	local bad
	for bad in '{StudyDate}' '{0019,0010}/{SOPInstanceUID}' '{RequestAttributesSequence}/{SOPInstanceUID}' \
		"{SOPInstanceUID}$(printf '{Rows}%.0s' {1..32})"; do
		echo "target a { type = folder path = x layout = '$bad' }" >b.conf
		mistakes b.conf
		has 'b.conf:1: target.a.layout: '
	done
	echo 'target r { type = rsync destination = "/srv" layout = "../{PatientID}" }' >b.conf
	mistakes b.conf
	has 'b.conf:1: target.r.layout: ".." leads out'
}

# warnings FILE: what check warns of, in $output; the configuration is right.
warnings() {
	run "$conf" -n -c "$1"
	[ "$status" -eq 0 ]
	[[ $output == *"$1: ok"* ]]
	output=$(grep -v ': ok$' <<<"$output") || true
}

@test "check: warns of rules that cannot apply, of the same rules, of targets nobody uses" {
	write a.conf <<-'E'
		target "a" { type = folder path = x }
		target "b" { type = folder path = y }
		rule "false" { match = "1 == 2 and tags.Modality" targets = a }
		rule "fails" { match = "1 / 0" targets = a }
		rule "mr" { match = "tags.Modality == 'M R' or 'a' in tags.PatientID" targets = a }
		rule "same" { match = " tags.Modality=='M R'  or 'a'in tags.PatientID " targets = a }
		rule "other1" { match = "tags.Modality == 'MR' or 'a' in tags.PatientID" targets = a }
		rule "other2" { match = "tags.Modality == 'M R' or 'a' in tags.PatientID" targets = a priority = urgent }
		rule "disabled" { match = "False" targets = b disabled = true }
		rule "else" { match = "tags.Modality" targets = a fallback = true }
		rule "last" { match = "True" action = discard fallback = true }
	E
	warnings a.conf
	[ "$output" = 'a.conf:2: target.b: warning: no enabled rule names this target; name it in one, or remove it
a.conf:3: rule.false.match: warning: the rule can never apply: it is always false; correct or disable it
a.conf:4: rule.fails.match: warning: the rule can never apply: it always fails (ZeroDivisionError: division by zero); correct or disable it
a.conf:6: rule.same.match: warning: it is the same as rule "mr"; remove one' ]
	echo 'rule "all" { match = "True or tags.Modality" targets = b }' >>a.conf
	warnings a.conf
	has 'a.conf:10: rule.else.fallback: warning: the rule can never apply: rule "all" always does; remove one'
	has 'a.conf:11: rule.last.fallback: warning: the rule can never apply: rule "all" always does; remove one'
	[ "$(wc -l <<<"$output")" -eq 5 ]
	# programs that start do not warn
	[ "$("$conf" -c a.conf target.a.type 2>&1)" = folder ]
}

@test "check: warns when everything is discarded" {
	write a.conf <<-'E'
		target "a" { type = folder path = x }
		rule "trash" { match = "True" action = discard }
		rule "mr" { match = "tags.Modality == 'MR'" targets = a }
		rule "else" { match = "tags.Modality" targets = a fallback = true }
	E
	warnings a.conf
	has 'a.conf:2: rule.trash.match: warning: everything is discarded, whatever other rules say'
	has 'a.conf:3: rule.mr.match: warning: the rule can never apply: rule "trash" before it always discards; remove one'
	has 'a.conf:4: rule.else.fallback: warning: the rule can never apply: rule "trash" always does; remove one'
	[ "$(wc -l <<<"$output")" -eq 3 ]
	sed -i 's/discard }/discard disabled = yes }/' a.conf
	warnings a.conf
	[ -z "$output" ]
}

@test "check: warns of secrets that are not there or that others may read" {
	write a.conf <<-'E'
		target "s" { type = s3 url = "https://h/b" key_file = "key" }
		target "w" { type = dicomweb url = "https://h" token_file = "." }
		target "d" { type = dicom host = h port = 2762 aec = A tls = yes tls_key = "tls" tls_cert = "cert" tls_ca = "ca" }
		rule "all" { match = "True" targets = { s, w, d } }
	E
	touch key tls ca
	chmod 640 key
	chmod 600 tls
	warnings a.conf
	[ "$output" = "a.conf:1: target.s.key_file: warning: others may read $PWD/key; chmod 600 $PWD/key
a.conf:2: target.w.token_file: warning: $PWD is no regular file; give the path of one
a.conf:3: target.d.tls_cert: warning: there is no file $PWD/cert; make it" ]
}

@test "check: warns of a key that does not fit its certificate, that has a password, and of files that are none" {
	local key
	for key in a b; do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout "$key.key" -out "$key.crt" -subj "/CN=$key" -days 2
	done
	openssl rsa -aes128 -passout pass:secret -in a.key -out locked.key
	echo nothing >ca
	chmod 600 ./*.key
	write a.conf <<-'E'
		target "fits" { type = dicom host = h port = 2762 aec = A tls = yes tls_key = "a.key" tls_cert = "a.crt" tls_ca = "b.crt" }
		target "other" { type = dicom host = h port = 2762 aec = A tls = yes tls_key = "a.key" tls_cert = "b.crt" }
		target "locked" { type = dicom host = h port = 2762 aec = A tls = yes tls_key = "locked.key" tls_cert = "a.crt" }
		target "empty" { type = dicom host = h port = 2762 aec = A tls = yes tls_ca = "ca" }
		rule "all" { match = "True" targets = { fits, other, locked, empty } }
	E
	warnings a.conf
	has "a.conf:2: target.other: warning: the private key $PWD/a.key and the certificate $PWD/b.crt do not match"
	has "a.conf:3: target.locked: warning: unable to read the private key $PWD/locked.key: it has a password; remove that"
	has "a.conf:4: target.empty: warning: unable to read the authorities $PWD/ca: "
	[ "$(wc -l <<<"$output")" -eq 3 ]
}

@test "check: warns of a command that is no program, and of two folders in one place" {
	write a.conf <<-'E'
		target "a" { type = command command = "/nonexistent/tool -x" }
		target "b" { type = command command = "/etc/passwd" }
		target "c" { type = command command = "/etc x" }
		target "d" { type = command command = "/bin/true x" }
		target "e" { type = folder path = "x" }
		target "f" { type = folder path = "./x/" }
		rule "all" { match = "True" targets = { a, b, c, d, e, f } }
	E
	warnings a.conf
	[ "$output" = 'a.conf:1: target.a.command: warning: there is no program /nonexistent/tool; install it
a.conf:2: target.b.command: warning: nobody may run /etc/passwd; chmod +x /etc/passwd
a.conf:3: target.c.command: warning: /etc is no program; give the path of one
a.conf:6: target.f.path: warning: target "e" has this path, too; give each its own, or use one' ]
}

# bats test_tags=root
@test "check: a secret of another user must be given to whoever runs dcmspool; modes alone would not do" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	write a.conf <<-E
		spool = "$PWD/spool"
		target "s" { type = s3 url = "https://h/b" key_file = "key" }
		rule "all" { match = "True" targets = { s } }
	E
	touch key
	chmod 644 key
	mkdir spool
	chown nobody spool
	warnings a.conf
	[ "$output" = "a.conf:2: target.s.key_file: warning: $PWD/key belongs to another user; chown it to the user that dcmspool runs as" ]
	chown nobody key
	warnings a.conf
	[[ $output == *"others may read $PWD/key; chmod 600 $PWD/key" ]]
	chmod 600 key
	warnings a.conf
	[ -z "$output" ]
}

@test "check: a file without -c is refused, and no other one is called right" {
	echo >a.conf
	run -100 "$BIN/dcmspool" check a.conf
	[[ $output == "dcmspool-conf: fatal: unable to check a.conf: it is no option; name the file with -c; usage: "* ]]
	run -100 "$conf" -n -c a.conf b.conf
	[[ $output == *"unable to check b.conf"* ]]
}

@test "check: warns of TLS at a port for DICOM without it" {
	write a.conf <<-'E'
		target "default" { type = dicom host = h aec = A tls = yes }
		target "old" { type = dicom host = h aec = A tls = anonymous port = 11112 }
		target "right" { type = dicom host = h aec = A tls = yes port = 2762 }
		target "plain" { type = dicom host = h aec = A port = 104 }
		rule "all" { match = "True" targets = { default, old, right, plain } }
	E
	warnings a.conf
	has "a.conf:1: target.default.port: warning: 104 is a port for DICOM without TLS; set port = 2762"
	has "a.conf:2: target.old.port: warning: 11112 is a port for DICOM without TLS"
	[ "$(wc -l <<<"$output")" -eq 2 ]
}

@test "conf: a target's name leaves room for what is put around it, and is not that of a sign" {
	write a.conf <<-E
		target "held" { type = folder path = "/a" }
		target "$(printf 'a%.0s' {1..129})" { type = folder path = "/a" }
		target "urgent" { type = folder path = "/a" }
		target "offpeak.x" { type = folder path = "/a" }
		target "urgently" { type = folder path = "/a" }
	E
	mistakes a.conf
	has "a.conf:1: target.held: outgoing/held holds all targets"
	has "a.conf:2: target.aaa"
	has "a.conf:3: target.urgent: its jobs would seem to have a priority"
	has "a.conf:4: target.offpeak.x: its jobs would seem to have a priority"
	exactly 4
}

@test "conf: a port in a host is called one; an IPv6 address is none" {
	write a.conf <<-'E'
		target "dicom" { type = dicom host = "pacs:104" aec = A }
		target "sftp" { type = sftp host = "10.0.0.5:22" username = u folder = f key_file = k known_hosts = k }
		target "two" { type = dicom host = "a:b:c" aec = A }
		target "web" { type = dicom host = "[::1]:104" aec = A }
		target "open" { type = dicom host = "[::1" aec = A }
		target "six" { type = sftp host = "fe80::1%eth0" username = u folder = f key_file = k known_hosts = k }
	E
	mistakes a.conf
	has 'a.conf:1: target.dicom.host: "pacs:104" has a port in it; write host = "pacs" and port = 104'
	has 'a.conf:2: target.sftp.host: "10.0.0.5:22" has a port in it; write host = "10.0.0.5" and port = 22'
	has 'a.conf:3: target.two.host: "a:b:c" is neither a host name nor an address'
	has 'a.conf:4: target.web.host: "[::1]:104" has a port in it; write host = "::1" and port = 104'
	has 'a.conf:5: target.open.host: "[::1" is neither a host name nor an address'
	exactly 5
}

@test "conf: how a target is reached: what its sender would refuse is a mistake, and no secret is shown" {
	write a.conf <<-'E'
		target "six" { type = dicom host = "::1" aec = A }
		target "user" { type = dicomweb url = "https://h" username = u }
		target "password" { type = dicomweb url = "https://h" password_file = p }
		target "ssh" { type = rsync destination = "u@h:/x" }
		target "key" { type = rsync destination = "h:x" key_file = k }
		target "hidden" { type = rsync destination = "rsync://alice:Geheim@h/mod" }
		target "hidden2" { type = rsync destination = "alice:Geheim@h:/mod" key_file = k known_hosts = k }
		target "hidden3" { type = dicomweb url = "https://alice:Geh{eim@h" }
		target "hidden4" { type = s3 url = "alice:Geheim/@h" key_file = k }
		target "good" { type = rsync destination = "rsync://alice@[::1]:873/mod/a@b:c" }
		target "good2" { type = rsync destination = "/srv/a:b@c" }
		target "good3" { type = rsync destination = "alice@[fe80::1]:/mod/a@b:c" key_file = k known_hosts = k }
		target "good4" { type = dicomweb url = "https://h" username = u password_file = p }
	E
	mistakes a.conf
	[[ $output != *eheim* ]]
	has "a.conf:2: target.user.username: basic authentication needs username and password_file"
	has "a.conf:3: target.password.password_file: basic authentication needs username and password_file"
	has "a.conf:4: target.ssh.key_file: this key is missing; over ssh"
	has "a.conf:4: target.ssh.known_hosts: this key is missing; over ssh"
	has "a.conf:5: target.key.known_hosts: this key is missing; over ssh"
	has "a.conf:6: target.hidden.destination: a password in it is not possible"
	has "a.conf:7: target.hidden2.destination: a password in it is not possible"
	has "a.conf:8: target.hidden3.url: a user's name in a URL is not possible"
	has "a.conf:9: target.hidden4.url: a user's name in a URL is not possible"
	exactly 9
}

@test "check: warns of a rate limit that has no effect" {
	write a.conf <<-'E'
		target "f" { type = folder path = "/f" rate_limit = 1M }
		target "c" { type = command command = "/bin/true" rate_limit = 1M }
		target "d" { type = dicom host = h aec = A rate_limit = 1M }
		rule "all" { match = "True" targets = { f, c, d } }
	E
	warnings a.conf
	[ "$output" = "a.conf:1: target.f.rate_limit: warning: it has no effect on targets of type folder; remove it
a.conf:2: target.c.rate_limit: warning: it has no effect on targets of type command; remove it" ]
}

@test "conf: what a target of type dicom or s3 cannot do without, and what excludes each other" {
	write a.conf <<-'E'
		target "nowhere" { type = dicom }
		target "back" { type = dicom return_to_sender = yes host = h }
		target "half" { type = dicom host = h aec = A tls = anonymous tls_ca = c tls_key = k connections = 2 }
		target "ca" { type = dicom host = h aec = A tls_ca = c }
		target "same" { type = s3 url = "https://h/b" key_file = k layout = "{InstanceNumber}.dcm" }
		target "hidden" { type = dicomweb url = "https://user:secret@h" }
	E
	mistakes a.conf
	has "a.conf:1: target.nowhere.host: this key is missing"
	has "a.conf:1: target.nowhere.aec: this key is missing"
	has "a.conf:2: target.back.host: with return_to_sender it is the sender's"
	has "a.conf:3: target.half.tls_ca: with tls = anonymous no certificate is looked at"
	has "a.conf:3: target.half.tls_key: a client certificate needs tls_key and tls_cert"
	has "a.conf:3: target.half.connections: 2 is more than max_connections (1)"
	has "a.conf:4: target.ca.tls_ca: it has no use without tls = yes"
	has "a.conf:5: target.same.layout: it has no {SOPInstanceUID}"
	has "a.conf:6: target.hidden.url: a user's name in a URL is not possible"
	exactly 9
}

@test "check: warns of the usual rules that can never apply, and of no others" {
	write a.conf <<-'E'
		target "a" { type = folder path = x }
		rule "1" { match = "tags.SliceThickness == 2" targets = a }
		rule "2" { match = "tags.SliceThickness < 2" targets = a }
		rule "3" { match = "tags.SeriesDescription.lower() == 'CINE'" targets = a }
		rule "4" { match = "tags.Modality is None" targets = a }
		rule "5" { match = "tags.Modality == 'CT' and False" targets = a }
		rule "6" { match = "tags.Modality in []" targets = a }
		rule "7" { match = "tags.Modality == 'CT' or tags.SliceThickness == 2" targets = a }
		rule "8" { match = "float(tags.SliceThickness or 0) < 2" targets = a }
		rule "9" { match = "tags.Modality is None" targets = a disabled = true }
	E
	warnings a.conf
	[ "$(wc -l <<<"$output")" -eq 6 ]
	has 'a.conf:2: rule.1.match: warning: the rule can never apply: a text never equals a number; put the text into float()'
	has 'a.conf:3: rule.2.match: warning: the rule can never apply: it always fails: a text has no order with a number'
	has 'a.conf:4: rule.3.match: warning: the rule can never apply: lower() and casefold() leave no capital letter'
	has 'a.conf:5: rule.4.match: warning: the rule can never apply: it is never that'
	has 'a.conf:6: rule.5.match: warning: the rule can never apply: False: it is always false'
	has 'a.conf:7: rule.6.match: warning: the rule can never apply: nothing is in an empty list; correct or disable it'
}

@test "check: rules that are the same however they are written; thousands of rules" {
	local long n
	write a.conf <<-'END'
		target "a" { type = folder path = x }
		target "b" { type = folder path = y }
		rule "1" { match = "tags.Modality == 'CT'" targets = { a, b } }
		rule "2" { match = '@modality@ == "CT" # the same' targets = { b, a } }
		rule "3" { match = "tags['Modality'] == '''CT'''" targets = { a, b } }
		rule "4" { match = "tags.Modality == '''C T'''" targets = { a, b } }
		rule "5" { match = "tags.Modality == 'CT'" targets = { a } }
	END
	warnings a.conf
	[ "$output" = 'a.conf:4: rule.2.match: warning: it is the same as rule "1"; remove one
a.conf:5: rule.3.match: warning: it is the same as rule "1"; remove one' ]
	long=$(printf "tags.Modality == 'X%s' or " {1..50})
	{
		echo 'target "a" { type = folder path = x }'
		for n in {1..3000}; do
			echo "rule \"$n\" { match = \"$long tags.PatientID == '$n'\" targets = a }"
		done
		echo "rule \"again\" { match = \"$long tags.PatientID=='77'\" targets = a }"
	} >b.conf
	run timeout 60 "$conf" -n -c b.conf
	[ "$status" -eq 0 ]
	has 'b.conf:3002: rule.again.match: warning: it is the same as rule "77"; remove one'
}

@test "check: an AE title that is meant as a pattern is warned of" {
	cat >a.conf <<-'END'
		receiver { called_aets = { "ROUTER", "RO?TER" } }
		sender "ct" { calling_aets = "CT*" }
		target "a" { type = folder path = "/tmp" }
		rule "all" { match = "True" targets = { "a" } }
	END
	warnings a.conf
	has 'a.conf:1: receiver.called_aets: warning: "RO?TER" is no pattern here, but an AE title of these very characters; give each title'
	has 'a.conf:2: sender.ct.calling_aets: warning: "CT*" is no pattern here, but an AE title of these very characters; give each title'
}
