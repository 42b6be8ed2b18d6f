"""Values of records as JSON: read back equal, whatever they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sites.model import (
    LIST_FIELDS,
    VALUE_FIELDS,
    ItinerantStop,
    Position,
    SourceRecord,
    is_known,
    record_key,
)
from geo.sites.record_json import decode, encode, fingerprint, values_from_json, values_to_json
from tests.support.world import record

TRICKY = (
    *("", " ", "null", "O'Brien \"dit\" \\ «\u00a0l'ami\u00a0»", "a\tb\r\n"),
    *("\u202eمركز", "\U0001f469\u200d\U0001f33e", "\ufeff"),
)
texts = st.sampled_from(TRICKY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def as_stored(values: object) -> Any:
    return orjson.loads(orjson.dumps(values))


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("nom", 'O\'Brien "dit" \\', 'O\'Brien "dit" \\'),
        ("date_maj", date(1, 1, 1), "0001-01-01"),
        ("date_maj", date(9999, 12, 31), "9999-12-31"),
        ("date_maj", None, None),
        ("latitude", 0.1 + 0.2, 0.30000000000000004),
        ("longitude", -0.0, -0.0),
        ("latitude", 44.0, 44.0),
        ("position", Position.APPROXIMATIVE, "approximative"),
        ("courriels", ("a@exemple.fr", "b@exemple.fr"), ["a@exemple.fr", "b@exemple.fr"]),
        ("services", (), []),
        ("arrets", (ItinerantStop("Halle", "Tu", "09:00-12:00"),), [["Halle", "Tu", "09:00-12:00"]]),
        ("pass_numerique", False, False),
        ("sur_rendez_vous", None, None),
        ("fermetures", ('Aug "vacances"',), ['Aug "vacances"']),
        ("fictif", True, True),
    ],
)
def test_a_value_is_read_back_as_it_was(field, value, stored):
    assert as_stored(encode(value)) == stored
    back = decode(field, as_stored(encode(value)))
    assert back == value and type(back) is type(value)


def test_a_whole_number_is_read_back_as_a_coordinate():
    assert type(decode("latitude", 44)) is float
    assert type(values_from_json({"longitude": 0})["longitude"]) is float


def test_values_that_are_not_known_are_not_stored():
    stored = values_to_json(record("a", None, date_maj=None, adresse="", services=(), membre_reseau=False))
    assert not stored.keys() & {"latitude", "longitude", "date_maj", "adresse", "services", "pass_numerique"}
    assert stored["membre_reseau"] is False
    assert list(stored) == [name for name in VALUE_FIELDS if name in stored]


@st.composite
def any_values(draw: st.DrawFn) -> SourceRecord:
    values: dict[str, object] = {"nom": draw(texts.filter(bool)), "position": draw(st.sampled_from(Position))}
    for name in ("telephone", "horaires", "telephone_remarque", "source"):
        values[name] = draw(texts)
    for name in sorted(LIST_FIELDS):
        values[name] = draw(st.lists(texts, max_size=2).map(tuple))
    values["arrets"] = draw(st.lists(st.builds(ItinerantStop, texts, texts, texts), max_size=2).map(tuple))
    values["date_maj"] = draw(st.none() | st.dates())
    values["latitude"] = draw(st.none() | st.floats(-90, 90))
    for name in ("pass_numerique", "membre_reseau", "acces_fauteuil", "sur_rendez_vous"):
        values[name] = draw(st.sampled_from([None, True, False]))
    return replace(record("a", 5), **values)  # type: ignore[arg-type]


@given(any_values())
def test_a_record_is_read_back_equal(known):
    stored = values_to_json(known)
    assert SourceRecord(local_id=known.local_id, **values_from_json(as_stored(stored))) == known
    assert all(is_known(getattr(known, name)) for name in stored)


@given(any_values(), any_values())
def test_only_equal_values_have_one_fingerprint(one, other):
    first, second = values_to_json(one), values_to_json(other)
    assert fingerprint(dict(reversed(first.items()))) == fingerprint(first)
    assert (fingerprint(first) == fingerprint(second)) == (orjson.dumps(first) == orjson.dumps(second))


def test_records_of_different_identifiers_or_sources_have_different_keys():
    triples = [
        ("d", local_id, source) for local_id in ("a", "a@b", "a%40b", "a%2540b") for source in ("", "b")
    ]
    assert len({record_key(*each) for each in triples}) == len(triples)
    assert record_key("d", "a", "b") == "d--a@b"
