#!/bin/sh
# Installs the packages of a package.json beside it, exactly the versions that it names, and runs
# none of their scripts. Does nothing, in milliseconds, when that is done already. Needs npm 8+.
set -eu
cd "$1"

wanted=$(cksum package.json)
[ "$wanted" != "$(cat node_modules/.stamp 2>/dev/null)" ] || exit 0
command -v npm >/dev/null || {
    echo "$1/package.json needs npm: install it (Debian, Ubuntu: apt-get install npm)" >&2
    exit 1
}
echo "Installing the packages of $1/package.json: once, a minute or two" >&2
rm -rf node_modules
npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
echo "$wanted" >node_modules/.stamp
