# README.md: its commands are there and take what it gives them, and its configuration is right. tests/stranger types
# "As a service" on a host.

load ../helper

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# section NAME: the indented lines of a section, without comments
section() { sed -n "/^## $1\$/,/^## /s/^    //p" "$TOP/README.md" | sed 's/  *#.*//'; }

@test "readme: every verb, target of make and file that it names is there" {
	local verb word bad=0
	while read -r verb; do
		[ "$verb" = check ] || [ "$verb" = list ] || [ -x "$BIN/dcmspool-$verb" ] || { echo "no verb $verb" && bad=1; }
	done < <(grep -oE 'dcmspool (--)?[a-z][a-z-]+' "$TOP/README.md" | grep -vE 'dcmspool (for|router)' | cut -d ' ' -f 2 | sort -u)
	for word in $(grep -oE '(sudo )?make [a-z]+' "$TOP/README.md" | sed 's/.*make //' | sort -u); do
		case $word in of | run | up | a) [ "$word" = run ] || continue ;; esac
		grep -qE "^([a-z-]+ )*$word( [a-z-]+)*:" "$TOP/Makefile" || { echo "no target $word" && bad=1; }
	done
	[ "$bad" -eq 0 ]
}

@test "readme: its configuration is right" {
	section Configure >a.conf
	[ "$(grep -c '^target' a.conf)" -eq 2 ]
	"$BIN/dcmspool" check -c a.conf
}

@test "readme: a service takes the commands that tests/stranger types, in this order" {
	section 'As a service' >commands
	cat commands
	[ "$(sed -E 's/^(sudo )?//; s/ .*//' commands | tr '\n' ' ')" = 'make apt sudoedit dcmspool systemctl journalctl ' ]
	[ "$(grep -c readme "$TOP/tests/stranger")" -ge 6 ]
	grep -q '^sudoedit /etc/dcmspool/dcmspool.conf$' <(sed 's/^sudo //' commands)
}

@test "readme: what operating it says by hand, a spool has" {
	local stage
	for stage in $(sed -n '/^## Operate/,/^## /p' "$TOP/README.md" | grep -oE '\b[a-z]+/' | sort -u); do
		[[ $stage = etc/ || $stage = bin/ || $stage = src/ || $stage = lib/ || $stage = spool/ || $stage = layout/ ]] ||
			grep -qE "^${stage%/} " "$TOP/spool-layout/directories" || { echo "no $stage" && return 1; }
	done
}
