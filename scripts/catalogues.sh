#!/usr/bin/env bash
# Bring the catalogues of pages up to date with the sentences they hold: new ones come in untranslated.
. "$(dirname "$0")/lib.sh"

pot=$(mktemp)
trap 'rm -f "$pot"' EXIT
pybabel=.venv/bin/pybabel
"$pybabel" --quiet extract --mapping scripts/catalogues.cfg --keywords=N_ \
    --no-location --sort-output --omit-header --output "$pot" api/residents geo static_maps
for catalogue in geo/wording/locale/*/LC_MESSAGES/portee.po; do
    language=$(cut -d/ -f4 <<<"$catalogue")
    "$pybabel" --quiet update --input-file "$pot" --output-file "$catalogue" --locale "$language" \
        --no-fuzzy-matching --omit-header --ignore-obsolete --width 108
    say "$catalogue: $(.venv/bin/python -c 'import sys
from babel.messages.pofile import read_po
c = [m for m in read_po(open(sys.argv[1], "rb")) if m.id]
print(len(c), "sentences,", sum(not (m.string if isinstance(m.string, str) else all(m.string)) for m in c), "to translate")' "$catalogue")"
done
