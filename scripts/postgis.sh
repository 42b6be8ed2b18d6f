#!/usr/bin/env bash
# Find PostgreSQL with PostGIS on this machine, or install it from the distribution's packages.
# With DATABASE_URL set, nothing is needed here.
. "$(dirname "$0")/lib.sh"

found() { .venv/bin/python -m portee doctor postgis >/dev/null 2>&1; }

if found; then exit 0; fi
one_at_a_time
if found; then exit 0; fi

command -v apt-get >/dev/null || fail "PostgreSQL with PostGIS was not found on this machine. Ways to get it:" \
    "Fedora:  dnf install postgresql-server postgresql-contrib postgis" \
    "Arch:    pacman -S postgresql postgis" \
    "macOS:   brew install postgresql@17 postgis" \
    "containers, nothing to install but Docker:  docker compose up" \
    "a server you already have:  export DATABASE_URL=postgresql://user:password@host:5432/portee"

# The version already here, if any; else the newest the distribution offers.
as_root apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || true
version=''
for initdb in /usr/lib/postgresql/*/bin/initdb; do
    if [ -x "$initdb" ]; then version=$(printf '%s\n' "$version" "$(cut -d/ -f5 <<<"$initdb")" | sort -V | tail -n 1); fi
done
if [ -z "$version" ]; then
    version=$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' |
        sed -E 's/^postgresql-([0-9]+)-.*/\1/' | sort -V | tail -n 1)
fi
[ -n "$version" ] || fail "this distribution offers no postgresql-<version>-postgis-3 package." \
    "Ubuntu: enable the 'universe' repository (add-apt-repository universe), then try again." \
    "Or: docker compose up, or DATABASE_URL=postgresql://…"

# Portée starts a private cluster of its own. Debian's package would also make a system-wide one and
# start it: a drop-in file keeps it from doing so, and goes away again, so that later installs behave
# as their administrator expects.
drop_in=/etc/postgresql-common/createcluster.d/portee-setup.conf
if [ ! -e /usr/bin/pg_createcluster ]; then
    as_root mkdir -p "${drop_in%/*}"
    printf 'create_main_cluster = false\n' | as_root tee "$drop_in" >/dev/null
    trap 'as_root rm -f "$drop_in"' EXIT
fi
apt_install "PostgreSQL with PostGIS" "postgresql-$version" "postgresql-$version-postgis-3"
found || fail "PostGIS was installed but still not found." "Run: .venv/bin/portee doctor"
