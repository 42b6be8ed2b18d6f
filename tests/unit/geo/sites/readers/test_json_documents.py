"""JSON and GeoJSON documents: streamed, with clear errors for what is not a list of records."""

from __future__ import annotations

import tracemalloc

import pytest

from geo.sites.readers import json_documents
from tests.support.source_files import source
from tests.unit.geo.sites.test_source_text import refusal


def test_a_long_document_streams(tmp_path):
    path = tmp_path / "long.json"
    one = '{"id": "1", "nom": "Lieu fictif", "adresse": "' + "rue Fictive " * 40 + '"}'
    path.write_text("[" + ",".join([one] * 20_000) + "]", encoding="utf-8")
    tracemalloc.start()
    count = sum(1 for _ in json_documents.contents(path, "utf-8")[0].records())
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
    records = list(json_documents.contents(path, "utf-8")[0].records())
    assert records[1].fields == {"a": "1e999", "b": "44.20330", "c": "true", "d": "x|y", "e": ""}
    assert [record.broken for record in records] == [True, False, True]


PLACE = {
    "id": "a1",
    "pivot": "",
    "nom": "Médiathèque fictive",
    "commune": "Aubefeuille",
    "code_postal": "47900",
    "adresse": "8 rue de l'Essai",
    "date_maj": "2026-10-01",
}
POINT = {"type": "Point", "coordinates": [0.5, 44.1]}
LINKS = [{"rel": "self", "href": "https://exemple.fr"}]


@pytest.mark.parametrize(
    "document",
    [
        {"results": [PLACE]},
        {"total_count": 1, "results": [PLACE], "links": LINKS},
        {"links": LINKS, "facets": [1, 2], "data": [PLACE]},
        {"records": [PLACE]},
        {"lieux": [PLACE]},
        {"Établissements": [PLACE], "meta": {"total": 1}},
        {"results": LINKS, "etablissements": [PLACE]},
        {"data": {"lieux": [PLACE]}},
        {"hits": {"total": 1, "hits": [{"_id": "x", "_source": PLACE}]}},
        {"_embedded": {"lieux": [PLACE]}, "_links": {"self": {"href": "https://exemple.fr"}}},
        {"success": True, "result": {"fields": [{"id": "x"}], "records": [PLACE]}},
        {"records": [{"recordid": "x", "fields": PLACE, "geometry": POINT}]},
        {"records": [{"record": {"id": "x", "fields": PLACE}}], "total_count": 1},
        {"data": [{"type": "lieu", "id": "a1", "attributes": {k: v for k, v in PLACE.items() if k != "id"}}]},
        [{"datasetid": "d", "recordid": "x", "fields": PLACE}],
        [{"type": "Feature", "properties": PLACE, "geometry": POINT}],
        {"data": {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": PLACE}]}},
    ],
)
def test_a_list_wrapped_in_an_object_is_read(tmp_path, document):
    (row,) = source(tmp_path, document).rows()
    assert {name: row.values[name] for name in PLACE} == PLACE
    assert row.line == 1 and not row.issues


@pytest.mark.parametrize(
    "record",
    [
        {"fields": PLACE, "geometry": POINT},
        {**PLACE, "geo_point_2d": {"lon": 0.5, "lat": 44.1}},
        {"record": {"fields": PLACE | {"coordonnees": {"lat": 44.1, "lon": 0.5}}}},
    ],
)
def test_the_point_of_a_portal_record_gives_its_coordinates(tmp_path, record):
    (row,) = source(tmp_path, {"results": [record]}).rows()
    assert (row.values["longitude"], row.values["latitude"]) == ("0.5", "44.1")


def test_names_of_fields_may_vary_in_json(tmp_path):
    varied = {
        {"nom": "Nom", "code_postal": "Code Postal"}.get(name, name): cell for name, cell in PLACE.items()
    }
    opened = source(tmp_path, {"results": [varied]})
    assert [row.values["code_postal"] for row in opened.rows()] == ["47900"]
    assert [issue.code for issue in opened.issues] == ["entetes_adaptes"]


def test_two_lists_of_sites_are_both_read_and_named(tmp_path):
    opened = source(tmp_path, {"lieux": [PLACE], "itinerants": [PLACE | {"id": "b1"}, PLACE | {"id": "b2"}]})
    assert [(row.sheet, row.line, row.values["id"]) for row in opened.rows()] == [
        ("lieux", 1, "a1"),
        ("itinerants", 1, "b1"),
        ("itinerants", 2, "b2"),
    ]
    assert [issue.reason for issue in opened.issues] == ["Les listes « lieux » et « itinerants » sont lues."]


def test_services_before_their_structures_are_still_services(tmp_path):
    services = [{"id": str(n), "structure_id": "s", "thematiques": []} for n in range(300)]
    structure = {"id": "s", "source": "essai", "nom": "Structure fictive", "date_maj": "2026-01-01"}
    opened = source(tmp_path, {"services": services, "structures": [structure]})
    assert opened.format == "data-inclusion"
    assert [row.values["nom"] for row in opened.rows()] == ["Structure fictive"]


def test_a_long_wrapped_document_streams(tmp_path):
    path = tmp_path / "long.json"
    one = '{"fields": {"id": "1", "nom": "Lieu fictif", "adresse": "' + "rue Fictive " * 40 + '"}}'
    path.write_text('{"results": [' + ",".join([one] * 20_000) + "]}", encoding="utf-8")
    tracemalloc.start()
    (content,) = json_documents.contents(path, "utf-8")
    assert sum(1 for _ in content.records()) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_500_000
