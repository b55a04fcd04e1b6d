#!/bin/sh
# Fails and names the files that gofmt would change. Test data may be as it likes.
set -eu

files=$(find . -name '*.go' -not -path '*/.*' -not -path '*/testdata/*' -exec gofmt -l {} +)
[ -z "$files" ] || {
	echo "not gofmt'd; run gofmt -w on:" >&2
	echo "$files" >&2
	exit 1
}
