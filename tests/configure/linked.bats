# linked.bats: a program has in it what it needs. The rule language is for those that decide, the dictionary
# of tags for those that read tags by names that a user gives.

load ../helper

# symbols PROGRAM: the functions and tables that are linked into it
symbols() { nm "$BIN/$1" | awk '$2 ~ /[TtRrDd]/ { print $3 }'; }

sanitized() { nm "$BIN/dcmspool-hold" | grep -q __asan_init; }

@test "linked: programs that do not decide have neither rule language nor dictionary" {
	local program
	for program in dcmspool-{dispatcher,cleaner,echo,hold,release}; do
		echo "$program:"
		! symbols "$program" | grep -E '^(rule|dicom_dictionary)_' || return 1
	done
	for program in dcmspool-{retry,cancel,find,show,log,resend}; do # a query may name any keyword
		! symbols "$program" | grep -E '^rule_' || return 1
	done
	for program in getdcmtags dcmspool-{receiver,association}; do # extra_tags may, too
		! symbols "$program" | grep -E '^rule_' || return 1
	done
	symbols dcmspool-router | grep -q '^rule_evaluate$'
	symbols dcmspool-router | grep -q '^dicom_dictionary_keyword$'
}

@test "linked: release, hold and cleaner are small" {
	sanitized && skip "sanitizers make them large"
	local program text
	for program in dcmspool-{release,hold,cleaner}; do
		text=$(size "$BIN/$program" | awk 'NR == 2 { print $1 }')
		echo "$program: $text bytes"
		[ "$text" -lt 135000 ]
	done
}

@test "linked: no program has OpenSSL in it; a sender loads it when its target wants TLS" {
	local program
	for program in "$BIN"/dcmspool-* "$BIN"/send-* "$BIN/getdcmtags"; do
		! ldd "$program" 2>/dev/null | grep -E 'lib(ssl|crypto)' || return 1
	done
	loaded() { TARGET_HOST=h TARGET_AEC=A strace -f -e trace=openat env "$@" "$BIN/send-dicom" -n 2>&1 </dev/null | grep -c 'libssl.* = [0-9]'; }
	[ "$(loaded TARGET_TLS=no)" -eq 0 ]
	[ "$(loaded TARGET_TLS=anonymous)" -eq 1 ]
}
