"""Places by what somebody typed: the territory alone, with addresses, with the geocoder."""

from __future__ import annotations

import logging

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.schemas import PlacesAnswer
from api.service import AppState
from api.settings import ApiSettings
from geo.errors import DatabaseUnavailable, UnknownPlace
from geo.places.ban import read_addresses
from geo.places.model import PlaceKind
from geo.store import addresses
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support import world
from tests.support.addresses import WORLD, write
from tests.support.serving import serving
from tests.support.world import TERRITORY
from tests.unit.geo.places.test_geocoder import StandIn, collection, feature

PLACES = "/api/v1/places"


@pytest.fixture
def alone():
    """The application over a snapshot and no database."""
    with serving(world.snapshot(world.site("a", 5))) as client:
        yield client


@pytest.fixture
def database(fresh_engine):
    fill(fresh_engine, world.record("a", 5))
    return fresh_engine


@pytest.fixture
def loaded(database, tmp_path):
    found = read_addresses([write(tmp_path / "adresses-99.csv", WORLD)], TERRITORY)
    with database.begin() as connection:
        addresses.replace(connection, found, {c.code: c.population for c in TERRITORY.communes})
    return database


@pytest.fixture
def client(loaded, fresh_settings):
    with TestClient(create_app(fresh_settings)) as client:
        yield client


def service_in(client) -> AppState:
    service: AppState = client.app.state.service
    return service


def ask(client, words, **parameters):
    answer = client.get(PLACES, params={"q": words, **parameters})
    assert answer.status_code == 200, answer.text
    PlacesAnswer.model_validate(answer.json())
    return answer.json()


def labels(client, words, **parameters):
    return [place["label"] for place in ask(client, words, **parameters)["places"]]


def test_without_a_database_communes_are_found_and_it_is_said(alone):
    told = ask(alone, "ouestvile")
    assert told["places"][0]["id"] == "commune-99001"
    searched = told["meta"]["addresses"]
    assert (searched["searched"], searched["attribution"]) == (False, None)
    assert searched["message"].startswith("La recherche d'adresses est momentanément indisponible")


def test_without_addresses_loaded_it_is_said(database, fresh_settings):
    with TestClient(create_app(fresh_settings)) as client:
        told = ask(client, "12 rue de l'église, ouestville")
    assert [place["id"] for place in told["places"]] == ["commune-99001"]
    assert told["meta"]["addresses"]["message"].startswith("Aucune adresse n'est chargée")


@pytest.mark.parametrize(
    ("words", "kind", "label"),
    [
        ("ouestville", "commune", "Ouestville"),
        ("99100", "postcode", "99100"),
        ("12 rue de l'eglise ouestville", "address", "12 rue de l'Église, 99100 Ouestville"),
        ("rue des ecoles deux etangs", "street", "Rue des Écoles, 99100 Deux-Étangs"),
        ("lagarde", "hamlet", "Lagarde, 99100 Ouestville"),
    ],
)
def test_what_is_meant_comes_first(client, words, kind, label):
    told = ask(client, words)
    assert (told["places"][0]["kind"], told["places"][0]["label"]) == (kind, label)
    assert told["meta"]["addresses"]["searched"] is True
    scores = [place["score"] for place in told["places"]]
    assert scores == sorted(scores, reverse=True)
    assert len({place["id"] for place in told["places"]}) == len(scores)


def test_addresses_are_told_with_their_source(client):
    assert ask(client, "rue des écoles")["meta"]["addresses"]["attribution"] == (
        "Base Adresse Nationale (Licence Ouverte 2.0)"
    )


def test_the_answer_is_kept_by_nobody(alone):
    answer = alone.get(PLACES, params={"q": "ouestville"})
    assert answer.headers["cache-control"] == "no-store" and "etag" not in answer.headers


def test_what_was_typed_is_never_logged(client, caplog):
    with caplog.at_level(logging.DEBUG):
        ask(client, "7 rue Trèsecrète ouestville")
        client.get(PLACES, params={"q": "Trèsecrète", "limit": "x"})
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    assert not [message for message in ours if "secr" in message.lower()]


@pytest.mark.parametrize(
    "query", ["", "?q=", "?q=%20", "?q=a&limit=0", "?q=a&limit=21", "?q=a&x=1", "?q=" + "a" * 201]
)
def test_a_question_that_makes_no_sense_is_refused(alone, query):
    answer = alone.get(PLACES + query)
    assert answer.status_code == 422 and answer.json()["errors"]


@pytest.mark.parametrize(
    "words", ["%00", "%F0%9F%93%8D", "'%22--", "%E2%80%AE", "<script>", "1" * 200, "a%20" * 60]
)
def test_hostile_words_are_answered(client, words):
    assert client.get(f"{PLACES}?q={words}").status_code in (200, 422)


def test_limit_is_kept(client):
    assert len(labels(client, "99100", limit=2)) == 2


def test_pages_find_places_and_look_them_up_again(client):
    service = service_in(client)
    finder = service.place_finder(service.current())
    for words in ("ouestville", "99100", "12 rue de l'église ouestville", "lagarde"):
        for found in finder.search(words, 3).places:
            assert finder.by_id(found.id).label == found.label
    for place_id in ("", "x", "ban-99001_9999", "commune-00000", "geo-1"):
        with pytest.raises(UnknownPlace):
            finder.by_id(place_id)


def test_an_address_cannot_be_looked_up_without_its_database(alone):
    service = service_in(alone)
    with pytest.raises(DatabaseUnavailable):
        service.place_finder(service.current()).by_id("ban-99001_0010")


def test_the_geocoder_is_not_asked_unless_it_is_configured():
    assert ApiSettings().geocoder_url == ""
    with pytest.raises(ValueError, match="geocoder_url"):
        ApiSettings(geocoder_url="ftp://example.org")


def test_the_geocoder_is_asked_when_nothing_good_was_found():
    stand_in = StandIn()
    stand_in.body = collection(feature())
    try:
        with serving(world.snapshot(world.site("a", 5)), geocoder_url=stand_in.url) as client:
            told = ask(client, "ouestville")
            assert stand_in.asked == [] and told["places"][0]["score"] == 1
            told = ask(client, "12 rue de l'exemple ouestville")
            assert [asked["q"] for asked in stand_in.asked] == [["12 rue de l'exemple ouestville"]]
            assert told["places"][0]["kind"] == "address" and told["places"][1]["id"] == "commune-99001"
            assert told["meta"]["addresses"]["attribution"] == "Géocodeur de l'État"
            service = service_in(client)
            again = service.place_finder(service.current()).by_id(told["places"][0]["id"])
            assert again.kind is PlaceKind.ADDRESS and again.commune == "99001"
            stand_in.status = 500
            assert labels(client, "12 rue de l'exemple ouestville") == ["Ouestville"]
    finally:
        stand_in.close()
