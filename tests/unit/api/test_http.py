"""What holds on every address: one shape of failures, validators, compression, headers, freshness."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.schemas import Problem, Ready
from geo.errors import PorteeError
from tests.support.serving import HandKeeper, serving
from tests.support.world import site, snapshot

SITES = (site("a", 5), site("b", 15))


@pytest.fixture(scope="module")
def client():
    with serving(snapshot(*SITES)) as client:
        yield client


def refusal(response, status):
    """The problem of a response, held against the one shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    Problem.model_validate(problem)
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "?"))
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-language"] == "fr"
    return problem


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("sites/nearest?lon=200&lat=44", "« lon » doit être un nombre de degrés entre -180 et 180"),
        ("sites/nearest?lon=0,6&lat=44", "écrit avec un point"),
        ("sites/nearest?lon=nan&lat=44", "« lon » doit être un nombre"),
        ("sites/nearest?lon=inf&lat=44", "« lon » doit être un nombre"),
        ("sites/nearest?lon=0.6", "Il manque « lat »"),
        ("sites/nearest?lat=44", "Il manque « lon »"),
        ("sites/nearest", "Donnez un point de départ"),
        ("sites/nearest?lon=&lat=", "Donnez un point de départ"),
        ("sites/nearest?lon=0.6&lat=44&commune=99001", "un seul point de départ"),
        ("sites/nearest?site=essai--a&commune=99001", "un seul point de départ"),
        ("sites/nearest?lon=100&lat=44", "trop loin"),
        ("sites/nearest?lon=44&lat=0.6", "inversées"),
        ("sites/nearest?commune=99001&k=0", "« k » doit être un nombre entier entre 1 et 50 ; reçu : « 0 »"),
        ("sites/nearest?commune=99001&k=51", "entre 1 et 50"),
        ("sites/nearest?commune=99001&k=²", "entre 1 et 50"),
        ("sites/nearest?commune=99001&k=1&k=2", "deux fois"),
        ("sites/nearest?commune=Agen", "code INSEE"),
        ("sites?frais_a_charge=Gratis", "Gratuit · Gratuit sous condition · Payant"),
        ("sites?frais_a_charge=gratuti", "vouliez-vous dire « Gratuit »"),
        ("sites?pass_numerique=oui", "true · false"),
        ("sites?service=x", "Vouliez-vous dire « services »"),
        ("sites?zzzz=1", "Le paramètre « zzzz » n'existe pas ici."),
        ("sites?limit=1001", "entre 1 et 1000"),
        ("sites?offset=-1", "« offset » doit être"),
        ("sites?bbox=1,2,3", "quatre nombres"),
        ("sites?bbox=1,2,0,3", "quatre nombres"),
        ("sites?bbox=nan,0,1,1", "quatre nombres"),
        ("sites?q=" + "a" * 201, "200 caractères"),
        ("sites?q=%ff", "illisibles"),
        ("sites?" + "&".join(["nom=a"] * 101), "illisibles"),
        ("sites/essai--a?k=1", "n'existe pas ici"),
        ("territories?kind=region", "commune · canton · epci · arrondissement · departement"),
        ("territories/99001?kind=pays", "commune · canton"),
        ("coverage?minutes=5,abc", "séparés par des virgules"),
        ("coverage?beyond_min=0", "entre 1 et 120"),
        ("coverage?format=xml", "json · geojson · csv · xlsx · gpkg"),
        ("coverage?slot=lundredi", "Le créneau « lundredi » ne peut être lu"),
        ("coverage?decay=pas:0=1", "La décroissance"),
        ("coverage?weights=ifn:0.5", "Aucun indicateur chargé ne porte le code « ifn »"),
        ("coverage?weights=ifn", "Les poids ne peuvent être lus"),
        ("coverage?population=65", "ne dit pas l'âge des habitants"),
        ("gaps?weights=ifn:0.5", "Aucun indicateur chargé"),
        ("gaps?level=cantons", "communes · places"),
        ("gaps?format=gpkg", "json · geojson · csv"),
        ("sites/nearest?commune=99001&slot=8h", "Le créneau « 8h » ne peut être lu"),
        ("sites/nearest?commune=99001&mode=train", "car · bicycle · foot"),
        ("isochrones", "Donnez un point de départ"),
        ("isochrones?commune=99001&minutes=61", "entre 1 et 60"),
        ("isochrones?commune=99001&direction=vers", "to · from"),
        ("imports?limit=x", "« limit »"),
        ("imports/abc", "son numéro"),
    ],
)
def test_a_parameter_out_of_range_is_refused_with_a_sentence(client, path, sentence):
    problem = refusal(client.get(f"/api/v1/{path}"), 422)
    assert sentence in problem["detail"]
    assert problem["errors"][0]["detail"].startswith(problem["detail"])
    name, query = problem["errors"][0]["parameter"], path.partition("?")[2]
    assert not query or name in query or name in sentence


def test_all_wrong_parameters_are_reported_together(client):
    errors = refusal(client.get("/api/v1/sites?limit=0&zzz=1&position=ici"), 422)["errors"]
    assert [e["parameter"] for e in errors] == ["limit", "zzz", "position"]


def test_a_long_value_is_cut_before_it_is_sent_back(client):
    response = client.get("/api/v1/sites?frais_a_charge=" + "x" * 5_000)
    assert len(refusal(response, 422)["errors"][0]["value"]) == 100


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/nulle/part", "Aucune page"),
        ("/api/v1/", "Aucune page"),
        ("/api/v1/sites/", "Aucun lieu"),
        ("/static/vendor/absent.js", "Aucune page"),
        ("/static/vendor/../../pyproject.toml", "Aucune page"),
        ("/static/api/..%2f..%2fpyproject.toml", "Aucune page"),
        ("/api/v1/territories/00000", "« 00000 »"),
        ("/api/v1/territories/99001?kind=epci", "« 99001 »"),
        ("/api/v1/sites/nearest?commune=00000", "« 00000 »"),
        ("/api/v1/sites/nearest?site=inconnu", "« inconnu »"),
    ],
)
def test_what_does_not_exist_is_answered_in_the_same_shape(client, path, sentence):
    assert sentence in refusal(client.get(path), 404)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/v1/sites", "/", "/healthz", "/static/api/docs.js"])
def test_writing_is_refused(client, method, path):
    refusal(client.request(method, path), 405)


def test_a_large_body_is_refused_unread(client):
    refusal(client.post("/api/v1/sites", content=b"x" * 100_000), 413)


def test_the_unforeseen_is_logged_whole_and_answered_with_a_fixed_sentence(caplog):
    class Broken(HandKeeper):
        def current(self):
            raise RuntimeError("le mot de passe est 1234")

    with serving(Broken()) as client:
        problem = refusal(client.get("/api/v1/sites"), 500)
    assert "1234" not in str(problem)
    assert "le mot de passe est 1234" in caplog.text


def test_a_domain_error_missing_from_the_table_is_a_500(caplog):
    class Broken(HandKeeper):
        def current(self):
            raise PorteeError("imprévu")

    with serving(Broken()) as client:
        refusal(client.get("/api/v1/sites"), 500)


def test_without_a_snapshot_everything_but_life_answers_503():
    with serving(HandKeeper()) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/readyz", "/api/v1/sites", "/api/v1/coverage", "/"):
            response = client.get(path)
            refusal(response, 503)
            assert response.headers["retry-after"]


def test_imports_need_the_database(client):
    for path in ("imports", "imports/1", "imports/1/report.csv"):
        refusal(client.get(f"/api/v1/{path}"), 503)


PATHS = (
    "/api/v1/sites",
    "/api/v1/sites.csv",
    "/api/v1/sites/essai--a",
    "/api/v1/sites/nearest?commune=99001",
    "/api/v1/territories?geometry=true",
    "/api/v1/territories/99001",
    "/api/v1/coverage",
    "/api/v1/coverage?format=geojson",
    "/api/v1/gaps",
    "/api/v1/isochrones?commune=99001&minutes=5",
    "/api/v1/coverage?format=csv",
    "/api/v1/sites.xlsx",
    "/api/v1/sites.geojson",
    "/carte",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_client_with_the_current_etag_gets_304(client, path):
    first = client.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    assert "max-age=60" in first.headers["cache-control"]
    for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_new_snapshot_changes_the_validator(path):
    keeper = HandKeeper(snapshot(*SITES, version=1))
    with serving(keeper) as client:
        tag = client.get(path).headers["etag"]
        keeper.snapshot = snapshot(*SITES, version=2)
        fresh = client.get(path, headers={"If-None-Match": tag})
        assert fresh.status_code == 200
        assert fresh.headers["etag"] != tag


def test_304_comes_before_the_computation(monkeypatch):
    with serving(snapshot(*SITES)) as client:
        tag = client.get("/api/v1/coverage").headers["etag"]
        monkeypatch.setattr("geo.coverage.measure.measure", None)
        query = "/api/v1/coverage?kind=epci"
        assert client.get(query, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", (*PATHS, "/", "/healthz", "/readyz", "/docs", "/nulle/part", "/favicon.ico"))
def test_head_is_get_without_the_body(client, path):
    get, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers.get("content-type") == get.headers.get("content-type")
    assert head.headers.get("content-length") == get.headers.get("content-length")


@pytest.mark.parametrize("path", ["/api/v1/sites", "/carte"])
def test_answers_are_compressed_for_those_who_ask(client, path):
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    small = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"])
    assert small.text == plain.text
    assert "accept-encoding" in small.headers["vary"].lower()
    assert "accept-encoding" in plain.headers["vary"].lower()


def test_any_page_may_read_the_public_data_unless_origins_are_restricted(client):
    asked = {"Origin": "https://exemple.invalid"}
    assert client.get("/api/v1/sites", headers=asked).headers["access-control-allow-origin"] == "*"
    with serving(snapshot(), origins=["https://ami.invalid"]) as reserved:
        assert "access-control-allow-origin" not in reserved.get("/api/v1/sites", headers=asked).headers


def test_a_failure_too_may_be_read_by_other_pages(client):
    answer = client.get("/api/v1/sites?x=1", headers={"Origin": "https://exemple.invalid"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_each_answer_says_its_sources_and_that_the_sites_are_invented(client):
    for path in PATHS[:1] + PATHS[2:10]:
        meta = client.get(path).json()["meta"]
        assert meta["attribution"] == "Communes : Tests, 2026 (Licence Ouverte 2.0)"
        assert meta["notice"].startswith("Données de démonstration")
        assert meta["snapshot"] == {"version": 1, "taken_at": "2026-11-02T09:00:00+00:00"}
        assert meta["sites_updated"] == "2026-03-02"
        assert meta["stale"] is None


def test_real_sites_bring_no_notice():
    with serving(snapshot(site("vrai", 5, fictif=False))) as client:
        assert client.get("/api/v1/sites").json()["meta"]["notice"] is None


def test_without_the_database_the_last_snapshot_is_served_with_its_age():
    keeper = HandKeeper(snapshot(*SITES))
    with serving(keeper) as client:
        fresh = client.get("/api/v1/sites")
        assert "portee-snapshot-age" not in fresh.headers
        assert client.get("/readyz").json()["status"] == "ok"
        keeper.database_ok, keeper.age = False, timedelta(minutes=3, seconds=20)
        for path in (
            *("/api/v1/sites", "/api/v1/sites/nearest?commune=99001", "/api/v1/coverage", "/api/v1/gaps"),
            "/api/v1/isochrones?commune=99001&minutes=5",
        ):
            stale = client.get(path, headers={"If-None-Match": fresh.headers["etag"]})
            assert stale.status_code == 200
            assert stale.headers["portee-snapshot-age"] == "200"
            assert stale.headers["cache-control"] == "public, no-cache"
            assert stale.json()["meta"]["stale"]["age_s"] == 200
            assert "vieux de 3 minutes" in stale.json()["meta"]["stale"]["message"]
        ready = client.get("/api/v1/readyz")
        assert ready.status_code == 200
        Ready.model_validate(ready.json())
        assert (ready.json()["status"], ready.json()["age_s"]) == ("degraded", 200)


def test_the_keeper_lives_as_long_as_the_application():
    keeper = HandKeeper(snapshot())
    with serving(keeper):
        assert keeper.started
    assert not keeper.started


def test_pages_run_no_script_but_ours(client):
    for path in ("/", "/carte", "/docs"):
        rule = client.get(path).headers["content-security-policy"]
        scripts = next(d for d in rule.split("; ") if d.startswith("script-src "))
        assert "unsafe" not in scripts
        assert "default-src 'none'" in rule


def test_the_documentation_asks_no_other_host(client):
    page = client.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    assert client.get("/static/api/docs.js").status_code == 200
