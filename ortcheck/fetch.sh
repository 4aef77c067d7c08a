#!/usr/bin/env bash
# Prints where ONNX Runtime's shared library is, after fetching it from npm, whose
# package sherpa-onnx-linux-x64 has it (version 1.28.2) beside other things.
set -euo pipefail

if [ "$(uname -sm)" != "Linux x86_64" ]; then
	echo "$(uname -sm): the package is for Linux x86_64" >&2
	exit 1
fi
package=sherpa-onnx-linux-x64-1.13.8
sum=13291bcd825da5858ca27a35443e9a2c229a40616c0910086de2db12c5c9312c
dir=${XDG_CACHE_HOME:-$HOME/.cache}/pimflow/$package
lib=$dir/libonnxruntime.so

if [ ! -f "$lib" ]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	(cd "$tmp" && npm pack --silent "${package%-*}@${package##*-}" >/dev/null)
	echo "$sum  $tmp/$package.tgz" | sha256sum --check --quiet
	tar -xzf "$tmp/$package.tgz" -C "$tmp" package/libonnxruntime.so
	mkdir -p "$dir"
	mv "$tmp/package/libonnxruntime.so" "$dir/.$$"
	mv "$dir/.$$" "$lib"
fi
echo "$lib"
