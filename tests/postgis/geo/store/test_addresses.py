"""Addresses in a real PostGIS: kept, replaced in one go, searched, looked up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from geo.errors import DatabaseUnavailable, UnknownPlace
from geo.places.ban import read_addresses
from geo.places.model import PlaceKind
from geo.places.query_words import name_key
from geo.store import addresses, backup, territories
from geo.store.database import require_extensions
from geo.store.tables import address_number
from tests.support.addresses import WORLD, row, write
from tests.support.world import TERRITORY

PEOPLE = {c.code: c.population for c in TERRITORY.commune_by_code.values()}


def put(connection, tmp_path, rows=WORLD):
    loaded = read_addresses([write(tmp_path / "adresses-99.csv", rows)], TERRITORY)
    addresses.replace(connection, loaded, PEOPLE)
    return loaded


@pytest.fixture
def filled(connection, tmp_path):
    put(connection, tmp_path)
    return connection


def labels(connection, words, communes=()):
    return [place.label for place in addresses.search(connection, words, 5, communes=communes)]


def test_addresses_are_stored_and_described(connection, tmp_path):
    loaded = put(connection, tmp_path)
    (told,) = addresses.about(connection)
    assert told.file_name == "adresses-99.csv" and told.sha256 == loaded.files[0].sha256
    assert (told.producer, told.licence) == ("Base Adresse Nationale", "Licence Ouverte 2.0")
    assert told.summary == loaded.files[0].summary()
    assert addresses.counts(connection) == {"streets": 6, "hamlets": 2, "numbers": len(WORLD) - 1}


def test_a_load_replaces_the_previous_one(connection, tmp_path):
    put(connection, tmp_path)
    put(connection, tmp_path, [row("99001_0099", "Rue Neuve", 1, 4)])
    assert addresses.counts(connection) == {"streets": 1, "hamlets": 0, "numbers": 1}
    assert labels(connection, "rue de l'église") == []
    assert addresses.remove(connection) and not addresses.remove(connection)
    assert addresses.about(connection) == ()
    assert connection.scalar(select(func.count()).select_from(address_number)) == 0


def test_readers_see_the_old_addresses_until_the_new_are_all_there(fresh_engine, tmp_path):
    with fresh_engine.begin() as writer:
        put(writer, tmp_path)
    with fresh_engine.begin() as writer, fresh_engine.connect() as reader:
        put(writer, tmp_path, [row("99001_0099", "Rue Neuve", 1, 4)])
        assert labels(reader, "rue de l'eglise ouestville")  # neither waits nor sees half
        assert labels(reader, "rue neuve") == []
    with fresh_engine.connect() as reader:
        assert labels(reader, "rue neuve") == ["Rue Neuve, 99100 Ouestville"]


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("12 rue de l'église ouestville", "12 rue de l'Église, 99100 Ouestville"),
        ("12 bis rue de l'eglise, 99100 Ouestville", "12 bis rue de l'Église, 99100 Ouestville"),
        ("rue de l eglise 12bis ouestvile", "12 bis rue de l'Église, 99100 Ouestville"),
        ("ouestville, rue de l'église", "Rue de l'Église, 99100 Ouestville"),
        ("rue de léglise estbourg", "Rue de l'Église, 99100 Estbourg"),
        ("reu des ecoels", "Rue des Écoles, 99100 Deux-Étangs"),
        ("av gal fictif", "Avenue du Général Fictif, 99100 Ouestville"),
        ("lagarde", "Lagarde, 99100 Ouestville"),
        ("7 lagarde", "7 Lagarde, 99100 Ouestville"),
        ("8 rue du 8 mai 1945", "8 rue du 8 Mai 1945, 99100 Deux-Étangs"),
        ("chemin orsted", "Chemin Ørsted, 99100 Estbourg"),
        ("chemin Ørsted", "Chemin Ørsted, 99100 Estbourg"),
        ("chemin orsted vieux bourg", "Chemin Ørsted, 99100 Estbourg"),
        ("le pont, estbourg", "Le Pont, 99100 Estbourg"),
        ("ecol", "Rue des Écoles, 99100 Deux-Étangs"),
    ],
)
def test_an_address_is_found_as_people_write_it(filled, words, label):
    assert labels(filled, words)[0] == label


def test_of_streets_of_one_name_the_larger_communes_comes_first(filled):
    assert labels(filled, "rue de l'église") == [
        "Rue de l'Église, 99100 Estbourg",
        "Rue de l'Église, 99100 Ouestville",
    ]
    assert labels(filled, "rue de l'église", communes=["99001"])[0] == "Rue de l'Église, 99100 Ouestville"


def test_a_caller_with_an_answer_gets_only_names_with_the_same_beginning(filled):
    assert addresses.search(filled, "lagarde", 5, answered=True)[0].label == "Lagarde, 99100 Ouestville"
    assert addresses.search(filled, "lagrade", 5) and not addresses.search(
        filled, "lagrade", 5, answered=True
    )


def test_a_missing_number_lowers_the_score(filled):
    def best(words):
        return addresses.search(filled, words, 1)[0]

    exact = best("12 bis rue de l'église ouestville")
    assert exact.kind is PlaceKind.ADDRESS and exact.score == 1
    other = best("12 ter rue de l'église ouestville")
    assert other.label.startswith("12 rue") and other.score < exact.score
    unknown = best("999 rue de l'église ouestville")
    assert unknown.kind is PlaceKind.STREET and unknown.score < other.score
    assert best("lagarde ouestville").kind is PlaceKind.HAMLET


def test_a_postcode_that_no_street_has_is_ignored_but_lowers_the_score(filled):
    right, wrong = (addresses.search(filled, f"rue des écoles {code}", 1)[0] for code in ("99100", "12345"))
    assert wrong.id == right.id and wrong.score == pytest.approx(right.score * addresses.POSTCODE_OTHER)
    assert labels(filled, "rue des écoles 99100")[0].startswith("Rue des Écoles")
    assert labels(filled, "rue des écoles 12345")[0].startswith("Rue des Écoles")


def test_of_streets_of_one_name_that_of_the_postcode_comes_first(connection, tmp_path):
    near = row("99001_0010", "Rue du Four", 1, 4, code_postal="99100")
    far = row("99004_0010", "Rue du Four", 1, 34, code_postal="99400")
    put(connection, tmp_path, [near, far])
    for postcode, commune in (("99100", "Ouestville"), ("99400", "Estbourg")):
        assert labels(connection, f"rue du four {postcode}")[0] == f"Rue du Four, {postcode} {commune}"


@pytest.mark.parametrize(
    "words", ["", "   ", "%", "_", "'; DROP TABLE site; --", "\x00", "12", "x" * 5_000, "zzzzzz", "📍"]
)
def test_whatever_else_is_typed_finds_nothing(filled, words):
    assert addresses.search(filled, words, 5) == []


def test_every_place_found_is_found_again_by_its_identifier(filled):
    for words in ("12 bis rue de l'église ouestville", "12 rue de l'église", "lagarde", "le pont", "écoles"):
        for found in addresses.search(filled, words, 5):
            assert addresses.place(filled, found.id) == replace(found, score=1.0)
    found = addresses.place(filled, "ban-99001_0010_00012_bis")
    assert found.label == "12 bis rue de l'Église, 99100 Ouestville"


@pytest.mark.parametrize(
    "place_id",
    [
        *("", "ban-", "99001_0010", "ban-99001_9999", "ban-99001_0010_12", "ban-99001_0010_00099"),
        *("ban-99001_0010_x", "ban-\x00", "ban-99001_0010_00012_ter", "ban-99001_0010_٠٠٠١٢"),
    ],
)
def test_an_unknown_identifier_is_refused(filled, place_id):
    with pytest.raises(UnknownPlace):
        addresses.place(filled, place_id)


def test_postgresql_removes_the_same_accents_as_python(connection):
    """`unaccent`, an independent hand at it, over the letters of the languages of France."""
    for letter in "àâäçéèêëîïôöùûüÿœæñáíóúòãõÀÂÉÈÊÎÔÛÇŒ":
        theirs = connection.scalar(text("SELECT lower(unaccent(:letter))"), {"letter": letter})
        assert name_key(f"x{letter}x") == f"x{theirs}x"


def test_a_role_that_may_not_add_extensions_is_refused_with_advice(fresh_engine):
    with fresh_engine.connect() as connection:
        connection.execute(text("DROP EXTENSION pg_trgm CASCADE"))
        connection.execute(text("CREATE ROLE passer_by"))
        name = connection.engine.url.database
        connection.execute(text(f'REVOKE CREATE ON DATABASE "{name}" FROM public'))
        connection.execute(text("SET ROLE passer_by"))
        with pytest.raises(DatabaseUnavailable, match="CREATE EXTENSION IF NOT EXISTS pg_trgm"):
            require_extensions(connection)
        connection.rollback()


def test_a_search_that_takes_too_long_is_cancelled(filled, monkeypatch):
    monkeypatch.setattr(addresses, "SEARCH_TIMEOUT_MS", 1)
    filled.execute(
        text(
            "INSERT INTO address_street "
            "SELECT 'x' || n, false, 'X', '', md5(n::text) || ' eglise', '', '', '', '', 0, "
            "st_setsrid(st_makepoint(0, 45), 4326) FROM generate_series(1, 20000) n"
        )
    )
    with pytest.raises(DatabaseUnavailable, match="too long"):
        addresses.search(filled, "eglise", 5)


def test_streets_are_searched_through_the_index(filled):
    filled.execute(text("SET LOCAL enable_seqscan = off"))
    told = filled.execute(text("EXPLAIN SELECT 1 FROM address_street WHERE words % 'eglise'")).scalars().all()
    assert any("address_street_words_idx" in line for line in told)


def test_addresses_are_searchable_after_a_restore(fresh_engine, tmp_path):
    with fresh_engine.begin() as connection:
        territories.save(connection, TERRITORY)
        put(connection, tmp_path)
    backup.dump(fresh_engine, tmp_path / "portee.dump")
    with fresh_engine.begin() as connection:
        addresses.remove(connection)
    backup.restore(fresh_engine, tmp_path / "portee.dump")
    with fresh_engine.connect() as connection:
        assert labels(connection, "12 bis rue de l'eglise ouestville")[0].startswith("12 bis")
        assert addresses.counts(connection)["numbers"] == len(WORLD) - 1
