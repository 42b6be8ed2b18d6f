#!/usr/bin/env bash
# Find a Chromium for the browser tests, or install one.
. "$(dirname "$0")/lib.sh"

found() { .venv/bin/python -m portee doctor chromium >/dev/null 2>&1; }

if found; then exit 0; fi
one_at_a_time
if found; then exit 0; fi

case $(distribution) in
debian)
    apt_install "Chromium, for the browser tests" chromium fonts-dejavu-core ;;
*)
    # Ubuntu's apt package "chromium" only installs a snap, which cannot run in containers.
    say "fetching Chromium with Playwright"
    if [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; then
        .venv/bin/python -m playwright install --with-deps chromium >&2 || true
    else
        .venv/bin/python -m playwright install chromium >&2 || true
    fi ;;
esac
found || fail "no Chromium was found or could be installed for the browser tests." \
    "Install Chromium or Google Chrome, or name one: export CHROMIUM=/path/to/chromium" \
    "Without a browser: make test ARGS='-m \"not browser\"'"
