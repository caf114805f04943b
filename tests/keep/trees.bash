# trees.bash: spools in each state of STATES.md, planted from parts that the programs have made; and how to spoil them.

J=20261122T140301.123456Z.3f9a1c2b.77d0aa1e
A=20261122T140301.123456Z.4711
S=1.2.3.4
TREES=(empty open-association dropped-association batch open-batch drops resend claimed planned copying
	fanned-out all-out waiting again at-sender splitting ahead stored split discarded quarantined)

# part NAME DIRECTORY: keeps what a program has made
part() { cp -r "$2" "$PARTS/$1"; }

# renamed PART: job.json says that it is $J
renamed() { sed -i "s/\"job\": \"[^\".]*\.[^\"]*\.[0-9a-f]*\.[0-9a-f]*/\"job\": \"$J/" "$PARTS/$1/job.json"; }

# make_parts: a batch, a waiting job, one that was stored, one split, one discarded: by the real programs
make_parts() {
	local f
	PARTS=$BATS_TEST_TMPDIR/parts
	mkdir "$PARTS"
	own_sender picky <<-'END'
		#!/bin/sh
		read -r first
		printf 'failed\tA700\t%s\tout of resources\n' "$first"
		while read -r image; do printf 'stored\t0000\t%s\tsuccess\n' "$image"; done
		exit 1
	END
	make_router 'target "archive" { type = folder path = "archive" }' 'target "second" { type = folder path = "second" }' \
		'target "picky" { type = picky image_retries = 1 }' 'rule "all" { match = "True" targets = { "archive" } }'
	study "$BATS_TEST_TMPDIR/study" -s 1 -n 3 -r 32 -c 32 -u $S
	for f in "$BATS_TEST_TMPDIR"/study/SE0001/*; do
		cp "$f" "$BATS_TEST_TMPDIR/one.dcm"
		"$BIN/getdcmtags" -c "$CONF" "$BATS_TEST_TMPDIR/one.dcm" 127.0.0.1 CT1 DCMSPOOL
	done
	part batch "$SPOOL/incoming/$S"
	routed_as waiting archive outgoing/archive
	sent_as stored archive
	cp -r "$PARTS/batch" "$SPOOL/incoming/$S"
	sed -i 's/{ "archive" } }$/{ "picky" } }/' "$CONF"
	routed_as waiting-picky picky outgoing/picky
	sent_as half picky
	part refused "$(echo "$SPOOL"/error/*)"
	renamed refused
	cp -r "$PARTS/batch" "$SPOOL/incoming/$S"
	sed -i 's/match = "True"/match = "False"/' "$CONF"
	routed_as discarded "" discard
	part journal "$SPOOL/journal"
}

# routed_as PART TARGET STAGE: the router takes the batch there
routed_as() {
	touch "$SPOOL/incoming/$S/.complete"
	start router "$BIN/dcmspool-router" -c "$CONF"
	wait_for has_jobs "$3" 1
	stop "$pid_router"
	part "$1" "$(echo "$SPOOL/$3"/2*)"
	renamed "$1"
}

# sent_as PART TARGET: the dispatcher brings it to success/
sent_as() {
	start dispatcher "$BIN/dcmspool-dispatcher" -c "$CONF"
	wait_for has_jobs "outgoing/$2" 0
	wait_for has_jobs success 1
	wait_for told
	stop "$pid_dispatcher"
	part "$1" "$(echo "$SPOOL"/success/*)"
	renamed "$1"
	rm -r "$SPOOL"/success/*
}
told() { [ -e "$(echo "$SPOOL"/success/*)/.told" ]; }

# first DIRECTORY: its first image
first() { find "$1" -maxdepth 1 -name '*.dcm' | sort | head -n 1; }

# put PART PLACE: a copy of the part in the spool
put() { mkdir -p "$SPOOL/${2%/*}" && cp -r "$PARTS/$1" "$SPOOL/$2"; }

# an_association KEYS: receiving/$A with an image that was acknowledged
an_association() {
	mkdir "$SPOOL/receiving/$A"
	echo "{\"association\": \"$A\", \"peer\": \"127.0.0.1\"$1}" >"$SPOOL/receiving/$A/association.json"
	cp "$BATS_TEST_TMPDIR"/study/SE0001/*1.dcm "$SPOOL/receiving/$A/CT.1.2.3${2-}"
}

# plant TREE: $SPOOL is anew one in this state
plant() {
	local d
	rm -rf "$SPOOL"
	"$BIN/dcmspool-layout" "$SPOOL" >/dev/null
	echo 2 >"$SPOOL/.format"
	case $1 in
	empty)
		mkdir -p "$SPOOL/.service/router-1" "$SPOOL/outgoing/archive" "$SPOOL/sending/archive" "$SPOOL/error/$A"
		touch "$SPOOL/outgoing/.probe" "$SPOOL/.idle"
		cp "$PARTS"/journal/* "$SPOOL/journal/"
		;;
	open-association)
		an_association ', "ok": true' .ok
		head -c 100 "$SPOOL/receiving/$A/CT.1.2.3.ok" >"$SPOOL/receiving/$A/CT.1.2.4"
		echo >"$SPOOL/receiving/$A/.reading"
		mkdir "$SPOOL/receiving/${A}1" # it had not begun
		;;
	dropped-association)
		an_association ', "dropped": "stick"'
		mkdir -p "$SPOOL/receiving/$A/stick/deeper"
		cp "$SPOOL/receiving/$A/CT.1.2.3" "$SPOOL/receiving/$A/stick/deeper/notes.txt"
		touch "$SPOOL/receiving/$A/.corrected"
		;;
	batch)
		put batch incoming/$S
		mkdir "$SPOOL/incoming/1.2.9" # before its first file
		;;
	open-batch)
		put batch incoming/$S
		an_association ', "ok": true' .ok
		touch "$SPOOL/incoming/$S/.assoc.$A" "$SPOOL/incoming/$S/.complete" "$SPOOL/incoming/$S/.new.series.77"
		echo "12345678 99 9.9.9.dcm" >>"$SPOOL/incoming/$S/filed" # a line too much
		;;
	drops)
		mkdir "$SPOOL/incoming/from a stick"
		touch "$SPOOL/incoming/from a stick/DICOMDIR" "$SPOOL/incoming/.rsync.part" "$SPOOL/incoming/a.dcm"
		;;
	resend)
		put stored incoming/$J.archive
		put refused incoming/$J.picky
		put waiting incoming/$J
		;;
	claimed)
		put batch routing/$J
		echo odd >"$SPOOL/routing/$J/notes.txt"
		put refused "routing/${J/77d0/77d1}"
		rm "$SPOOL/routing/${J/77d0/77d1}/plan.json" # a resend
		;;
	planned)
		put waiting routing/$J
		;;
	copying | fanned-out)
		put waiting routing/$J
		rm "$SPOOL/routing/$J/job.json"
		sed -i 's/"archive"/"archive", "second"/' "$SPOOL/routing/$J/plan.json"
		d=routing/$J/fanout
		[ "$1" = fanned-out ] || d=routing/$J/.fanout.new
		put waiting $d/archive
		put waiting $d/second
		[ "$1" = fanned-out ] || rm "$SPOOL/$d/second/job.json" "$(first "$SPOOL/$d/second")"
		;;
	all-out)
		put waiting routing/$J
		sed -i 's/"archive"/"archive", "second"/' "$SPOOL/routing/$J/plan.json"
		rm "$SPOOL/routing/$J"/*.dcm "$SPOOL/routing/$J/series.json" "$SPOOL/routing/$J/job.json"
		put waiting outgoing/archive/$J
		put waiting outgoing/second/$J
		;;
	waiting)
		put waiting outgoing/archive/$J
		cp "$PARTS/half/sent.log" "$SPOOL/outgoing/archive/$J/"
		sed -i 's/picky\tstored/picky\tfailed/' "$SPOOL/outgoing/archive/$J/sent.log"
		echo '{"not_before": "20261122T140301.123456Z"}' >"$SPOOL/outgoing/archive/$J/retry.json"
		echo '{"until": "20261122T140301.123456Z", "failures": 1, "reason": "x"}' >"$SPOOL/outgoing/archive/paused.json"
		touch "$SPOOL/outgoing/archive/held" "$SPOOL/outgoing/held" "$SPOOL/outgoing/archive/.new.retry"
		;;
	again)
		put stored outgoing/archive/$J.archive
		put refused outgoing/picky/$J.picky
		;;
	at-sender)
		put waiting sending/archive/$J.urgent
		grep stored "$PARTS/stored/sent.log" | head -n 1 >"$SPOOL/sending/archive/$J.urgent/sent.log"
		touch "$SPOOL/sending/archive/$J.urgent/cancelled"
		;;
	ahead)
		put batch incoming/$S
		put waiting routing/${J/77d0/77d1} # and just planned
		echo "{\"job\": \"$J\"}" | tee "$SPOOL/routing/${J/77d0/77d1}/ahead.json" >"$SPOOL/incoming/$S/ahead.json"
		mkdir -p "$SPOOL/outgoing/archive/.new.${J/77d0/77d2}.ahead" "$SPOOL"/{outgoing/archive,sending/picky}/$J.urgent.ahead
		echo "{\"job\": \"$J\", \"batch\": \"$S\"}" | tee "$SPOOL"/{outgoing/archive,sending/picky}/$J.urgent.ahead/job.json
		cp "$PARTS/stored/sent.log" "$SPOOL/outgoing/archive/$J.urgent.ahead/"
		touch "$SPOOL/sending/picky/$J.urgent.ahead/cancelled" # just taken over: without job.json
		rm "$SPOOL/sending/picky/$J.urgent.ahead/job.json"
		;;
	splitting)
		put waiting-picky sending/picky/$J
		cp "$PARTS/half/sent.log" "$SPOOL/sending/picky/$J/"
		put refused sending/picky/$J/.failed
		rm -f "$SPOOL/sending/picky/$J/.failed/reason.txt" "$SPOOL/sending/picky/$J/.failed/.told"
		;;
	stored)
		put stored success/$J.archive
		put stored success/$J.archive~2
		put stored success/.deleting.$J.second
		rm -f "$SPOOL/success/$J.archive~2/.told" "$(first "$SPOOL/success/.deleting.$J.second")"
		;;
	split)
		put half success/$J.picky
		put refused error/$J.picky
		;;
	discarded)
		put discarded discard/$J
		put waiting discard/$J.archive
		put waiting discard/$J.urgent # by hand
		touch "$SPOOL/discard/$J.archive/cancelled"
		;;
	quarantined)
		mkdir "$SPOOL/error/$A" "$SPOOL/error/$J"
		cp "$BATS_TEST_TMPDIR"/study/SE0001/*1.dcm "$SPOOL/error/$A/CT.1.2.3"
		echo odd >"$SPOOL/error/$J/notes.txt"
		echo 'CT.1.2.3: is no image' | tee "$SPOOL/error/$A/reason.txt" >"$SPOOL/error/$J/reason.txt"
		;;
	esac
}

# mutations: a line "TREE|PLACE (a regular expression)|COMMANDS, run in the spool"
mutations() {
	cat <<-'END'
		empty|notes.txt|echo odd >notes.txt
		empty|archive.old|mkdir archive.old
		empty|receiving/-odd|mkdir receiving/-odd
		empty|outgoing/notes.txt|echo odd >outgoing/notes.txt
		empty|journal/today.txt|echo odd >journal/today.txt
		open-association|receiving/[^/]*/association.json|rm receiving/$A/association.json
		open-association|receiving/[^/]*/association.json|echo '{"ass' >receiving/$A/association.json
		open-association|receiving/[^/]*/.hidden|echo odd >receiving/$A/.hidden
		open-association|receiving/[^/]*/CT.1.2.3.ok|rm receiving/$A/CT.1.2.3.ok; ln -s /etc/passwd receiving/$A/CT.1.2.3.ok
		open-association|receiving/[^/]*/association.json|rm receiving/$A/association.json; mkdir receiving/$A/association.json
		dropped-association|receiving/[^/]*/association.json|rm receiving/$A/association.json
		dropped-association|receiving/[^/]*/association.json|: >receiving/$A/association.json
		dropped-association|receiving/loose.dcm|mv receiving/$A/CT.1.2.3 receiving/loose.dcm
		dropped-association|receiving/[^/]*/.corrected|rm receiving/$A/.corrected; mkdir receiving/$A/.corrected
		dropped-association|receiving/[^/]*/.reading|ln -s . receiving/$A/.reading
		batch|incoming/1.2.3.4/series.json|rm incoming/$S/series.json
		batch|incoming/1.2.3.4/series.json|truncate -s 20 incoming/$S/series.json
		batch|incoming/1.2.3.4/notes.txt|echo odd >incoming/$S/notes.txt
		batch|incoming/1.2.3.4$|truncate -s 300 "$(first incoming/$S)"
		batch|incoming/1.2.3.4/.*.dcm|f=$(first incoming/$S); rm "$f"; mkdir "$f"
		open-batch|incoming/1.2.3.4/sub|mkdir incoming/$S/sub
		open-batch|incoming/1.2.3.4/filed|rm incoming/$S/filed; mkdir incoming/$S/filed
		open-batch|incoming/1.2.3.4/.*.dcm|: >"$(first incoming/$S)"
		open-batch|incoming/1.2.3.4/.assoc.|rm incoming/$S/.assoc.*; mkdir incoming/$S/.assoc.$A
		open-batch|incoming/1.2.3.4/.complete|rm incoming/$S/.complete; ln -s . incoming/$S/.complete
		drops|incoming/1.2.3.4/series.json|mkdir incoming/$S; echo '12345678 9 1.2.dcm' >incoming/$S/filed
		drops|incoming/1.2.3.4/series.json|mkdir incoming/$S; touch incoming/$S/.assoc.$A
		drops|incoming/x/job.json|mkdir incoming/x; echo nothing >incoming/x/job.json
		drops|incoming/x/odd|mkdir incoming/x; echo '{}' >incoming/x/series.json; mkdir incoming/x/odd
		drops|incoming/x/series.json|mkdir incoming/x; ln -s /etc/passwd incoming/x/series.json
		resend|incoming/[^/]*archive/job.json|echo '{' >incoming/$J.archive/job.json
		resend|incoming/[^/]*archive/series.json|: >incoming/$J.archive/series.json
		resend|incoming/[^/]*archive/notes.txt|echo odd >incoming/$J.archive/notes.txt
		resend|incoming/[^/]*picky/.*.dcm|: >"$(first incoming/$J.picky)"
		resend|incoming/[^/]*picky/reason.txt|rm incoming/$J.picky/reason.txt; mkdir incoming/$J.picky/reason.txt
		claimed|routing/by-hand|mv routing/$J routing/by-hand
		claimed|routing/[^/]*.archive|mv routing/$J routing/$J.archive
		claimed|routing/[^/]*/.*.dcm|: >"$(first routing/$J)"
		claimed|routing/[^/]*/plan.json|mkdir routing/$J/fanout
		claimed|routing/a.dcm|mv "$(first routing/$J)" routing/a.dcm
		planned|routing/[^/]*e$|rm "$(first routing/$J)"
		planned|routing/[^/]*e$|rm routing/$J/*.dcm
		planned|routing/[^/]*/notes.txt|echo odd >routing/$J/notes.txt
		planned|routing/[^/]*/job.json|truncate -s 9 routing/$J/job.json
		planned|routing/[^/]*/series.json|echo x >routing/$J/series.json
		copying|routing/[^/]*/.fanout.new/odd.txt|echo odd >routing/$J/.fanout.new/odd.txt
		copying|routing/[^/]*/.fanout.new/archive/odd|mkdir routing/$J/.fanout.new/archive/odd
		copying|routing/[^/]*e$|rm "$(first routing/$J)"
		copying|routing/[^/]*/.fanout.new/archive/.*.dcm|: >"$(first routing/$J/.fanout.new/archive)"
		copying|routing/[^/]*/.fanout.new|rm -r routing/$J/.fanout.new; echo >routing/$J/.fanout.new
		fanned-out|routing/[^/]*/fanout/archive/job.json|rm routing/$J/fanout/archive/job.json
		fanned-out|routing/[^/]*/fanout/second$|rm "$(first routing/$J/fanout/second)"
		fanned-out|routing/[^/]*/fanout/second/[*].dcm|rm routing/$J/fanout/second/*.dcm
		fanned-out|routing/[^/]*/plan.json|rm routing/$J/plan.json
		fanned-out|routing/[^/]*/fanout/.odd|echo odd >routing/$J/fanout/.odd
		all-out|outgoing/second/[^/]*/job.json|rm outgoing/second/$J/job.json
		all-out|outgoing/second/[^/]*/[*].dcm|rm outgoing/second/$J/*.dcm
		all-out|outgoing/third$|mv outgoing/second outgoing/third
		all-out|routing/[^/]*/sent.log|echo x >routing/$J/sent.log
		all-out|outgoing/archive/[^/]*/fanout|mkdir outgoing/archive/$J/fanout
		waiting|outgoing/archive/[^/]*e$|rm "$(first outgoing/archive/$J)" outgoing/archive/$J/sent.log
		waiting|outgoing/archive/paused.json|echo '{"until' >outgoing/archive/paused.json
		waiting|outgoing/archive/.*/retry.json|echo no >outgoing/archive/$J/retry.json
		waiting|outgoing/archive/1.2.dcm|mv "$(first outgoing/archive/$J)" outgoing/archive/1.2.dcm
		waiting|outgoing/archive/.*/sub|mkdir outgoing/archive/$J/sub
		again|outgoing/archive/.*/job.json|rm outgoing/archive/$J.archive/job.json
		again|outgoing/archive/.*/[*].dcm|rm outgoing/archive/$J.archive/*.dcm
		again|outgoing/picky/.*/notes.txt|echo odd >outgoing/picky/$J.picky/notes.txt
		again|outgoing/picky/.*.dcm|: >"$(first outgoing/picky/$J.picky)"
		again|outgoing/-x|mv outgoing/picky outgoing/-x
		at-sender|sending/archive/.*/job.json|rm sending/archive/*/job.json
		at-sender|sending/archive/[^/]*urgent$|rm sending/archive/*/"$(cut -f 5 sending/archive/*/sent.log)"
		at-sender|sending/archive/[^/]*urgent$|n=$(cut -f 5 sending/archive/*/sent.log); rm "$(find sending/archive -name '*.dcm' ! -name "$n" | head -n 1)"
		at-sender|sending/notes.txt|echo odd >sending/notes.txt
		at-sender|sending/archive/1.2.dcm|mv "$(first sending/archive/*)" sending/archive/1.2.dcm
		splitting|sending/picky/.*/.failed/sub|mkdir sending/picky/$J/.failed/sub
		splitting|sending/picky/.*/.failed/job.json|echo >sending/picky/$J/.failed/job.json
		splitting|sending/picky/[^/]*e$|rm sending/picky/$J/"$(grep -w stored sending/picky/$J/sent.log | head -n 1 | cut -f 5)"
		splitting|sending/picky/.*/fanout|mkdir sending/picky/$J/fanout
		splitting|sending/picky/.*/plan.json|echo no >sending/picky/$J/plan.json
		stored|success/.*/sent.log|rm success/$J.archive/sent.log
		stored|success/[^/]*archive$|sed -i '1d' success/$J.archive/sent.log
		stored|success/[^/]*archive$|sed -i '1s/stored/failed/' success/$J.archive/sent.log
		stored|success/[^/]*archive$|rm "$(first success/$J.archive)"
		stored|success/.deleting.*/odd|mkdir success/.deleting.$J.second/odd
		split|success/[^/]*picky$|mv error/$J.picky/*.dcm success/$J.picky/
		split|error/[^/]*picky$|rm error/$J.picky/*.dcm
		split|error/.*/reason.txt|rm error/$J.picky/reason.txt
		split|error/.*/job.json|rm error/$J.picky/job.json
		split|success/.*/reason.txt|cp error/$J.picky/reason.txt success/$J.picky/
		discarded|discard/.*/job.json|rm discard/$J/job.json
		discarded|discard/[^/]*e$|rm "$(first discard/$J)"
		discarded|discard/.*.archive/[*].dcm|rm discard/$J.archive/*.dcm
		discarded|discard/.*/fanout|mkdir discard/$J.urgent/fanout
		discarded|discard/loose.dcm|cp "$(first discard/$J)" discard/loose.dcm
		quarantined|error/[^/]*4711/reason.txt|rm error/$A/reason.txt
		quarantined|error/[^/]*e/reason.txt|rm error/$J/reason.txt
		quarantined|error/loose.dcm|mv error/$A/CT.1.2.3 error/loose.dcm
		quarantined|error/[^/]*4711/reason.txt|rm error/$A/reason.txt; ln -s /etc/passwd error/$A/reason.txt
		quarantined|error/-odd|mv error/$J error/-odd
	END
}
