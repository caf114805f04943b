# conf.bats: the configuration: mistakes with their lines, conf.d, values.

load ../helper
load conf

@test "conf: the unit test" {
	"$TOOLS/test_conf"
}

@test "conf: an empty file is right and has the defaults" {
	: >a.conf
	run "$conf" -n -c a.conf
	[ "$status" -eq 0 ]
	[ "$output" = "a.conf: ok" ]
	[ "$("$conf" -c a.conf spool receiver.port router.series_timeout)" = "/var/spool/dcmspool
11112
1m" ]
}

@test "conf: lines are right after comments of all kinds, also inside lists" {
	write a.conf <<-'E'
		# one
		# two
		/* three
		   four */ // five # six
		##########
		spool = "a # no comment /* nor this */ // nor this"   # but this
		receiver {
			port = { 11112, # in a list
				/* here */ 70000,
				104 }
			min_free = many
		}
	E
	mistakes a.conf
	has 'a.conf:8: receiver.port: 70000 is out of range; 1 to 65535'
	has 'a.conf:11: receiver.min_free: "many" is not a number; 0 to 100000000'
	exactly 2
	sed -i 's/70000/7000/; s/many/5/' a.conf
	[ "$("$conf" -c a.conf receiver.port spool)" = "11112
7000
104
$PWD/a # no comment /* nor this */ // nor this" ]
}

@test "conf: every mistake is reported, with the key and what would be right" {
	write a.conf <<-'E'
		# comment
		sploo = 5
		receiver {
			port = { 010, 11112, 11112 }
			prot = 4
			dimse_timeout = 60
			request_timeout = 500ms
			allow = { "10.0.0.1/8", "foo", "10.0.0.0/33" }
			calling_aets = { "ABCDEFGHIJKLMNOPQ", "a\\b", "  " }
			listen = { "1.2.3" }
			accept = some
			retention = 3d
			max_associations = 4
			max_associations_per_peer = 5
		}
		recever { port = 3 }
		router { instances = 100 series_timeout = 1s association_grace = 2s }
		dispatcher { instances = 1
			instances = 2 }
		cleaner { retention = 1.5d }
		port = 104
		target "pacs" { type = dicom host = "10.0.0.5" port = 0 path = "/x" retry_min = 1h }
		target "pacs" { type = dicom }
		target "p/x" { type = folder path = "x" layout = "{Modalty}/../x" }
		target "ftp" { type = ftp settings = { "a=b", "c" } }
		target "none" { host = "a b" }
		rule "r1" { match = "tags.Modalty == 'MR'" targets = { "pcas", "nowhere" } }
		rule "r2" { match = "True" }
		rule "r3" { match = 'True' action = discard targets = "pacs" fallback = maybe }
	E
	mistakes a.conf
	has 'a.conf:2: sploo: unknown key; did you mean spool?'
	has 'a.conf:4: receiver.port: "010" begins with 0; write it without (numbers are decimal)'
	has 'a.conf:4: receiver.port: 11112 is in the list twice; remove one'
	has 'a.conf:5: receiver.prot: unknown key of section receiver; did you mean port?'
	has 'a.conf:6: receiver.dimse_timeout: 60 has no unit; write for example 60s'
	has 'a.conf:7: receiver.request_timeout: 500ms is not a whole number of seconds; for example 1s'
	has 'a.conf:8: receiver.allow: "10.0.0.1/8" has bits beyond its prefix; 10.0.0.0/8'
	has 'a.conf:8: receiver.allow: "foo" is not an address or prefix; for example'
	has 'a.conf:8: receiver.allow: "10.0.0.0/33" is not an address or prefix; for example'
	has 'a.conf:9: receiver.calling_aets: "ABCDEFGHIJKLMNOPQ" has 17 characters; an AE title has at most 16'
	has 'a.conf:9: receiver.calling_aets: "a\b" is not an AE title; 1 to 16 printable'
	has 'a.conf:9: receiver.calling_aets: "  " is not an AE title; 1 to 16 printable'
	has 'a.conf:10: receiver.listen: "1.2.3" is not an IP address; for example'
	has 'a.conf:11: receiver.accept: "some" is not possible; one of all|uncompressed'
	has 'a.conf:12: receiver.retention: unknown key of section receiver; it belongs into a section cleaner'
	has 'a.conf:14: receiver.max_associations_per_peer: 5 is more than max_associations (4)'
	has 'a.conf:16: recever: unknown key; did you mean receiver?'
	has 'a.conf:17: router.instances: 100 is out of range; 0 to 64'
	has 'a.conf:17: router.association_grace: association_grace (2s) is longer than series_timeout (1s)'
	has 'a.conf:19: dispatcher.instances: given twice; the first is in line 18'
	has 'a.conf:20: cleaner.retention: "1.5d" is not a duration; a number and one unit'
	has 'a.conf:21: port: unknown key; it belongs into a section receiver or into a section target'
	has 'a.conf:22: target.pacs.port: 0 is out of range; 1 to 65535'
	has 'a.conf:22: target.pacs.aec: this key is missing; add aec = ... to the target'
	has 'a.conf:22: target.pacs.path: not a key of targets of type dicom; they have host, port, aec'
	has 'a.conf:22: target.pacs.retry_min: retry_min (1h) is longer than retry_max (15m)'
	has 'a.conf:23: target: "pacs" is there already, at a.conf:22; names must be unique'
	has 'a.conf:24: target: "p/x" cannot be a name; use letters'
	has 'a.conf:24: target.p/x.layout: unknown keyword {Modalty}; did you mean Modality?'
	has 'a.conf:24: target.p/x.layout: ".." leads out of the target'"'"'s path'
	has 'a.conf:25: target.ftp.type: no sender of type "ftp"; use dicom, folder, dicomweb, sftp, rsync, s3 or command, or install'
	has 'a.conf:25: target.ftp.settings: "c" is not a setting; write "name=value"'
	has 'a.conf:26: target.none.type: this key is missing; add type = ... to the target'
	has 'a.conf:27: rule.r1.targets: there is no target "pcas"; did you mean pacs?'
	has 'a.conf:27: rule.r1.targets: there is no target "nowhere"; add a section target'
	has 'a.conf:27: rule.r1.match: column '
	has 'a.conf:28: rule.r2.targets: the rule has no targets; add targets'
	has 'a.conf:29: rule.r3.targets: the rule discards; remove its targets, or action = discard'
	has 'a.conf:29: rule.r3.fallback: "maybe" is not possible; one of false|true'
	exactly 39
	# by line
	grep -o '^a.conf:[0-9]*' <<<"$output" | sort -C -t: -k2n
}

@test "conf: structure: each broken statement is told with its own line, and the rest is looked at" {
	write a.conf <<-'E'
		receiver {
			port =
			min_free 3
			listen = { "::" "0.0.0.0" }
			calling_aets = { "A",
			called_aets = { "B" }
			foo = 1
		}
		}
		target { }
		target "x"
		router "a" { }
		spool = { "a" }
		dispatcher = 3
		cleaner {
			retention = 3d
		rule "r" { match = *x }
		"key" = 3
		receiver { min_free += 1
	E
	mistakes a.conf
	has 'a.conf:2: receiver.port: nothing follows the =; write KEY = VALUE'
	has 'a.conf:3: receiver.min_free: no value; write KEY = VALUE'
	has 'a.conf:4: receiver.listen: a comma or } is missing in the list'
	has 'a.conf:5: receiver.calling_aets: the list that begins here is not closed'
	has 'a.conf:7: receiver.foo: unknown key of section receiver'
	has 'a.conf:9: }: it closes nothing; remove it'
	has 'a.conf:10: target: this section needs a name'
	has 'a.conf:11: target: no section follows; write it as NAME "TITLE" { ... }'
	has 'a.conf:12: router: this section has no name'
	has 'a.conf:13: spool: a list where one value is expected'
	has 'a.conf:14: dispatcher: unknown key; it is a section, write dispatcher { ... }'
	has 'a.conf:15: cleaner: the section that begins here is not closed before line 17; add }'
	has "a.conf:17: unexpected character '*'; put values with special characters in quotes"
	has 'a.conf:18: key: a string where a key is expected'
	has "a.conf:19: unexpected character '+'"
	has 'a.conf:19: receiver: the section that begins here is not closed; add }'
	exactly 16
}

@test "conf: quotes within quotes, an expression without, a type that there is not: one mistake each" {
	local value
	for value in '"tags.Modality == "MR""' "'tags.Modality == 'MR''"; do
		printf 'spool = s\nrule "r" { match = %s targets = { "t" } }\ntarget "t" { type = folder path = "b" }\n' "$value" >a.conf
		mistakes a.conf
		has 'a.conf:2: rule.r.match: the value ends before MR; use the other kind of quotes in it'
		exactly 1
	done
	sed -i "s/match = .* targets/match = tags.Modality == 'MR' targets/" a.conf
	mistakes a.conf
	has 'a.conf:2: rule.r.match: a value with blanks; put quotes around all of it'
	exactly 1
	printf 'spool = s\ntarget "t" { type = dicon host = "h" aec = X }\n' >a.conf
	mistakes a.conf
	has 'a.conf:2: target.t.type: no sender of type "dicon"; use dicom,'
	exactly 1
}

@test "conf: an open string or comment is found where it begins" {
	printf '# c\nspool = "/x\nreceiver {\n\tport = 4\n}\ntarget "a" { type = folder path = "b" }\n' >a.conf
	mistakes a.conf
	has 'a.conf:2: the string that begins here is not closed; add the closing quote'
	exactly 1
	printf "# c\n\nrule \"r\" { match = 'True }\n" >a.conf
	mistakes a.conf
	has 'a.conf:3: the string that begins here is not closed'
	printf '# c\n\n/* spool = "/x"\nreceiver { port = 4 }\n' >a.conf
	mistakes a.conf
	has 'a.conf:3: the comment that begins here is not closed; add */'
	exactly 1
	printf '# c\n\nspool = "C:\\dicom \\0"\n' >a.conf
	mistakes a.conf
	has 'a.conf:3: \d is not an escape sequence here'
	has 'a.conf:3: \0 is not an escape sequence here'
	exactly 2
	printf 'spool = "/x\0y"\n' >a.conf
	mistakes a.conf
	# shellcheck disable=SC2016 # the variable is for the configuration
	printf '# c\nspool = "${NOT_THERE_AT_ALL}/x"\n' >a.conf
	mistakes a.conf
	has 'a.conf:2: the environment has no variable NOT_THERE_AT_ALL'
	[ "$(NOT_THERE_AT_ALL=/y "$conf" -c a.conf spool)" = /y/x ]
}

@test "conf: a byte order mark, CRLF and a missing last newline do no harm" {
	printf '\xef\xbb\xbfspool = /x # c\r\nreceiver {\r\n port = 4\r\n}' >a.conf
	[ "$("$conf" -c a.conf spool receiver.port)" = "/x
4" ]
}

@test "conf: what is no file is refused" {
	mkdir d.conf
	mkfifo fifo.conf
	mistakes d.conf
	has 'd.conf: unable to read configuration: it is a directory'
	mistakes fifo.conf
	has 'fifo.conf: unable to read configuration: not a regular file'
	mistakes no/such.conf
	has 'no/such.conf: unable to read configuration: No such file or directory'
	: >a.conf
	mkdir -p conf.d/x.conf
	mistakes a.conf
	has 'conf.d/x.conf: unable to read configuration: it is a directory'
}

@test "conf: an unreadable file is told" {
	[ "$(id -u)" -ne 0 ] || skip "root reads everything"
	: >a.conf
	chmod 0 a.conf
	run "$conf" -n -c a.conf
	[ "$status" -eq 111 ] # it may be readable in a moment
	has 'a.conf: unable to read configuration: Permission denied'
}

@test "conf: a mistake in a rule shows its line and a caret under it" {
	write a.conf <<-'E'
		# comment
		target "a" { type = folder path = x }
		rule "r" {
			targets = a
			match = "tags.Modality == 'MÄR' and
		tags.SliceThicknes == 'ü' or True"
		}
	E
	mistakes a.conf
	has 'a.conf:6: rule.r.match: column 6: '
	[[ $output == *SliceThicknes*"did you mean SliceThickness?"* ]]
	has "    tags.SliceThicknes == 'ü' or True"
	has '         ^'
}

@test "conf: rules may use the sender's names" {
	write a.conf <<-'E'
		target "a" { type = folder path = x }
		rule "r" { targets = a match = "tags.SenderAET == 'A' and tags.senderaddress != 'B' or tags.ReceiverAET == 'C'" }
	E
	"$conf" -n -c a.conf
}

@test "conf: conf.d is read in the order of the names, key by key" {
	mkdir conf.d
	echo 'receiver { port = 1 min_free = 7 } spool = a' >a.conf
	echo 'receiver { port = { 2, 3 } } target "t2" { type = folder path = x }' >conf.d/10.conf
	echo 'receiver { port = { 4, 5 } } target "t1" { type = folder path = y }' >conf.d/9.conf
	echo 'nonsense {' | tee conf.d/.hidden.conf conf.d/10.conf~ conf.d/README >conf.d/10.conf.bak
	[ "$("$conf" -c a.conf receiver.port receiver.min_free targets target.t2.path)" = "4
5
7
t2
t1
$PWD/x" ]
	printf '\n\nport = 1\ntarget "t1" { type = folder path = z }' >conf.d/95.conf
	printf '\n# c\nreceiver { min_free = x }' >conf.d/96.conf
	mistakes a.conf
	has 'conf.d/95.conf:3: port: unknown key'
	has 'conf.d/95.conf:4: target: "t1" is there already, at conf.d/9.conf:1'
	has 'conf.d/96.conf:3: receiver.min_free: "x" is not a number'
}

@test "conf: relative paths start at the file's directory, wherever one stands" {
	mkdir -p etc other
	echo 'spool = "../sp" target "t" { type = folder path = ".././../x/" }' >etc/a.conf
	cd other
	[ "$("$conf" -c ../etc/a.conf spool target.t.path file)" = "$here/sp
$(dirname "$here")/x
$here/etc/a.conf" ]
}

@test "conf: a folder inside the spool is refused" {
	echo 'spool = sp target "t" { type = folder path = "sp/x" }' >a.conf
	mistakes a.conf
	has "a.conf:1: target.t.path: $PWD/sp/x lies in the spool $PWD/sp"
	sed -i 's,sp/x,sp2,' a.conf
	"$conf" -n -c a.conf
}

@test "conf: what is printed can be read back" {
	write a.conf <<-'E'
		spool = "x \"y\" \\ \$ ä"
		receiver { port = { 11112, 104 } calling_aets = { " A B ", 'C"' } allow = { "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/0" }
			accept = uncompressed min_free = 0 request_timeout = 90s }
		router { series_timeout = 1500ms association_grace = 0s }
		target "a.b" { type = dicom host = "h" aec = X timeout = 1m order = none }
		target "c" { type = "folder" path = "/" layout = '{SOPInstanceUID}' }
		rule "r" { match = 'tags.Modality == "MR"
		 or True' targets = { "a.b", c } fallback = yes comment = 'it''s' }
	E
	sed -i "s/'it''s'/\"it's \${HOME}\"/" a.conf
	"$conf" -c a.conf >b.conf
	"$conf" -c b.conf >c.conf
	cmp b.conf c.conf
	[ "$("$conf" -c b.conf receiver.allow receiver.calling_aets target.a.b.timeout router.series_timeout spool rule.r.match rule.r.fallback rule.r.comment)" = "10.0.0.0/8
::1/128
fd00::/8
0.0.0.0/0
A B
C\"
60s
1500ms
$PWD/x \"y\" \\ \$ ä
tags.Modality == \"MR\"
 or True
true
it's $HOME" ]
}

@test "conf: a target of any type with its required keys only can be printed and read back" {
	local type
	"$conf" -k | sed -n 's/^target.NAME.\([^:]*\): .*; required; type \(.*\)$/\2 \1/p' >required
	for type in $("$conf" -k | sed -n 's/^target.*; type \([a-z0-9]*\)$/\1/p' | grep -vx others | sort -u); do
		{
			echo "target \"t\" { type = $type"
			sed -n "s/^$type //p" required | sed -e 's,^url$,url = "https://h/b",' -e 's,^command$,command = "/bin/true",' \
				-e 's,^destination$,destination = "/srv",' -e 's,^[a-z_]*$,& = x,'
			[ "$type" != dicom ] || echo 'host = h aec = A'
			echo }
		} >a.conf
		"$conf" -c a.conf >b.conf
		run "$conf" -c b.conf
		echo "$type: $output"
		[ "$status" -eq 0 ]
		[ "$output" = "$(cat b.conf)" ]
	done
	[ "$type" = sftp ]
}

@test "conf: another type needs its program, and takes settings" {
	cp "$conf" .
	printf '#!/bin/sh\n' >send-xnat
	echo 'target "x" { type = xnat settings = { "url=https://a=b", "user=" } }' >a.conf
	run ./dcmspool-conf -n -c a.conf
	[ "$status" -eq 100 ]
	has 'a.conf:1: target.x.type: no sender of type "xnat"'
	chmod +x send-xnat
	./dcmspool-conf -n -c a.conf
	[ "$(./dcmspool-conf -c a.conf target.x.settings)" = "url=https://a=b
user=" ]
	./dcmspool-conf -c a.conf >b.conf
	./dcmspool-conf -c b.conf | cmp - b.conf
}

@test "conf: what is not UTF-8 is a mistake with line and column, but in a comment" {
	printf '# Sch\xe4del\ntarget "a" { type = folder path = x }\nrule "r" { # \xe4\n\tmatch = "tags.BodyPartExamined ==\n%s\n' \
		" 'Ä Sch"$'\xe4'"del'\" targets = a }" >a.conf
	mistakes a.conf
	has 'a.conf:5: column 8: the byte 0xe4 is not UTF-8; save the file as UTF-8'
	exactly 1
	LC_ALL=C sed -i '5s/\xe4/ae/' a.conf
	"$conf" -n -c a.conf
	printf 'target "a" { type = folder path = d\xe9p\xf4t }\n' >a.conf
	mistakes a.conf
	has 'a.conf:1: column 36: the byte 0xe9 is not UTF-8'
	exactly 1
}
