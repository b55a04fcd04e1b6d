#!/bin/sh
# Runs the named make targets in order and says how long each took. The first that fails ends it.
set -u

began=$(date +%s)
for part; do
	echo "== $part"
	start=$(date +%s)
	if ! "${MAKE:-make}" --no-print-directory "$part"; then
		echo "== $part FAILED after $(($(date +%s) - start)) s" >&2
		exit 1
	fi
	echo "== $part took $(($(date +%s) - start)) s"
done
echo "== all took $(($(date +%s) - began)) s"
