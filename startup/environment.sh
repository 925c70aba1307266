#!/bin/sh
# Makes or refreshes .venv with Python 3.12, the pinned dependencies and the project itself, and
# does nothing when that has been done. Uses the uv in PATH, else one of its own in .uv; the
# system's Python is only run, never changed. Exit code 0: .venv is ready; 10: it is, and is new.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'llmproxy: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

is_312() {
    [ "$("$1" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null)" = "3 12" ]
}

# What .venv is made of: the place of the checkout too, for a virtual environment cannot be moved.
recipe() {
    pwd
    cat pyproject.toml constraints.txt .python-version startup/* startup/*/*.py 2>/dev/null | cksum
}

find_uv() {
    if uv --version >/dev/null 2>&1; then
        echo uv
    else
        [ -x .uv/bin/uv ] || make_uv
        echo .uv/bin/uv
    fi
}

make_uv() {
    for python in python3 python3.12 /usr/bin/python3 python3.13 python3.11; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null
        then
            say "fetching uv into .uv"
            "$python" -m venv --clear .uv >&2 || continue
            .uv/bin/python -m pip install --quiet --disable-pip-version-check \
                --constraint constraints.txt uv >&2 && return
            fail "uv could not be fetched with pip. Is the package index within reach? Or install uv" \
                "yourself, so that it is in PATH, and run this again."
        fi
    done
    fail "no usable python3 with venv and pip was found. On Debian and Ubuntu: apt install" \
        "python3-venv. Or install uv, so that it is in PATH, and run this again."
}

find_python() {
    for python in python3.12 python3 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python3.12 /usr/local/bin/python3.12; do
        if is_312 "$python"; then
            "$python" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    "$1" python find --no-project 3.12 2>/dev/null && return
    say "fetching Python 3.12"
    "$1" python install --quiet 3.12 >&2 && "$1" python find --no-project 3.12 2>/dev/null && return
    fail "Python 3.12 was not found and could not be fetched. Install it (pyenv install 3.12, or your" \
        "system's package) so that python3.12 is in PATH, and run this again."
}

main() {
    if [ -s /etc/ssl/certs/ca-certificates.crt ]; then # what the administrator trusts, uv shall too
        export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS-1}" UV_NATIVE_TLS="${UV_NATIVE_TLS-1}"
    fi
    if command -v flock >/dev/null 2>&1; then # one at a time, where the system has flock
        exec 9<Makefile
        flock 9
    fi
    made="$(recipe)"
    if [ -x .venv/bin/mitmdump ] && [ "$(cat .venv/.recipe 2>/dev/null)" = "$made" ]; then
        exit 0
    fi
    uv="$(find_uv)"
    if ! is_312 .venv/bin/python || [ "$(head -n 1 .venv/.recipe 2>/dev/null)" != "$(pwd)" ]; then
        python="$(find_python "$uv")"
        rm -rf .venv
        "$uv" venv --quiet --no-project --python "$python" .venv
    fi
    say "installing into .venv"
    rm -f .venv/.recipe
    "$uv" pip install --quiet --python .venv/bin/python --compile-bytecode \
        --constraint constraints.txt --reinstall-package llmproxy --editable . --group dev
    recipe > .venv/.recipe
    exit 10
}

main
