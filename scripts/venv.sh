#!/usr/bin/env bash
# Make .venv and install a lock file into it, every package held to its hash:
#     scripts/venv.sh requirements.txt
# The stamp .venv/.stamps/<lock file> is written only once all of it has succeeded.
. "$(dirname "$0")/lib.sh"

lock=$1
stamp=.venv/.stamps/$lock

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if usable "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

make_venv() {
    local python version
    python=$(find_python) || fail "Python 3.11 or later is needed and was not found." \
        "Debian 12, Ubuntu 24.04 or later: apt-get install python3 python3-venv" \
        "macOS: brew install python@3.13" \
        "Another place: make PYTHON=/path/to/python3.12 …"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then # Debian ships them apart
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        command -v apt-get >/dev/null || fail "$python has no 'venv' module." "Install it, or name another Python: make PYTHON=…"
        apt_install "Python's virtual environments" "python$version-venv"
    fi
    say "making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
}

one_at_a_time
if up_to_date "$stamp" "$lock" pyproject.toml; then exit 0; fi
usable .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null || make_venv

say "installing $lock"
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
install() {
    pip install --require-hashes "$@" -r "$lock" ||
        fail "the packages of $lock could not be installed." \
            "Check the network (or pip's proxy settings) and run the same command again."
}
mkdir -p .venv/.stamps
if [ "$lock" = requirements-territory.txt ]; then
    install --no-deps # read as data: its own dependencies are not wanted
else
    install
    # Neither build isolation nor dependencies: nothing enters that the lock does not name.
    pip install --no-deps --no-build-isolation --editable .
    # requirements-dev.txt holds all of requirements.txt.
    touch .venv/.stamps/requirements.txt
fi
touch "$stamp"
