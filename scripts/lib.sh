# Shared by the set-up scripts; sourced, not run. Leaves the shell at the root of the checkout.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '==> %s\n' "$*" >&2; }

fail() {
    printf 'Portée: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 3
}

# One set-up at a time in a checkout: the second waits, then finds the work done.
one_at_a_time() {
    command -v flock >/dev/null || return 0 # macOS has none; two runs at once are then not guarded
    exec 9>.setup.lock
    flock -n 9 || { say "another set-up is at work here; waiting for it" && flock 9; }
}

# up_to_date STAMP FILE...: whether the stamp is newer than every file.
up_to_date() {
    local stamp=$1 file
    shift
    [ -e "$stamp" ] || return 1
    for file in "$@"; do [ "$stamp" -nt "$file" ] || return 1; done
}

distribution() { (. /etc/os-release 2>/dev/null && printf '%s' "${ID:-}") || true; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
    else
        return 1
    fi
}

# apt_install WHAT-FOR PACKAGE...: fails with the command to run by hand.
apt_install() {
    local purpose=$1
    shift
    say "installing $* ($purpose)"
    as_root apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || say "package lists could not be refreshed"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 \
        install -y --no-install-recommends "$@" >&2 ||
        fail "could not install $purpose." "As root, run: apt-get update && apt-get install $*" "then try again."
}
