# docs.bats: what the documents say is so: manual pages, README.md, STATES.md.

load ../helper

setup() { cd "$TOP" || return; }

# pages: the files of all manual pages
pages() { find src bin etc -name '*.[1-9]' | sort; }

# programs: what `make` builds, and the shell commands. Each has a manual page.
programs() {
	find src -mindepth 2 -maxdepth 2 -type d ! -path 'src/lib/*' -printf '%f\n'
	find bin -mindepth 1 -maxdepth 1 -name 'dcmspool-*' -type f -exec grep -lI '^#!/bin/sh' {} + |
		sed 's|.*/||'
}

# page_of NAME: its manual page
page_of() { find src bin -name "$1.[18]"; }

# letters: the option letters in the text on standard input, sorted, without -h, which every program
# understands and which need not be told: " -hkn" or "[-c" is some, "s6-svscan" is none.
letters() {
	grep -oE '(^|[[ ])-[a-zA-Z]+' | tr -cd 'a-zA-Z\n' | grep -o . | grep -v h | sort -u | tr -d '\n'
}

# The SYNOPSIS as a reader sees it.
synopsis() {
	mandoc -T ascii -O width=200 "$1" | sed 's/.\x08//g' | # bold is x backspace x
		sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d'
}

usage_of() {
	"$BIN/$1" -h 2>&1 </dev/null | grep -A 9 'usage:' || :
}

# accepted NAME: the letters that the program takes. One that needs an argument complains of that, for it
# comes last; an unknown one must be called so, with the usage, and exit 100. -n keeps it from running.
accepted() {
	local before=(-n -c "$BATS_TEST_TMPDIR/a.conf") after=() unknown='unknown option|illegal option'
	local letter status said
	: >"$BATS_TEST_TMPDIR/a.conf"
	case $1 in
	dcmspool-demo | dcmspool-reload | dcmspool-scale) before=(-c "$BATS_TEST_TMPDIR/none.conf") ;; # have no -n, find none
	dcmspool-rule) before=() ;; # it needs no configuration, and without an operand does nothing
	dcmspool-layout) before=() after=("$BATS_TEST_TMPDIR/none") unknown=': usage:' ;;
	esac
	for letter in {a..z} {A..Z}; do
		status=0
		said=$("$BIN/$1" "${before[@]}" "-$letter" "${after[@]}" 2>&1 </dev/null) || status=$?
		if ! [[ ${said,,} =~ $unknown ]]; then
			echo " -$letter"
		elif [ "$status" -ne 100 ] || [[ $said != *usage:* ]]; then
			echo "$1 -$letter: exit status $status, or no usage" >>"$BATS_TEST_TMPDIR/wrong"
		fi
	done | letters
}

# journal_calls: one call of journal_write() a line
journal_calls() {
	cat src/*/*/*.c | tr -s '\n\t ' ' ' | grep -oE 'journal_write\( ?&?[a-z>.-]+, [^;]+\);'
}

# events_in_sources: a line "EVENT KEY" for each key that is written with an event. The calls are
# cut at the commas between their arguments; strings in the second one are events, every other
# argument after it is a key. The ends of jobs are written in one place (ended.c); only a cancelled one has who asked.
events_in_sources() {
	journal_calls | awk '{
		depth = n = 0
		split("", argument)
		for (i = index($0, "(") + 1; i < length($0) - 1; i++) {
			c = substr($0, i, 1)
			depth += (c == "(") - (c == ")")
			if (c == "," && depth == 0)
				n++
			else
				argument[n] = argument[n] c
		}
		ends = sub(/ended->outcome/, "\"sent\" \"failed\" \"cancelled\"", argument[1])
		while (match(argument[1], /"[a-z-]+"/)) {
			event = substr(argument[1], RSTART + 1, RLENGTH - 2)
			argument[1] = substr(argument[1], RSTART + RLENGTH)
			for (k = 2; k < n; k += 2) {
				key = substr(argument[k], 3, length(argument[k]) - 3)
				if (!ends || (key != "again" && (key != "by" || event == "cancelled")))
					print event, key
			}
		}
	}' | sort -u
}

events_in_page() {
	awk '/^\.It Sy / { event = $3 }
		/^\.El/ { event = "" }
		event && /^\.Va / { print event, $2 }' src/lib/spool/dcmspool-journal.5 | sort -u
}

@test "docs: every page is right for mandoc" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	pages >"$BATS_TEST_TMPDIR/pages"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/pages")" -ge 18 ]
	run xargs mandoc -T lint -W warning <"$BATS_TEST_TMPDIR/pages"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "docs: options in page, usage and program are the same" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	local name page in_page in_usage in_program bad=0 seen=0
	for name in $(programs); do
		case $name in send-*) continue ;; esac # no options; dcmspool-sender(7)
		page=$(page_of "$name")
		[ -x "$BIN/$name" ]
		if [ ! -f "$page" ]; then
			echo "$name has no page, or several: $page"
			bad=1
			continue
		fi
		in_page=$(synopsis "$page" | letters)
		in_usage=$(usage_of "$name" | letters)
		in_program=$(accepted "$name")
		echo "$name: page -$in_page, usage -$in_usage, program -$in_program"
		[ "$in_page $in_usage" = "$in_program $in_program" ] || bad=1
		seen=$((seen + 1))
	done
	cat "$BATS_TEST_TMPDIR/wrong" 2>/dev/null && bad=1
	[ "$bad" -eq 0 ]
	[ "$seen" -ge 10 ]
}

@test "docs: programs without options have none in their page" {
	local name
	for name in $(programs | grep '^send-'); do
		[ -z "$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$(page_of "$name")" | grep Fl)" ]
	done
}

@test "docs: the verbs of dcmspool are those in its page, and each is a program" {
	"$BIN/dcmspool" -h | sed -n 's/^  \([a-z-]*\) .*/\1/p' | sort >"$BATS_TEST_TMPDIR/usage"
	sed -n 's/^\.It Cm \([a-z-]*\) .*/\1/p' bin/dcmspool.8 | sort >"$BATS_TEST_TMPDIR/page"
	diff "$BATS_TEST_TMPDIR/usage" "$BATS_TEST_TMPDIR/page"
	find bin -name 'dcmspool-*' -type f -exec grep -lI '^#!/bin/sh' {} + |
		sed 's|^bin/dcmspool-||' | while read -r verb; do
		[ "$verb" != tls ] || continue # a service of dcmspool up
		grep -qx "$verb" "$BATS_TEST_TMPDIR/usage" || { echo "dcmspool -h: no $verb"; exit 1; }
	done
	while read -r verb; do
		case $verb in check | list) continue ;; esac # options of another one
		[ -x "$BIN/dcmspool-$verb" ]
	done <"$BATS_TEST_TMPDIR/usage"
}

@test "docs: dcmspool-journal(5) has every event with its keys, and only these" {
	events_in_sources >"$BATS_TEST_TMPDIR/sources"
	events_in_page >"$BATS_TEST_TMPDIR/page"
	# no call was overlooked; the one more is its definition
	[ $(($(journal_calls | wc -l) + 1)) -eq "$(cat src/*/*/*.c | grep -c 'journal_write(')" ]
	diff "$BATS_TEST_TMPDIR/sources" "$BATS_TEST_TMPDIR/page"
}

@test "docs: every page of ours that a page names exists" {
	local bad=0 page name section
	for page in $(pages); do
		while read -r _ name section _; do
			case $name in dcmspool* | getdcmtags | send-*) ;; *) continue ;; esac
			[ -n "$(find src bin etc -name "$name.$section")" ] && continue
			echo "$page names $name($section)"
			bad=1
		done < <(grep '^\.Xr ' "$page")
	done
	[ "$bad" -eq 0 ]
}

@test "docs: every page that README.md, the sources and the usage name exists" {
	local bad=0 name
	for name in $(grep -rhoIE '\b(dcmspool[a-z.-]*|getdcmtags|send-[a-z]+)\([1-8]\)' \
		src bin etc spool-layout README.md 2>/dev/null | sort -u); do
		[ -n "$(find src bin etc -name "$(echo "$name" | tr '(' . | tr -d ')')")" ] && continue
		echo "there is no $name"
		bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "docs: every local link in README.md leads somewhere" {
	[ -f README.md ] || skip "there is no README.md yet"
	local bad=0 link
	while read -r link; do
		case $link in *://* | mailto:* | '#'*) continue ;; esac
		[ -e "${link%%#*}" ] && continue
		echo "README.md: $link is not there"
		bad=1
	done < <(grep -oE '\]\([^) ]+' README.md | cut -c 3-)
	[ "$bad" -eq 0 ]
}

@test "docs: every directory of the spool is in STATES.md and in dcmspool-spool(7)" {
	local path bad=0 seen=0
	while read -r path _; do
		case $path in '' | '#'* | .) continue ;; esac
		seen=$((seen + 1))
		grep -q "^$path/" spool-layout/STATES.md || { echo "STATES.md: no $path/"; bad=1; }
		grep -q "^\.It Pa $path/" src/lib/spool/dcmspool-spool.7 || { echo "spool(7): no $path/"; bad=1; }
	done <spool-layout/directories
	[ "$bad" -eq 0 ]
	[ "$seen" -ge 9 ]
}

# diagnostics PAGE: the constant pieces of the messages in a page, a line each: what stands between
# the words in capitals, which are placeholders, without keys and what errno says.
diagnostics() {
	awk '/^\.Bl -diag/ { on = 1 } /^\.El/ { on = 0 } on && /^\.It / { print substr($0, 5) }' "$1" |
		sed -E 's/\\&//g; s/^"(.*)"$/\1/; s/(No space left on device|Too many open files|Address already in use)//g
			s/[A-Z0-9][A-Z0-9.:-]*/\n/g; s/[a-z_]+=[^ \n]*/\n/g; s/: /\n/g' |
		sed -E 's/^[ ,;:.\/()-]+//; s/[ ,;:.\/()-]+$//' | awk 'length($0) >= 10'
}

@test "docs: messages in pages are those of the programs" {
	local page
	# strings that stand side by side are one
	cat src/*/*/*.[ch] src/*/*/preload/*.c bin/dcmspool bin/dcmspool-[a-z]* | grep -a . | tr -s '\n\t ' ' ' |
		sed 's/\([^\\]\)" "/\1/g' >"$BATS_TEST_TMPDIR/text"
	for page in $(pages); do diagnostics "$page" | sed "s|^|$page: |"; done >"$BATS_TEST_TMPDIR/pieces"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/pieces")" -gt 60 ]
	awk 'NR == FNR { text = text $0; next }
		{
			piece = substr($0, index($0, ": ") + 2)
			sub(/^unable to /, "", piece)
			if (!index(text, piece)) {
				print $0 ": no program says that"
				bad = 1
			}
		}
		END { exit bad }' "$BATS_TEST_TMPDIR/text" "$BATS_TEST_TMPDIR/pieces"
}
