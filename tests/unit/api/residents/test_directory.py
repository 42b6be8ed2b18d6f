"""The directory of all sites."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from api.residents.directory import by_letter, entries
from tests.support import world
from tests.support.site_pages import (
    client_of,
    words_of,
)

pytestmark = pytest.mark.usefixtures("application")


def test_the_directory_lists_every_site_once_by_commune():
    sites = [
        world.site("1", 5, nom="Zèbre", telephone="+33553990010"),
        world.site("2", 5, nom="Âne"),
        world.site("3", 15, "99002"),
        world.site("4", 45, "96001"),
        replace(world.site("5", None), commune="", code_insee=""),
        replace(world.site("6", 5), commune="Écart-Ville", code_insee=""),
    ]
    response = client_of(*sites).get("/lieux?ou=Ouestville")
    body = response.text
    assert response.headers["cache-control"] == "public, max-age=60"
    assert "?ou=" not in body
    for site in sites:
        assert body.count(f'href="/lieux/{site.id}"') == 1
    assert re.findall(r"<h3>(.*?)</h3>", body) == ["Deux-Étangs", "Écart-Ville", "Ouestville", "Outre-Borne"]
    assert body.index("Âne") < body.index("Zèbre")
    assert re.findall(r'<a href="#lettre-\d">(.)</a>', body) == ["D", "E", "O"]
    assert "4 lieux, commune par commune." in body
    assert 'href="tel:+33553990010"' in body


def test_letters_ignore_accents_and_gather_the_rest():
    names = ["Étang", "Eaux", "12 Chênes", "ŒUVRE", "Ünter"]
    found = by_letter(entries([world.site(str(n), 5, commune=name) for n, name in enumerate(names)]))
    assert {letter: [e.name for e in each] for letter, each in found.items()} == {
        "#": ["12 Chênes"],
        "E": ["Eaux", "Étang"],
        "O": ["ŒUVRE"],
        "U": ["Ünter"],
    }


def test_an_empty_directory_says_so():
    assert "Aucun lieu n'est connu pour l'instant." in words_of(client_of().get("/lieux"))
