#!/usr/bin/env bash
# Bring the catalogues up to date with the sentences of pages and of the command line; new ones are untranslated.
. "$(dirname "$0")/lib.sh"

pybabel=.venv/bin/pybabel
pot=$(mktemp)
trap 'rm -f "$pot"' EXIT

# update MAPPING FOLDER SOURCE… : extract the sentences of the sources, update the catalogues of the folder.
update() {
    local mapping=$1 folder=$2
    shift 2
    PYTHONPATH=. "$pybabel" --quiet extract --mapping "$mapping" --keywords=N_ \
        --no-location --sort-output --omit-header --output "$pot" "$@"
    for catalogue in "$folder"/*/LC_MESSAGES/portee.po; do
        language=$(basename "$(dirname "$(dirname "$catalogue")")")
        "$pybabel" --quiet update --input-file "$pot" --output-file "$catalogue" --locale "$language" \
            --no-fuzzy-matching --omit-header --ignore-obsolete --width 108
        say "$catalogue: $(.venv/bin/python -c 'import sys
from babel.messages.pofile import read_po
c = [m for m in read_po(open(sys.argv[1], "rb")) if m.id]
print(len(c), "sentences,", sum(not (m.string if isinstance(m.string, str) else all(m.string)) for m in c), "to translate")' "$catalogue")"
    done
}

update scripts/catalogues.cfg geo/wording/locale api/residents geo static_maps
update scripts/catalogues-cli.cfg portee/locale portee
