#!/usr/bin/env bash
# Fetch the front-end packages exactly as package-lock.json pins them.
. "$(dirname "$0")/lib.sh"

stamp=node_modules/.stamp

one_at_a_time
if up_to_date "$stamp" package.json package-lock.json; then exit 0; fi
if ! command -v npm >/dev/null; then
    command -v apt-get >/dev/null || fail "Node.js with npm is needed for the map's scripts and styles." \
        "Get it from your package manager (macOS: brew install node) or https://nodejs.org" \
        "or use containers: docker compose up"
    apt_install "Node.js" nodejs npm
fi
say "fetching front-end packages"
npm ci --loglevel=error >&2 ||
    fail "front-end packages could not be fetched." "Check the network (or npm's registry settings) and run the same command again."
touch "$stamp"
