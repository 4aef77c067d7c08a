#!/usr/bin/env bash
# Prints a table of torchvision's networks beside ONNX Runtime: zoo.sh [NAME...], of all without names, for which it needs
# hours and 24 GB of memory. Needs what tools/export/networks.py needs, and what fetch.sh fetches.
#
# nodes: those whose values are tensors. alone: the largest difference of the value of a node, each computed from ONNX
# Runtime's values of its inputs, relative to the largest magnitude of the value. outputs: that of the outputs, computed from
# the network's inputs. check: pimflow's check of a plan with all layers on the PIM that it can execute.
set -euo pipefail
cd "$(dirname "$0")"
export=../tools/export/networks.py
if [ $# -eq 0 ]; then
	mapfile -t all < <("$export" --list-all)
	set -- "${all[@]}"
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go test -c -o "$dir/compare.test" .
printf '| network | nodes | alone | outputs | check |\n|---|---|---|---|---|\n'
for name; do
	"$export" -o "$dir" --scaled 320 "$name" >"$dir/log" 2>&1 &&
		"$dir/compare.test" -test.run TestTable -table -files "$dir/$name.onnx" >"$dir/log" 2>&1 &&
		grep '^|' "$dir/log" || printf '| %s | failed: %s |\n' "$name" "$(grep -v -e '^FAIL' -e '^---' -e '^ *$' "$dir/log" | tail -n 1)"
	rm -f "$dir/$name.onnx"
done
