#!/bin/sh
# Fails where the given files hold unfinished work or the name of a package registry's host.
pattern='T[O]DO|F[I]XME|X[X]X:|raise Not[I]mplementedError'
hosts='pypi[.]org|pythonhosted[.]org|registry[.]npmjs[.]org|deb[.]debian[.]org'
if grep -srnIE --exclude-dir=__pycache__ "$pattern|$hosts" "$@"; then
    echo "Finish the work in these lines, or take the host's name out." >&2
    exit 1
fi
