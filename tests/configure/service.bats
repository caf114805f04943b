# What makes dcmspool a service of the host's: units, generator, completion, the package's own scripts, as installed.

bats_require_minimum_version 1.5.0
load ../helper

setup_file() {
	make -C "$TOP" -s BUILD="$BUILD" BIN="$BIN" DESTDIR="$BATS_FILE_TMPDIR/root" PREFIX=/usr SYSCONFDIR=/etc only-installed
}

# What names a path of the host's, names one below ROOT.
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	ROOT=$PWD/root
	cp -al "$BATS_FILE_TMPDIR/root" root
	mkdir root/run generator
	LIB=$ROOT/usr/lib/dcmspool ETC=$ROOT/etc/dcmspool SYSTEMD=$ROOT/usr/lib/systemd DROPINS=$PWD/generator
	sed -i "s|/usr/bin/dcmspool|$ROOT&|; s|/usr/lib/dcmspool|$ROOT&|; s| /etc/dcmspool| $ROOT/etc/dcmspool|; s|=/run/|=$ROOT/run/|" \
		"$SYSTEMD"/system/* "$SYSTEMD"/system-generators/*
}

generate() { "$SYSTEMD/system-generators/dcmspool-generator" "$DROPINS"; }

site() { printf '%s\n' "spool = \"$PWD/$1\"" "$2" >"$ETC/$1.conf"; }

streams() { grep ListenStream= "$DROPINS/$1.d/ports.conf" | cut -d = -f 2 | tr '\n' ' '; }

@test "units: systemd finds nothing wrong with them, and calls them well protected" {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is missing"
	site two 'receiver { port = 11113 }'
	generate
	local units=(dcmspool.service dcmspool.socket dcmspool@two.service dcmspool@two.socket)
	SYSTEMD_UNIT_PATH=$SYSTEMD/system:$DROPINS: run -0 systemd-analyze verify --man=no "${units[@]}"
	[ -z "$output" ]
	run -0 systemd-analyze security --offline=yes --root="$ROOT" --threshold=19 dcmspool.service
	tail -n 1 <<<"$output"
	grep -q '^ProtectSystem=full$' "$SYSTEMD/system/dcmspool.service"
	grep -q '^Type=notify$' "$SYSTEMD/system/dcmspool.service"
}

@test "units: the default site's are those of the template, and name its configuration" {
	diff <(sed 's/dcmspool@%i/dcmspool/g; s/%i/dcmspool/g' "$SYSTEMD/system/dcmspool@.service") "$SYSTEMD/system/dcmspool.service"
	grep -q "^ExecStart=$ROOT/usr/bin/dcmspool up -c $ETC/dcmspool.conf$" "$SYSTEMD/system/dcmspool.service"
	grep -q "^ExecReload=$ROOT/usr/bin/dcmspool reload -c $ETC/%i.conf$" "$SYSTEMD/system/dcmspool@.service"
	[ -s "$ETC/dcmspool.conf" ]
}

@test "generator: each site's socket has the ports of its configuration; with a mistake in it, those it had" {
	site two 'receiver { port = { 104, 11113 } listen = { "127.0.0.1", "::1" } }'
	site 'no site' 'receiver { port = 4242 }'
	generate
	[ "$(streams dcmspool@two.socket)" = '127.0.0.1:104 127.0.0.1:11113 [::1]:104 [::1]:11113 ' ] ||
		{ [ ! -e /proc/net/if_inet6 ] && [ "$(streams dcmspool@two.socket)" = '127.0.0.1:104 127.0.0.1:11113 ' ]; }
	[[ "$(streams dcmspool.socket)" == 0.0.0.0:11112* ]]
	[ "$(find "$DROPINS" -name '*.socket.d' | wc -l)" -eq 2 ]
	site two 'receiver { port = 0x }'
	rm -r "${DROPINS:?}"/*
	generate
	[[ "$(streams dcmspool@two.socket)" == '127.0.0.1:104 127.0.0.1:11113 '* ]]
}

# completed WORD...: what completion offers after these words, the last of which is not complete
completed() {
	bash -c '
		. "$0"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_dcmspool
		printf "%s\n" "${COMPREPLY[@]}"' "$ROOT/usr/share/bash-completion/completions/dcmspool" "$LIB/dcmspool" "$@"
}

@test "completion: verbs, targets, rules and jobs as they are" {
	cat >x.conf <<-END
		spool = "$PWD/spool"
		target "pacs" { type = folder path = "/pacs" }
		target "parked" { type = folder path = "/parked" }
		rule "all" { match = "True" targets = { "pacs" } }
	END
	"$LIB/dcmspool-layout" spool
	mkdir -p spool/outgoing/pacs/20261122T140301.1.a.b spool/success/20261122T140302.1.a.b.pacs
	[ "$(completed ec)" = echo ]
	[ "$(completed '' | sort)" = "$("$LIB/dcmspool" -h | sed -n 's/^  \([a-z-]*\) .*/\1/p' | sort)" ]
	[ "$(completed hold -c x.conf pa | tr '\n' ' ')" = 'pacs parked ' ]
	[ "$(completed conf -c x.conf rule. | tr '\n' ' ')" = 'rule.all ' ]
	[ "$(completed cancel -c x.conf 2026)" = 20261122T140301.1.a.b ]
	[ "$(completed retry -c x.conf 2026)" = 20261122T140301.1.a.b ]
	[ "$(completed explain -c x.conf 2026 | wc -l)" -eq 2 ]
}

# postrm ANSWER: the package's, at a purge, with a debconf that answers so, and the spool of the test's
postrm() {
	cat >confmodule <<-END
		db_version() { :; }
		db_fset() { :; }
		db_input() { echo asked >>asked; }
		db_go() { :; }
		db_get() { RET=$1; }
	END
	sed "s|/var/spool|$PWD/spool|; s|/var/lib|$PWD/lib|g; s|/usr/share/debconf|$PWD|g; s|^#DEBHELPER#||" \
		"$TOP/etc/debian/dcmspool.postrm" >postrm
	sh postrm purge
}

@test "package: a purge asks before it deletes images, and deletes what is left of an empty spool" {
	mkdir spool
	"$LIB/dcmspool-layout" spool/dcmspool
	touch spool/dcmspool/.format spool/dcmspool/journal/2026-11-22.jsonl
	run -0 postrm false
	[ ! -e spool/dcmspool ] && [ ! -e asked ]
	"$LIB/dcmspool-layout" spool/dcmspool
	mkdir -p spool/dcmspool/outgoing/pacs/job lib/dcmspool/archive
	echo image >spool/dcmspool/outgoing/pacs/job/1.dcm
	run -0 postrm false
	[[ $output == *"the spool $PWD/spool/dcmspool holds images and was kept"* ]]
	[ -s spool/dcmspool/outgoing/pacs/job/1.dcm ] && [ "$(wc -l <asked)" -eq 1 ]
	[ ! -e lib/dcmspool ]
	mkdir -p lib/dcmspool/archive
	echo image >lib/dcmspool/archive/1.dcm
	run -0 postrm true
	[ ! -e spool/dcmspool ] && [ -s lib/dcmspool/archive/1.dcm ]
	sh -n "$TOP/etc/debian/dcmspool.postinst"
	sh -n "$TOP/etc/debian/dcmspool.prerm"
}
