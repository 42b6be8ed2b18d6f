"""Word search: which sites a query finds, and that every entry point finds the same ones."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from urllib.parse import unquote

import pytest

from geo.matching.criteria import Criteria, receives_public
from geo.matching.ranking import rank_sites
from geo.matching.text_search import STOP_WORDS, SiteSearch, mentions
from geo.settings import Settings
from geo.sites.model import Site
from geo.sites.readers import open_source
from geo.sites.validate import validate
from geo.territory.files import read_territory
from tests.support.serving import serving
from tests.support.shared import SHARED, needs_shared
from tests.support.world import as_site, at, short, site, snapshot

LIBRARY = site("library", 5, nom="Lecture publique", typologie=("BIB",), services=())
MEDIA = site("media", 6, nom="Médiathèque de l'Étang", typologie=(), presentation_detail="Trois ateliers.")
LESSONS = site("lessons", 15, "99002", nom="Le Relais", presentation_resume="Un cours par semaine, sans RDV")
TOWN_HALL = site("town-hall", 25, "99003", nom="Mairie", source="Liste d'essai", adresse="1 rue du Cœur")
ABROAD = site("abroad", 45, "96001", nom="Bibliothèque voisine", structure_parente="CCAS d'Outre-Borne")
LOST = replace(site("lost", None), nom="Bus numérique", commune="", code_insee="", code_postal="")
SITES = (ABROAD, LESSONS, LIBRARY, LOST, MEDIA, TOWN_HALL)

QUERIES = [
    ("bibliothèque", {"library", "abroad"}),  # a type of structure counts as text
    ("BIBLIOTHEQUE", {"library", "abroad"}),
    ("bibliothèques", {"library", "abroad"}),
    ("les bibliothèques", {"library", "abroad"}),
    ("média", {"library", "media"}),  # inside « médiathèque »
    ("étangs", {"media", "lessons"}),  # the second is in the commune Deux-Étangs
    ("atelier", {"media"}),
    ("l'étang", {"media", "lessons"}),
    ("l’étang", {"media", "lessons"}),
    ("cours", {"lessons"}),
    ("coeur", {"town-hall"}),
    ("liste essai", {"town-hall"}),
    ("ccas", {"abroad"}),
    ("ccas de la mairie", set()),
    ("le relais", {"lessons"}),
    ("relais, mairie", set()),
    ("sans RDV", {"lessons"}),
    ("« bus »", {"lost"}),
    ("96100", {"abroad"}),
    ("introuvable", set()),
    ("...", set()),
]


def ids_of(found):
    return {short(each) for each in found}


@pytest.mark.parametrize(("query", "found"), QUERIES)
def test_a_site_is_found_when_it_mentions_every_word(query, found):
    assert ids_of(each for each in SITES if mentions(each, query)) == found


@pytest.mark.parametrize("query", ["", "  ", "\t"])
def test_an_empty_query_finds_every_site(query):
    assert all(mentions(each, query) for each in SITES)
    assert SiteSearch(words=query).rows(snapshot(*SITES)).tolist() == list(range(len(SITES)))


@pytest.mark.parametrize("word", sorted(STOP_WORDS))
def test_a_stop_word_adds_nothing_to_other_words(word):
    assert ids_of(each for each in SITES if mentions(each, f"{word} mairie")) == {"town-hall"}


def test_stop_words_alone_are_searched():
    assert ids_of(each for each in SITES if mentions(each, "sur")) == set()
    assert mentions(site("a", 5, nom="Sur Seine"), "sur")


def test_a_plural_matches_its_singular_as_a_whole_word_only():
    assert mentions(site("a", 5, nom="Un cour"), "cours")
    assert not mentions(site("a", 5, nom="Un courrier"), "cours")
    assert not mentions(site("a", 5, nom="Ne pas entrer"), "pass")
    assert not mentions(site("a", 5, nom="Un jeu"), "jeux")  # too short to be taken for a plural
    assert mentions(site("a", 5, nom="Un réseau"), "réseaux")


@pytest.fixture(scope="module")
def client():
    with serving(snapshot(*SITES)) as opened:
        yield opened


def api_ids(client, query):
    response = client.get("/api/v1/sites", params={"q": query, "limit": 1000})
    assert response.status_code == 200, response.text
    return {feature["id"].removeprefix("essai--") for feature in response.json()["features"]}


def page_ids(client, path, query):
    body = client.get(path, params={"mots": query, "n": 200}).text
    return set(re.findall(r'href="/lieux/essai--([\w-]+)', body))


@pytest.mark.parametrize(("query", "found"), QUERIES)
def test_the_same_words_find_the_same_sites_everywhere(client, query, found):
    assert api_ids(client, query) == found
    assert page_ids(client, "/lieux", query) == found
    if found:  # without any match, this page lists near matches instead
        assert page_ids(client, "/", query) == found


def test_words_add_to_filters_and_boxes(client):
    box = f"{at(0).x},{at(0, 0).y},{at(10).x},{at(10, 10).y}"
    params = {"q": "médiathèque", "bbox": box, "typologie": "BIB"}
    found = client.get("/api/v1/sites", params=params).json()["features"]
    assert [feature["id"] for feature in found] == ["essai--library"]


@needs_shared
def test_the_same_words_find_the_same_real_sites_everywhere():
    territory = read_territory(Settings().territory_dir, "47")
    sites: list[Site] = []
    for path in sorted((SHARED / "data" / "sites").iterdir()):
        rows, today = open_source(path, max_bytes=10**8).rows(), date(2026, 11, 29)
        valid = validate(rows, territory=territory, dataset=path.stem.lower(), today=today)
        sites += [as_site(record) for record in valid.records]
    sites.sort(key=lambda each: each.id)
    with serving(replace(snapshot(), sites=tuple(sites))) as client:
        for query in ("bibliothèque", "médiathèques", "agen", "mairie", "ccas", "internet", "villeneuve"):
            found = client.get("/api/v1/sites", params={"q": query, "limit": 1000}).json()["features"]
            directory = client.get("/lieux", params={"mots": query}).text
            listed = re.findall(r'href="/lieux/([^"/?]+--[^"]+)"', directory)
            assert {unquote(each) for each in listed} == {feature["id"] for feature in found}, query
            ranked = rank_sites(sites, None, Criteria(words=query))
            open_to_public = {each.id for each in sites if mentions(each, query) and receives_public(each)}
            assert {each.site.id for each in ranked.fits} == open_to_public
            assert len(open_to_public) + ranked.away >= len(found) > 0
