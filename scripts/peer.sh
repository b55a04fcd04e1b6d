#!/bin/sh
# Sees that what the interop tests talk to is installed, and installs it where it can.
set -u

# The system's Python: another one may come first on PATH, without the system's packages.
missing() { ! /usr/bin/python3 -c 'import foolscap' 2>/dev/null; }

# Runs its arguments as root, without ever asking for a password.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

install() {
	command -v apt-get >/dev/null || return 1
	as_root true 2>/dev/null || return 1
	# One broken source need not stop what another one has: the install decides.
	as_root apt-get update -qq || echo "apt-get update failed; trying with what is known" >&2
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends python3-foolscap >/dev/null
}

missing || exit 0
install
missing || exit 0
echo "missing: python3-foolscap (Debian's package; tests run against it with /usr/bin/python3)" >&2
exit 1
