#!/bin/sh
# Finds every fuzz target of the module and runs each for the given time.
set -eu

time=${1:?for how long, such as 30s}
found=0
pkgs=$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...)
for pkg in $pkgs; do
	listed=$(go test -list '^Fuzz' "$pkg")
	for target in $(printf '%s\n' "$listed" | grep '^Fuzz' || true); do
		echo "== $pkg $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$pkg"
		found=$((found + 1))
	done
done
echo "== $found fuzz targets, $time each"
