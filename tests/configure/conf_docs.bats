# conf_docs.bats: the sample and the manual pages say what the program does.

load ../helper

setup() {
	cd "$(realpath "$BATS_TEST_TMPDIR")" || return
	top=$(realpath "$TOP")
	conf=$BIN/dcmspool-conf
}

@test "conf: the sample is right, and so is each of its examples when uncommented" {
	run "$conf" -n -c "$TOP/etc/dcmspool.conf"
	[ "$status" -eq 0 ]
	[ "$("$conf" -c "$TOP/etc/dcmspool.conf" spool receiver.port targets target.archive.type target.archive.path rules)" = "$top/spool
11112
archive
folder
$top/archive
everything" ]
	sed -E 's/^(\t*)#([^ ])/\1\2/' "$TOP/etc/dcmspool.conf" >all.conf
	run "$conf" -n -c all.conf
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$("$conf" -c all.conf rules | wc -l)" -ge 4 ]
	[ "$("$conf" -c all.conf receiver.accept)" = uncompressed ]
}

@test "conf: the manual page has every key with its type, range and default, and only these" {
	"$conf" -k >keys
	[ "$(wc -l <keys)" -gt 30 ]
	awk '/^\.It Va /{ key = $3; text = ""; next }
		key && /^\.br/ { print key ":" text; key = ""; next }
		key { text = text " " $0 }' "$TOP/src/lib/conf/dcmspool.conf.5" >page
	diff <(sort keys) <(sort page)
}

@test "conf: the example of the manual page is right" {
	mandoc -T ascii "$TOP/src/lib/conf/dcmspool.conf.5" | col -b |
		sed -n '/^EXAMPLES/,/^DIAGNOSTICS/p' | sed '1,2d;$d' >a.conf
	run "$conf" -n -c a.conf
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "conf: options in the page, the usage and the program are the same" {
	run "$conf" -h
	[ "$status" -eq 0 ]
	[ "$output" = "usage: dcmspool-conf [-hknr] [-c FILE] [KEY ...]" ]
	[ "$(sed -n 's/^\.It Fl \([a-z]\).*/\1/p' "$TOP/src/configure/dcmspool-conf/dcmspool-conf.8" | tr -d '\n')" = chknr ]
	run "$conf" -x
	[ "$status" -eq 100 ]
	[[ $output == *'dcmspool-conf: error: unknown option -x'* ]]
	[[ $output == *'usage: dcmspool-conf '* ]]
	run "$conf" -c
	[ "$status" -eq 100 ]
	[[ $output == *'dcmspool-conf: error: option -c needs an argument'* ]]
	: >a.conf
	run "$conf" -c a.conf receiver.prot
	[ "$status" -eq 100 ]
	[[ $output == *'dcmspool-conf: fatal: unable to print receiver.prot: the configuration has no such key'* ]]
	run bash -c '"$1" -c a.conf >/dev/full' - "$conf"
	[ "$status" -eq 111 ]
}

@test "conf: the pages are right for mandoc" {
	run mandoc -T lint -W warning "$TOP/src/lib/conf/dcmspool.conf.5" "$TOP/src/configure/dcmspool-conf/dcmspool-conf.8"
	echo "$output"
	[ "$status" -eq 0 ]
}
