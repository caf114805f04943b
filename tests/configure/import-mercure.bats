#!/usr/bin/env bats
# import-mercure.bats: dcmspool import-mercure: what it makes of mercure.json is right, and nothing is lost
# without a word, but secrets.

load ../helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	conf=$BIN/dcmspool-conf
}

# import: mercure.json (standard input) to a.conf, which must be right; what was told is in "told".
import() {
	cat >mercure.json
	"$BIN/dcmspool-import-mercure" mercure.json >a.conf 2>told
	"$conf" -n -c a.conf >warned 2>&1 || {
		cat warned a.conf
		return 1
	}
}

# value KEY: of a.conf
value() { "$conf" -c a.conf "$1"; }

# lacks PATTERN FILE...: none of the files has it
lacks() {
	if grep -E "$@"; then return 1; fi
}

# told TEXT: a line on standard error begins with it
told() {
	grep -qF "mercure.json: $1" told && return
	echo "missing: $1" >&2
	cat told >&2
	return 1
}

@test "import-mercure: mercure's default configuration" {
	import <<-'E'
		{ "appliance_name": "master", "appliance_color": "#FFF", "port": 11112, "accept_compressed_images": false,
		  "support_root_modules": false, "incoming_folder": "/opt/mercure/data/incoming",
		  "jobs_folder": "/opt/mercure/data/jobs", "bookkeeper": "0.0.0.0:8080", "bookkeeper_api_key": "SECRET",
		  "graphite_ip": "", "graphite_port": 2003, "router_scan_interval": 1, "series_complete_trigger": 60,
		  "study_complete_trigger": 900, "study_forcecomplete_trigger": 5400, "retry_delay": 900, "retry_max": 5,
		  "retention": 259200, "offpeak_start": "22:00", "offpeak_end": "06:00", "emergency_clean_percentage": 90,
		  "phi_notifications": false, "server_time": "UTC", "targets": { }, "rules": { }, "modules": { } }
	E
	[ "$(value receiver.port)" = 11112 ]
	[ "$(value receiver.accept)" = uncompressed ]
	[ "$(value router.series_timeout)" = 1m ]
	[ "$(value cleaner.retention)" = 3d ]
	[ "$(value cleaner.offpeak)" = "22:00-06:00" ]
	told 'incoming_folder: no counterpart'
	told 'study_complete_trigger: no counterpart'
	told 'router_scan_interval: not needed'
	told 'appliance_name: no counterpart'
	told 'bookkeeper_api_key: no counterpart'
	# what is not set or off is not worth a word
	lacks 'graphite_ip|modules|phi_notifications|support_root' told
	lacks SECRET told a.conf
}

@test "import-mercure: targets of every type; secrets are not copied" {
	import <<-'E'
		{ "retry_delay": "3", "retry_max": 7, "offpeak_start": "9:30", "offpeak_end": "9:30",
		"targets": {
		"PACS": { "target_type": "dicom", "ip": "10.0.0.5", "port": "11113", "aet_target": "PACS", "aet_source": "M", "contact": "a@b", "comment": "one\ntwo" },
		"old": { "ip": "pacs.example.org", "port": "104", "aet_target": "", "aet_source": "" },
		"back": { "target_type": "dicom", "ip": "sender", "port": "104", "aet_target": "X", "pass_sender_aet": true, "pass_receiver_aet": true },
		"half": { "target_type": "dicom", "ip": "h", "port": "104", "aet_target": "X", "pass_sender_aet": true },
		"tls": { "target_type": "dicomtls", "ip": "h", "port": "2762", "aet_target": "T", "tls_key": "/c/k", "tls_cert": "/c/c", "ca_cert": "/c/ca" },
		"web": { "target_type": "dicomweb", "url": "https://joe:SECRET1@h/dicom-web/", "stow_url_prefix": "stow", "http_user": "joe", "http_password": "SECRET2" },
		"token": { "target_type": "dicomweb", "url": "http://h", "access_token": "SECRET3", "http_user": null },
		"sftp": { "target_type": "sftp", "folder": "/in", "user": "u", "host": "s.example.org", "password": "SECRET4", "file_filter": "*.png" },
		"rsync": { "target_type": "rsync", "folder": "/in", "user": "u", "host": "r.example.org", "password": "SECRET5", "run_on_complete": true },
		"s3": { "target_type": "s3", "region": "eu-west-1", "bucket": "b-1", "prefix": "/a/b/", "access_key_id": "SECRET6", "secret_access_key": "SECRET7" },
		"dir": { "target_type": "folder", "folder": "/srv/in" },
		"dummy": { "target_type": "dummy" },
		"xnat": { "target_type": "xnat", "project_id": "p", "host": "https://x", "user": "u", "password": "SECRET8" },
		"query": { "target_type": "dicom", "ip": "h", "port": "104", "aet_target": "Q", "direction": "pull" },
		"badport": { "target_type": "dicom", "ip": "h", "port": "x", "aet_target": "Q" },
		"spool": { "target_type": "folder", "folder": "/var/spool/dcmspool/incoming" } },
		"rules": { } }
	E
	[ "$(value targets | tr '\n' ' ')" = "PACS old back half tls web token sftp rsync s3 dir dummy " ]
	[ "$(value target.PACS.host) $(value target.PACS.port) $(value target.PACS.aec) $(value target.PACS.aet)" = "10.0.0.5 11113 PACS M" ]
	[ "$(value target.PACS.retry_max) $(value target.PACS.retry_min) $(value target.PACS.image_retries) $(value target.PACS.offpeak_hours)" = "3s 3s 7 00:00-24:00" ]
	grep -qx $'\t# one two' a.conf
	[ "$(value target.old.host) $(value target.old.aec) $(value target.old.aet)" = "pacs.example.org ANY-SCP DCMSEND" ]
	[ "$(value target.back.return_to_sender) $(value target.back.pass_aet)" = "yes yes" ]
	told 'targets.half.pass_sender_aet: no counterpart'
	[ "$(value target.tls.tls) $(value target.tls.tls_key) $(value target.tls.tls_ca)" = "yes /c/k /c/ca" ]
	[ "$(value target.web.url) $(value target.web.username) $(value target.web.password_file)" = "https://h/dicom-web/stow joe $PWD/web.password" ]
	told 'targets.web: make the file web.password beside the configuration, with the password'
	told 'targets.web.url: the user'"'"'s name and the password in it are left out'
	[ "$(value target.token.token_file)" = "$PWD/token.token" ]
	[ "$(value target.sftp.username)@$(value target.sftp.host):$(value target.sftp.folder)" = u@s.example.org:/in ]
	told 'targets.sftp.password: no counterpart'
	told 'targets.sftp.file_filter: no counterpart'
	[ "$(value target.rsync.destination) $(value target.rsync.layout)" = 'u@r.example.org:/in {SeriesInstanceUID}' ]
	told 'targets.rsync.run_on_complete: no counterpart'
	[ "$(value target.s3.url) $(value target.s3.layout)" = \
		'https://s3.eu-west-1.amazonaws.com/b-1 a/b/{SeriesInstanceUID}/{SOPInstanceUID}.dcm' ]
	[ "$(value target.dir.path) $(value target.dir.marker) $(value target.dir.copy)" = "/srv/in .complete yes" ]
	told 'targets.xnat.target_type: no counterpart'
	told 'targets.query.direction: no counterpart'
	told 'targets.badport.port: port cannot have this value'
	told 'targets.spool.folder: '
	grep -qx '# no target xnat' a.conf
	lacks 'SECRET[0-9]' told a.conf
}

@test "import-mercure: rules keep their text; what would do something else is disabled or a comment" {
	import <<-'E'
		{ "dicom_receiver": { "additional_tags": { "StudyDate": "20200101", "Modality": "CT", "GarbageTag": "x" } },
		"targets": { "PACS": { "target_type": "dicom", "ip": "h", "port": "104", "aet_target": "P" },
			"My Disk": { "target_type": "folder", "folder": "/srv/in" }, "my#disk": { "target_type": "folder", "folder": "/srv/in" },
			"xnat": { "target_type": "xnat" } },
		"rules": {
		"mr": { "rule": "tags.Modality == 'MR' and\nfloat(tags.SliceThickness) < 2", "target": "PACS", "action": "route", "priority": "urgent",
			"contact": "a@b", "comment": "why \"this\"", "tags": "t", "notification_email": "x@y", "notification_trigger_error": true },
		"old": { "rule": "('CINE' in @SeriesDescription@) | (@StudyDate@ > \"2020\")", "target": [ "PACS", "My Disk", "xnat", "gone", "PACS" ],
			"disabled": "False", "fallback": "False" },
		"study": { "rule": "True", "target": "my#disk", "action_trigger": "study", "study_trigger_condition": "timeout" },
		"listed": { "rule": "True", "target": "PACS", "action_trigger": "study", "study_trigger_condition": "received_series" },
		"anon": { "rule": "True", "action": "both", "processing_module": [ "a" ], "processing_settings": { "a": 1 }, "target": "PACS" },
		"process": { "rule": "True", "action": "process", "processing_module": "a" },
		"notify": { "rule": "True", "action": "notification", "notification_webhook": "https://SECRET" },
		"lost": { "rule": "True", "target": "xnat" },
		"trash": { "rule": "tags.Modality == 'SR'", "action": "discard", "target": "PACS" },
		"python": { "rule": "any(x in tags.Modality for x in ['A', '${HOME}'])", "target": "PACS" },
		"typo": { "rule": "tags.Modlity == 'A'", "target": "PACS" },
		"f1": { "rule": "True", "fallback": "True", "target": "PACS" },
		"f2": { "rule": "True", "fallback": true, "target": "PACS", "priority": "offpeak" },
		"f3": { "rule": "True", "fallback": true, "target": "PACS", "disabled": true },
		"never": { "rule": "", "target": "PACS" } } }
	E
	[ "$(value rules | tr '\n' ' ')" = "mr old study listed anon trash python typo f1 f2 f3 never " ]
	[ "$(value extra_tags)" = StudyDate ]
	told 'dicom_receiver.additional_tags: GarbageTag: the standard has no keyword'
	[ "$(value rule.mr.match)" = "tags.Modality == 'MR' and
float(tags.SliceThickness) < 2" ]
	[ "$(value rule.mr.priority) $(value rule.mr.contact) $(value rule.mr.comment)" = 'urgent a@b why "this"' ]
	told 'rules.mr.notification_email: no counterpart'
	told 'rules.mr.tags: no counterpart'
	lacks notification_trigger told
	[ "$(value rule.old.match)" = "('CINE' in @SeriesDescription@) | (@StudyDate@ > \"2020\")" ]
	[ "$(value rule.old.targets | tr '\n' ' ')" = "PACS My_Disk " ]
	[ "$(value rule.old.disabled) $(value rule.old.fallback)" = "false false" ]
	[ "$(value rule.study.targets) $(value rule.study.disabled)" = "my_disk false" ]
	told 'targets.My Disk: it is called My_Disk here'
	told 'rules.old.target: there is no target xnat here'
	told 'rules.old.target: there is no target gone here'
	told 'rules.study.action_trigger: each series goes when it is complete'
	local name
	for name in listed anon python typo f1 f3; do
		[ "$(value "rule.$name.disabled")" = true ]
	done
	told 'rules.anon.action: images are not processed'
	told "rules.typo.rule: line 1, column 6: no such tag 'Modlity'; did you mean Modality?"
	grep -qxF $'\t# match = "any(x in tags.Modality for x in [\'A\', \'\\${HOME}\'])"' a.conf
	[ "$(value rule.python.match)" = False ]
	told 'rules.f1.fallback: mercure uses its last fallback rule only'
	[ "$(value rule.f2.disabled) $(value rule.f2.fallback) $(value rule.f2.priority)" = "false true offpeak" ]
	[ "$(value rule.trash.action) $(value rule.trash.targets)" = "discard " ]
	for name in process notify lost; do
		grep -qx "#rule \"$name\" {" a.conf
		told "rules.$name."
	done
	lacks SECRET told a.conf
}

@test "import-mercure: names that become the same stay apart" {
	import <<-'E'
		{ "targets": { "a b": { "target_type": "dummy" }, "a_b": { "target_type": "dummy" }, "a~b": { "target_type": "dummy" },
			"": { "target_type": "dummy" }, "-.x": { "target_type": "dummy" }, "Größe": { "target_type": "dummy" } },
		  "rules": { "a b": { "rule": "tags.Modality", "target": [ "a b", "a_b", "a~b", "", "-.x", "Größe" ] } } }
	E
	[ "$(value targets | tr '\n' ' ')" = "a_b a_b-2 a_b-3 targets x Gr__e " ]
	[ "$(value rule.a_b.targets | tr '\n' ' ')" = "a_b a_b-2 a_b-3 x Gr__e " ]
}

@test "import-mercure: hostile values cannot become anything but values" {
	import <<-'E'
		{ "port": "11112 }\nspool = \"/\"", "retention": "1s }", "series_complete_trigger": 0, "offpeak_start": "99:99", "offpeak_end": "\u001b[2J",
		  "retry_delay": 1e300, "retry_max": -1, "dicom_receiver": { "additional_tags": { "\" }\nspool = \"/": 1, "Rows": 2 } },
		  "evil\nkey\u001b[31m": { "a": 1 },
		  "targets": {
			"x\" { }\ntarget \"y": { "target_type": "folder", "folder": "/a\"\n}\ntarget z { type = folder path = \"/", "comment": "*/ \n} target q { }" },
			"env": { "target_type": "folder", "folder": "/${HOME}/$(id)" },
			"list": [ ], "number": 7, "type": { "target_type": [ ] , "ip": { }, "port": [ 1 ] },
			"opt": { "target_type": "rsync", "user": "-oProxyCommand=id", "host": "h", "folder": "/" },
			"host": { "target_type": "sftp", "user": "u", "host": "-oProxyCommand=id", "folder": "/" },
			"url": { "target_type": "dicomweb", "url": "https://a:SECRET1 b:SECRET2@h/?token=SECRET3" },
			"key": { "target_type": "s3", "bucket": "../../x", "region": "x/y", "prefix": "{Nope}/.." } },
		  "rules": {
			"r\" {": { "rule": "True\" \n action = discard }\nrule \"z\" { match = \"True", "target": "env", "comment": "\\\" } \u0001", "contact": "${HOME}" },
			"deep": { "rule": "((((((((((((((((((((", "target": "env", "action": "\"\n}" },
			"list": [ ], "types": { "rule": 5, "target": { }, "disabled": [ ], "fallback": { }, "action": 3 } } }
	E
	cat a.conf
	[ "$(value spool)" = /var/spool/dcmspool ]
	[ "$(value receiver.port)" = 11112 ]
	[ "$(value extra_tags)" = Rows ]
	[ "$(value targets | tr '\n' ' ')" = "x______target__y env " ]
	# shellcheck disable=SC2016 # as it is
	[ "$(value target.env.path)" = '/${HOME}/$(id)' ]
	[ "$(value rules)" = "r___" ]
	[ "$(value rule.r___.disabled)" = true ]
	# shellcheck disable=SC2016
	[ "$(value rule.r___.contact)" = '${HOME}' ]
	lacks 'SECRET[0-9]' told a.conf
	lacks $'\x1b' told a.conf
	# one line each
	[ "$(grep -c '' told)" -eq "$(grep -c '^mercure.json: ' told)" ]
}

@test "import-mercure: what is no mercure.json is refused, without showing what is in it" {
	local text
	for text in '' '{' '[]' '{ "password": "SECRET" SECRET' '{ }' '{ "targets": 3 }' '"SECRET"' $'{ "targets": { "a\\u0000b": {} } }'; do
		printf %s "$text" >mercure.json
		run "$BIN/dcmspool-import-mercure" mercure.json
		[ "$status" -eq 100 ]
		[[ $output == *'fatal: unable to read mercure.json: '* ]]
		[[ $output != *SECRET* ]]
	done
	run "$BIN/dcmspool-import-mercure" absent.json
	[ "$status" -eq 100 ]
	run "$BIN/dcmspool-import-mercure"
	[ "$status" -eq 100 ]
	echo '{ "targets": { } }' >mercure.json
	run bash -c '"$1" mercure.json >/dev/full' - "$BIN/dcmspool-import-mercure"
	[ "$status" -eq 111 ]
	"$BIN/dcmspool-import-mercure" - <mercure.json >a.conf
	"$conf" -n -c a.conf
}
