# tree.bash: a spool made by hand, for the verbs that only look at it.
# shellcheck shell=bash

# lay NAME PLACE[,PLACE...] TAG=VALUE...: the series NAME (8 hex digits) in these places, where J stands for its
# job. "rule=R" and "sender=AET" are no tags; "at=STAMP" is when it arrived (20261101T100000), "images=N" how many.
# Values are those of JSON strings.
lay() {
	local name=$1 places=$2 at=20261101T100000 images=2 rule='' sender=CT1 tags='' targets='' word place dir job n
	shift 2
	for word; do
		case $word in
		at=*) at=${word#*=} ;;
		images=*) images=${word#*=} ;;
		rule=*) rule=\"${word#*=}\" ;;
		sender=*) sender=${word#*=} ;;
		*) tags+="\"${word%%=*}\": \"${word#*=}\", " ;;
		esac
	done
	job=$(job_of "$name" "$at")
	for place in ${places//,/ }; do
		case $place in
		outgoing/* | sending/*) place=${place#*/} targets+=", \"${place%%/*}\"" ;;
		*/J.*) targets+=", \"${place#*/J.}\"" ;;
		esac
	done
	for place in ${places//,/ }; do
		dir=$SPOOL/${place//J/$job}
		mkdir -p "$dir"
		echo "{\"received\": \"$at.000000Z\", \"association\": {\"peer\": \"10.0.0.1\", \"calling_aet\": \"$sender\",
			\"called_aet\": \"DCMSPOOL\"}, \"tags\": {$tags \"SenderAET\": \"$sender\",
			\"SenderAddress\": \"10.0.0.1\", \"ReceiverAET\": \"DCMSPOOL\"}}" >"$dir/series.json"
		[[ $place == incoming/* ]] || echo "{\"job\": \"$job\", \"time\": \"$at.000000Z\", \"images\": $images,
			\"targets\": [${targets#, }], \"rules\": [$rule]}" >"$dir/plan.json"
		for ((n = 1; n <= images; n++)); do echo "$n" >"$dir/1.9.$((16#$name)).$n.dcm"; done
	done
}

# job_of NAME [STAMP]: the job of lay
job_of() { echo "${2:-20261101T100000}.000000Z.0000beef.$1"; }
