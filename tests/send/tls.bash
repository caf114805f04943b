# tls.bash: what the tests of send-dicom over TLS share: certificates, and targets that have them.

# Certificates are made once: keys take a moment.
setup_file() {
	export CERTS=$BATS_FILE_TMPDIR/certs
	mkdir "$CERTS"
	cd "$CERTS" || return
	authority ca
	authority other
	certificate server ca 2 IP:127.0.0.1,DNS:localhost
	certificate elsewhere ca 2 DNS:pacs.example,IP:192.0.2.1
	certificate noaddress ca 2 DNS:localhost
	certificate named ca 2 "" 127.0.0.1
	certificate client ca 2
	certificate expired ca -1 IP:127.0.0.1
	certificate stranger other 2
	certificate future ca 2 IP:127.0.0.1
	openssl req -newkey rsa:2048 -nodes -keyout future.key -out future.csr -subj /CN=future
	mkdir db
	touch db/index.txt
	openssl ca -batch -config <(printf '[ca]\ndefault_ca=d\n[d]\ndatabase=db/index.txt\nnew_certs_dir=db
rand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=IP:127.0.0.1\n') \
		-extensions e -cert ca.crt -keyfile ca.key -in future.csr -out future.crt -notext \
		-startdate 20900101000000Z -enddate 20910101000000Z
	openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.crt -subj /CN=self -days 2 \
		-addext subjectAltName=IP:127.0.0.1
	chmod 600 ./*.key
}

authority() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" -days 2
}

# certificate NAME AUTHORITY DAYS [ALTERNATIVE NAMES [COMMON NAME]]: NAME.key and NAME.crt
certificate() {
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=${5:-$1}"
	openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -out "$1.crt" -days "$3" \
		${4:+-extfile <(echo "subjectAltName=$4")}
}

# tls: what this file's targets are sent with
tls() {
	export TARGET_TLS=yes TARGET_TLS_CA=$CERTS/ca.crt TARGET_TLS_KEY=$CERTS/client.key \
		TARGET_TLS_CERT=$CERTS/client.crt
}

# tls_scp NAME OPTION...: storescp with the certificate of that name; it wants one of the client
tls_scp() {
	tls
	scp +tls "$CERTS/$1.key" "$CERTS/$1.crt" +cf "$CERTS/ca.crt" "${@:2}"
}

# tls_fake ANSWER...: the fake target with TLS
tls_fake() {
	tls
	fake "tls=$CERTS/server.key,$CERTS/server.crt,$CERTS/ca.crt" "$@"
}

probe() { run /usr/bin/env -u DCMSPOOL_JOB "$BIN/send-dicom" -p </dev/null; }

# one_target_line TEXT: the only line of output is one that blames the target, with that text
one_target_line() {
	[ "$status" -eq 111 ]
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[[ $output = $'target\t-\t-\t127.0.0.1:'*"$1"* ]]
}
