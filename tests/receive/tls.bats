# Reception over TLS: dcmspool-tls with the real stunnel and storescu.

bats_require_minimum_version 1.5.0
load ../helper
load ../router

setup() { command -v stunnel4 >/dev/null || skip "stunnel4 is not installed"; }

teardown() {
	stop_all
	wait_for no_processes
	show_state || true
}

key() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" "${@:2}" 2>/dev/null; }
authority() { key "$1" -x509 -subj "/CN=$1" -days 3 -out "$1.pem"; }

# certificate NAME AUTHORITY DAYS
certificate() {
	key "$1" -subj "/O=Hospital/CN=$1" -out "$1.csr"
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$RANDOM" -days "$3" -out "$1.pem" 2>/dev/null
}

# site [KEYS]: certificates, and a configuration with these keys of the section receiver
site() {
	cd "$BATS_TEST_TMPDIR"
	authority site
	authority other
	certificate late site 0
	certificate server site 3
	certificate ct1 site 3
	certificate wrong other 3
	study made -s 1 -n 1 -r 16 -c 16
	TLS=$(free_port)
	make_router
	sed -i "s/request_timeout = 5s/tls_port = $TLS tls_key = server.key tls_cert = server.pem tls_ca = site.pem $*/" "$CONF"
	[ -z "${SENDER-}" ] || echo "$SENDER" >>"$CONF"
}

# tls [KEYS]: the same, and dcmspool-tls
tls() {
	site "$@"
	# what a local user has in his environment is not believed
	start tls env REMOTE_HOST=10.9.9.9 SSL_CLIENT_DN=CN=forged "$BIN/dcmspool-tls" -c "$CONF"
	wait_for listens "$TLS"
}

# scu OPTIONS...: storescu to the TLS port
scu() { storescu "$@" +cf site.pem 127.0.0.1 "$TLS" made/*/*.dcm; }
with() { scu +tls "$1.key" "$1.pem"; }
opened_are() { [ "$(opened .peer | wc -l)" -eq "$1" ]; }
# serves NAME: stunnel shows this certificate
serves() { [ "$(openssl s_client -connect "127.0.0.1:$TLS" </dev/null 2>/dev/null | openssl x509)" = "$(openssl x509 -in "$1.pem")" ]; }
opened() { journal association-opened | jq -r "$1"; }

@test "tls: the right certificate is received and known; a wrong one, an expired one, none and TLS 1.1 are not" {
	SENDER='sender "CT1" { certificates = "*CN=ct1" allow = "127.0.0.0/8" called_aets = "ANY-SCP" }'
	tls allow = '\"127.0.0.1\"' called_aets = '\"ROUTER\"'
	with ct1
	run -1 with wrong
	run -1 with late
	run -1 scu +tla
	run openssl s_client -connect "127.0.0.1:$TLS" -tls1_1 -cipher DEFAULT@SECLEVEL=0 -cert ct1.pem -key ct1.key </dev/null
	[ "$status" -ne 0 ]
	grep -q 'Rejected by CERT at depth=0: O=Hospital, CN=wrong' tls.log
	[ "$(opened '.peer + " " + .sender')" = '127.0.0.1 CT1' ]
	cat "$SPOOL"/incoming/*/series.json | jq -e '.tags.SenderCertificate == "O=Hospital, CN=ct1" and
		.tags.SenderAddress == "127.0.0.1" and .association.certificate == "O=Hospital, CN=ct1"'
	run -1 "$TOOLS/rawsend" 127.0.0.1 "$TLS" -E # without TLS
}

@test "tls: allow holds for the true address; nobody's environment counts without -t" {
	tls tls_client = no allow = '\"10.9.9.9\"'
	run -1 scu +tla
	refused() { [ "$(journal association-refused | jq -r '.peer + " " + .reason')" = '127.0.0.1 address not in receiver.allow' ]; }
	wait_for refused
	start_receiver
	REMOTE_HOST=10.9.9.9 run -1 "$TOOLS/rawsend" 127.0.0.1 "$PORT" -E
	[[ $output == *'rejected 1 1 1'* ]]
}

@test "tls: accept takes those without a certificate, who have no subject, and refuses a wrong one" {
	tls tls_client = accept
	scu +tla
	run -1 with wrong
	cat "$SPOOL"/incoming/*/series.json | jq -e '.tags | has("SenderCertificate") | not'
}

@test "tls: dcmspool up starts it, and a rule knows who sent" {
	site
	sed -i "s/match = \"True\"/match = \"'CN=ct1' in tags.SenderCertificate\"/" "$CONF"
	start up "$BIN/dcmspool" up --root -c "$CONF"
	wait_for listens "$TLS"
	with ct1
	wait_for has_images archive 1
	# reload: new rules hold for its connections
	sed -i "s/CN=ct1/CN=nobody/" "$CONF"
	run -0 timeout 30 "$BIN/dcmspool" reload -c "$CONF"
	[[ $output == *' is what runs' ]]
	with ct1
	wait_for has_jobs discard 1
	# a connection that is open goes on while stunnel takes new settings, and a certificate renewed in its place
	start sender storescu --repeat 500 +tls ct1.key ct1.pem +cf site.pem 127.0.0.1 "$TLS" made/*/*.dcm
	wait_for opened_are 3
	certificate server site 3
	sed -i "s/tls_port = $TLS/tls_port = $TLS tls_client = no/" "$CONF"
	run -0 timeout 30 "$BIN/dcmspool" reload -c "$CONF"
	[[ $output == *' is what runs' ]]
	wait_for serves server
	scu +tla
	kill -0 "$pid_sender" # else nothing was tried
	wait "$pid_sender"
	! grep -q 'LOG3.*configuration' up.log
	# a supervisor that is killed takes its stunnel with it; the next one has one of its own
	local before after
	before=$(s6-svstat -o pid "$SPOOL/.service/tls")
	pkill -KILL -f "^s6-supervise tls$" -P "$(pgrep -f "^s6-svscan $SPOOL/.service$")"
	is_another() { after=$(s6-svstat -o pid "$SPOOL/.service/tls" 2>/dev/null) && [ "$after" -gt 0 ] && [ "$after" != "$before" ]; }
	wait_for is_another
	wait_for scu +tla
	ended() { ! kill -0 "$before" 2>/dev/null; }
	wait_for ended
	stop "$pid_up"
	no_processes
}

@test "tls: callers of one address who are silent after the handshake hold 32 processes, no more, and nobody up" {
	tls tls_client = no request_timeout = 60s
	start silent python3 -c '
import signal, socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
all = [context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60, ("127.0.0.2", 0)))
       for _ in range(40)]
signal.pause()' "$TLS"
	refused() { journal association-refused | jq -r '.peer + " " + .reason' | sort | uniq -c | xargs; }
	are_refused() { [ "$(refused)" = '8 127.0.0.2 too many connections of this address without a request' ]; }
	wait_for are_refused
	[ "$(running dcmspool-association | wc -l)" -eq 32 ]
	scu +tla
	wait_for has_images "$SPOOL/incoming" 1
}
