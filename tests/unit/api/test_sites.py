"""Sites over HTTP: answers counted by hand in the tiny country."""

from __future__ import annotations

import csv
import io

import pytest

from api.schemas import NearbyCollection, SiteAnswer, SiteCollection
from geo.sites.export import write_csv
from tests.support.serving import serving
from tests.support.world import at, site, snapshot

WEST = site("ouest", 5, nom="Médiathèque de l'Étang", frais_a_charge=("Payant",), pass_numerique=True)
EAST = site("est", 36, code_insee="99004", services=("Parentalité et éducation avec le numérique",))
LOST = site("perdu", None, code_insee="99002", typologie=("BIB",))
ABROAD = site("voisin", 45, code_insee="96001", pass_numerique=False)
ALL = (WEST, EAST, LOST, ABROAD)


@pytest.fixture(scope="module")
def client():
    with serving(snapshot(*ALL)) as client:
        yield client


def ids(response):
    assert response.status_code == 200, response.text
    return [f["id"] for f in response.json()["features"]]


def test_all_sites_are_listed_by_identifier(client):
    response = client.get("/api/v1/sites")
    assert ids(response) == ["essai--est", "essai--ouest", "essai--perdu", "essai--voisin"]
    assert response.headers["content-type"] == "application/geo+json"
    SiteCollection.model_validate(response.json())


def test_a_site_without_a_place_has_no_geometry(client):
    found = {f["id"]: f["geometry"] for f in client.get("/api/v1/sites").json()["features"]}
    assert found["essai--perdu"] is None
    assert found["essai--ouest"]["coordinates"] == pytest.approx([at(5).x, at(5).y], abs=1e-6)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("frais_a_charge=Payant", ["ouest"]),
        ("frais_a_charge=Payant&frais_a_charge=Gratuit", ["est", "ouest", "perdu", "voisin"]),
        ("frais_a_charge=payant", ["ouest"]),
        ("services=parentalite et education avec le numerique", ["est"]),
        ("typologie=BIB", ["perdu"]),
        ("code_insee=99004&code_insee=96001", ["est", "voisin"]),
        ("pass_numerique=true", ["ouest"]),
        ("pass_numerique=false", ["voisin"]),
        ("position=inconnue", ["perdu"]),
        ("commune=estbourg", ["est"]),
        ("nom_commune=estbourg", ["est"]),
        ("nom=mediatheque", ["ouest"]),
        ("q=etang mediatheque", ["ouest", "perdu"]),
        ("q=etangs", ["ouest", "perdu"]),
        ("q=", ["est", "ouest", "perdu", "voisin"]),
        ("frais_a_charge=Payant&code_insee=99004", []),
        (f"bbox={at(30).x},{at(30, 0).y},{at(50).x},{at(50, 10).y}", ["est", "voisin"]),
    ],
)
def test_filters_select_the_matching_sites(client, query, found):
    assert ids(client.get(f"/api/v1/sites?{query}")) == [f"essai--{name}" for name in found]


def test_pages_join_up_without_gap_or_repetition(client):
    seen: list[str] = []
    pages = ["/api/v1/sites?limit=3&frais_a_charge=Gratuit&frais_a_charge=Payant"]
    for address in pages:  # grows as pages link to the next
        response = client.get(address)
        assert response.json()["total"] == 4
        links = {link["rel"]: link["href"] for link in response.json()["links"]}
        assert ("prev" in links) == bool(seen)
        seen += ids(response)
        pages += [links["next"]] if "next" in links else []
    assert (len(seen), len(pages)) == (4, 2)
    assert seen == sorted(seen)


def test_one_site_is_found_by_its_identifier_and_others_are_not(client):
    found = client.get("/api/v1/sites/essai--ouest")
    SiteAnswer.model_validate(found.json())
    assert found.json()["properties"]["nom"] == "Médiathèque de l'Étang"
    missing = client.get("/api/v1/sites/essai--personne")
    assert missing.status_code == 404
    assert "essai--personne" in missing.json()["detail"]


def test_an_identifier_with_a_slash_is_found():
    with serving(snapshot(site("a/b c", 5))) as client:
        assert client.get("/api/v1/sites/essai--a%2Fb%20c").json()["id"] == "essai--a/b c"


def test_nearest_of_a_point_counts_kilometres_and_the_detour(client):
    here = at(30)
    answer = client.get(f"/api/v1/sites/nearest?lon={here.x}&lat={here.y}&k=5")
    NearbyCollection.model_validate(answer.json())
    found = [(f["id"], f["properties"]["distance_m"]) for f in answer.json()["features"]]
    # 6, 15 and 25 km away, times 1.3; the site without a place is never found
    assert found == [("essai--est", 7_800), ("essai--voisin", 19_500), ("essai--ouest", 32_500)]
    assert {f["properties"]["method"] for f in answer.json()["features"]} == {"straight_line"}
    assert answer.json()["meta"]["method"]["label"] == "estimation à vol d'oiseau"


def test_nearest_of_a_commune_starts_at_its_town_hall(client):
    answer = client.get("/api/v1/sites/nearest?commune=99004&k=1").json()
    assert answer["origin"]["label"] == "mairie de Estbourg"
    assert answer["features"][0]["properties"]["distance_m"] == 1_300


def test_nearest_of_a_site_leaves_it_out(client):
    answer = client.get("/api/v1/sites/nearest?site=essai--est&k=2").json()
    found = [(f["id"], f["properties"]["distance_m"]) for f in answer["features"]]
    assert found == [("essai--voisin", 11_700), ("essai--ouest", 40_300)]
    client_k1 = client.get("/api/v1/sites/nearest?site=essai--est&k=1").json()
    assert [f["id"] for f in client_k1["features"]] == ["essai--voisin"]


def test_nearest_keeps_to_the_filters(client):
    query = "/api/v1/sites/nearest?commune=99001&frais_a_charge=Gratuit&nom_commune=Estbourg"
    assert ids(client.get(query)) == ["essai--est"]


def test_nearest_among_no_sites_is_an_empty_answer(client):
    assert ids(client.get("/api/v1/sites/nearest?commune=99001&nom=introuvable")) == []
    with serving(snapshot()) as empty:
        assert ids(empty.get("/api/v1/sites/nearest?commune=99001")) == []
        assert ids(empty.get("/api/v1/sites")) == []


def test_the_csv_is_the_standard_export_whatever_the_batches():
    many = [site(f"{n:04}", 5) for n in range(450)]
    whole = io.StringIO(newline="")
    write_csv(sorted(many, key=lambda s: s.id), whole)
    with serving(snapshot(*many)) as client:
        response = client.get("/api/v1/sites.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "lieux-mediation-numerique-99.csv" in response.headers["content-disposition"]
    assert response.content == whole.getvalue().encode()
    assert len(list(csv.reader(io.StringIO(response.text, newline="")))) == 451


@pytest.mark.parametrize(
    ("ending", "media_type", "start"),
    [
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("geojson", "application/geo+json", b'{"type":"FeatureCollection"'),
        ("gpkg", "application/geopackage+sqlite3", b"SQLite format 3"),
    ],
)
def test_sites_are_downloaded_as_files_with_types(client, ending, media_type, start):
    response = client.get(f"/api/v1/sites.{ending}?frais_a_charge=Payant")
    assert response.headers["content-type"] == media_type
    assert f"lieux-mediation-numerique-99.{ending}" in response.headers["content-disposition"]
    assert response.content.startswith(start)
    refused = client.get(f"/api/v1/sites.{ending}?limit=3")
    assert refused.status_code == 422


def test_the_geojson_file_keeps_to_the_filters_without_paging(client):
    features = client.get("/api/v1/sites.geojson?frais_a_charge=Payant").json()["features"]
    assert "essai--ouest" in {feature["id"] for feature in features}
    assert "essai--est" not in {feature["id"] for feature in features}


def test_the_csv_keeps_to_the_filters(client):
    text = client.get("/api/v1/sites.csv?frais_a_charge=Payant").text
    assert "essai--ouest" in text
    assert "essai--est" not in text


HOSTILE = (
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "<img src=x onerror=alert(1)>",
    'L\'"école" \\u0022',
    '=HYPERLINK("http://exemple.invalid")',
    "\u202eesrever 🙂",
    "\x00\x1f",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_plain_text_in_json(name):
    with serving(snapshot(site("h", 5, nom=name))) as client:
        for path in ("/api/v1/sites", "/api/v1/sites/nearest?commune=99001"):
            response = client.get(path)
            assert response.json()["features"][0]["properties"]["nom"] == name
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "html" not in response.headers["content-type"]
