#!/bin/sh
# seeds.sh: fills a folder with files for the fuzzer to begin with: small ones of makestudy in every
# encoding, and the beginnings of python3-pydicom's test files.
#
# usage: seeds.sh MAKESTUDY FOLDER
set -eu
makestudy=$1 seeds=$2
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

mkdir -p "$seeds"
for syntax in evle ivle evbe deflated; do
	"$makestudy" "$made/$syntax" -S 1 -n 1 -r 8 -c 8 -p -x "$syntax"
	"$makestudy" "$made/bare-$syntax" -S 1 -n 1 -r 8 -c 8 -p -M -x "$syntax"
done
"$makestudy" "$made/fragments" -S 1 -n 1 -r 8 -c 8 -p -P 1.2.840.10008.1.2.4.50
for file in "$made"/*/*/*.dcm; do
	cp "$file" "$seeds/$(echo "${file#"$made/"}" | tr / -)"
done
dpkg -L python3-pydicom 2>/dev/null | grep '/test_files/.*\.dcm$' | while read -r file; do
	head -c 12000 "$file" >"$seeds/$(basename "$file")"
done
