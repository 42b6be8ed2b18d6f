"""JSON and GeoJSON documents: streamed, with clear errors for what is not a list of records."""

from __future__ import annotations

import tracemalloc

import pytest

from geo.sites.readers import json_documents
from tests.unit.geo.sites.test_source_text import refusal


def test_a_long_document_streams(tmp_path):
    path = tmp_path / "long.json"
    one = '{"id": "1", "nom": "Lieu fictif", "adresse": "' + "rue Fictive " * 40 + '"}'
    path.write_text("[" + ",".join([one] * 20_000) + "]", encoding="utf-8")
    tracemalloc.start()
    count = sum(1 for _ in json_documents.content(path, "utf-8").records())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 2_500_000


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('[{"id": "1"}, {"id": ', "coupé"),
        ('[{"id": "1"}', "coupé"),
        ('[{"id": "1', "coupé"),
        ("[", "coupé"),
        ('{"features": [{"type": "Feature"', "coupé"),
        ('[{"id": 1,}]', "ligne 1"),
        ('[{"id": "1"}\n, {id: 2}]', "ligne 2"),
        ('[{"id": "1"}] et après', "valable"),
        ('[{"id": "1"} {"id": "2"}]', "valable"),
        ('[{"latitude": NaN}]', "NaN"),
        ('[{"latitude": -Infinity}]', "Infinity"),
        ("[" * 100_000, "profondément"),
        ('[{"a": ' + '{"a": ' * 100_000, "profondément"),
        ('{"message": "Not found"}', "liste de lieux"),
        ('{"type": "FeatureCollection"}', "liste de lieux"),
        ("[]", "sans lieu"),
        ("[1, 2]", "sans lieu"),
        ('[{"x": 1}]', "« x »"),
    ],
)
def test_a_document_that_is_no_list_is_refused(tmp_path, text, word):
    assert word in refusal(tmp_path, text).message


def test_an_enormous_record_is_refused(tmp_path):
    text = '[{"nom": "' + "a" * 6_000_000 + '"}]'
    assert "dépasse" in refusal(tmp_path, text).message


def test_numbers_stay_as_they_are_written_wherever_the_reading_is_cut(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text('[ 12345 , {"a": 1e999, "b": 44.20330, "c": true, "d": ["x", "y"], "e": {"f": 1}} , -7 ]')
    whole = list(json_documents.elements(path, "utf-8"))
    for size in range(1, 40):
        monkeypatch.setattr(json_documents, "CHUNK", size)
        assert list(json_documents.elements(path, "utf-8")) == whole
    records = list(json_documents.content(path, "utf-8").records())
    assert records[1].fields == {"a": "1e999", "b": "44.20330", "c": "true", "d": "x|y", "e": ""}
    assert [record.broken for record in records] == [True, False, True]
