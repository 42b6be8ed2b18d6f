"""Every sentence of the pages has a translation, and says the same things with the same blanks."""

from __future__ import annotations

import re
import subprocess

import pytest
from babel.messages.pofile import read_po

from geo.settings import ROOT
from geo.wording.language import DOMAIN, LANGUAGES, LOCALE, SOURCE, language

OTHERS = [code for code in LANGUAGES if code != SOURCE]


def catalogue(code: str):
    with (LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as source:
        return read_po(source, locale=code)


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """What the code and the templates say, as `scripts/catalogues.sh` finds it."""
    found = tmp_path_factory.mktemp("catalogue") / "portee.pot"
    script = (ROOT / "scripts" / "catalogues.sh").read_text("utf-8")
    options = re.findall(r"--keywords=\S+", script)
    assert options == ["--keywords=N_"]
    subprocess.run(
        [
            *(ROOT / ".venv/bin/pybabel", "--quiet", "extract", "--mapping", "scripts/catalogues.cfg"),
            *(*options, "--output", found, "api/residents", "geo", "static_maps"),
        ],
        cwd=ROOT,
        check=True,
    )
    with found.open("rb") as source:
        return {message.id for message in read_po(source) if message.id}


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated_and_no_other(sentences, code):
    told = {m.id: m.string for m in catalogue(code) if m.id}
    assert set(told) == sentences, "run scripts/catalogues.sh"
    empty = [m for m, said in told.items() if not (all(said) if isinstance(said, tuple) else said)]
    assert empty == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_fill_the_same_blanks(code):
    for message in catalogue(code):
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(re.findall(r"%\((\w+)\)s", sources[-1]))
        for each in said:
            assert set(re.findall(r"%\((\w+)\)s", each)) <= wanted, message.id
        assert set(re.findall(r"%\((\w+)\)s", said[-1])) == wanted, message.id


def test_an_unknown_language_is_french():
    assert language("xx").code == SOURCE
    assert language("en")("Où êtes-vous ?") == "Where are you?"
