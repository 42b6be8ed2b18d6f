"""The API's description: frozen, complete, and true of what is answered.

After a wanted change, write it anew: `python -m tests.unit.api.test_contract`. The difference is then
seen in review.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from api.app import create_app
from api.coverage_schemas import CoverageCollection
from api.routing import PREFIX
from api.schemas import Problem
from geo.settings import ROOT, Settings
from geo.sites import standard
from geo.sites.filters import FILTERABLE
from geo.territory.files import read_territory
from tests.support.serving import HandKeeper, serving
from tests.support.world import site, snapshot

FROZEN = Path(__file__).resolve().parents[2] / "openapi.json"
GUIDE = ROOT / "docs" / "api.md"


def description():
    return create_app(Settings(), HandKeeper()).openapi()


def frozen(document):
    """The description without what a new version of Portée or of FastAPI changes by itself."""
    facts = json.loads(json.dumps(document))
    facts.pop("openapi")
    facts["info"].pop("version")
    return json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def operations():
    return [
        (path, operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
        if method == "get"
    ]


def app_routes():
    app = create_app(Settings(), HandKeeper())
    return {r.path_format: r for r in app.routes if isinstance(r, APIRoute)}


def test_the_description_is_the_one_reviewed():
    assert frozen(description()) == FROZEN.read_text("utf-8"), "run python -m tests.unit.api.test_contract"


def test_only_these_routes_change_anything():
    changing = {
        (method, path.removeprefix(PREFIX))
        for path, methods in description()["paths"].items()
        for method in methods
        if method != "get"
    }
    assert changing == {
        *(("post", f"/sites/{{site_id}}/{what}") for what in ("corrections", "close", "reopen")),
        ("post", "/corrections/{correction_id}/end"),
        ("post", "/siting"),
        ("delete", "/jobs/{job_id}"),
        ("post", "/scenarios/evaluate"),
        ("post", "/scenarios"),
        ("put", "/scenarios/{scenario_id}"),
        ("delete", "/scenarios/{scenario_id}"),
        ("put", "/partners/{code}"),
        *(("post", f"/fund/{kind}") for kind in ("contributions", "commitments", "releases", "payments")),
        ("post", "/fund/reversals"),
        ("post", "/fund/close"),
        ("post", "/passes/orders"),
        ("post", "/passes/events"),
        ("post", "/actions"),
    }


def test_every_reference_leads_somewhere():
    document = description()
    names = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))
    assert len(names) > 20
    assert set(names) <= set(document["components"]["schemas"])


@pytest.mark.parametrize(("path", "operation"), operations())
def test_each_route_documents_its_purpose_parameters_and_failures(path, operation):
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for parameter in operation.get("parameters", []):
        assert parameter["description"], parameter["name"]
    if path.endswith("healthz"):
        return
    assert {"500", "503"} <= set(operation["responses"]) or path.endswith("readyz")
    assert "422" in operation["responses"] or path.endswith("readyz")
    for status, answer in operation["responses"].items():
        if status >= "400":
            ((media, content),) = answer["content"].items()
            assert media == "application/problem+json"
            Problem.model_validate(content["example"])
            assert content["example"]["status"] == int(status)


def test_every_field_filters_the_lists_and_the_nearest():
    paths = description()["paths"]
    listed = {p["name"] for p in paths[f"{PREFIX}/sites"]["get"]["parameters"]}
    nearest = {p["name"] for p in paths[f"{PREFIX}/sites/nearest"]["get"]["parameters"]}
    assert set(FILTERABLE) <= listed
    assert set(FILTERABLE) - {"commune"} | {"nom_commune"} <= nearest & listed


def test_closed_lists_are_documented_whole():
    parameters = description()["paths"][f"{PREFIX}/sites"]["get"]["parameters"]
    facts = {p["name"]: p["schema"] for p in parameters}
    for name, values in standard.ENUMERATIONS.items():
        assert facts[name]["items"]["enum"] == list(values)


@pytest.fixture(scope="module")
def client():
    """The real territory, with the site the examples name."""
    real = read_territory(ROOT / "data" / "communes", "47")
    agen = replace(
        site("1", 5),
        id="demo--1",
        records=("demo--1@Essai",),
        jeu_de_donnees="demo",
        commune="Agen",
        code_insee="47001",
        longitude=0.6161,
        latitude=44.2033,
        services=standard.SERVICES,
    )
    with serving(replace(snapshot(agen), territory=real)) as client:
        yield client


def example_of(parameter):
    if "example" in parameter:
        return parameter["example"]
    if parameter["in"] == "path":
        return parameter["schema"]["examples"][0]
    return None


FROM_DATABASE = re.compile(
    r"/(corrections|imports|jobs|scenarios|trend|partners|fund|passes|actions|account)\b"
)
FROM_MEMORY = [(path, operation) for path, operation in operations() if not FROM_DATABASE.search(path)]


@pytest.mark.parametrize(("path", "operation"), FROM_MEMORY)
def test_the_examples_answer_as_described(client, path, operation):
    template = path
    asked = {p["name"]: example_of(p) for p in operation.get("parameters", [])}
    query = {}
    for parameter in operation.get("parameters", []):
        value = asked[parameter["name"]]
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value)
        elif value is not None:
            query[parameter["name"]] = value
    model = app_routes()[template].response_model
    response = client.get(f"{path}?{urlencode(query, doseq=True)}")
    assert response.status_code == 200, response.text
    media = response.headers["content-type"].split(";")[0]
    assert media in operation["responses"]["200"]["content"]
    if model is not None:
        TypeAdapter(model).validate_json(response.content)
    if media.endswith("json") and "features" in response.text and "territories" not in path:
        assert response.json()["features"], "the example finds nothing"


@pytest.mark.parametrize("kind", ["commune", "canton", "epci", "arrondissement", "departement"])
def test_the_real_territory_is_drawn_as_described(client, kind):
    CoverageCollection.model_validate_json(
        client.get(f"{PREFIX}/coverage?kind={kind}&format=geojson").content
    )


def test_the_guide_documents_every_route_and_no_other():
    facts = set(re.findall(r"^#+ `([A-Z]+ [^`?]+)`", GUIDE.read_text("utf-8"), re.MULTILINE))
    assert facts == {
        f"{method.upper()} {path}" for path, methods in description()["paths"].items() for method in methods
    }


def guide_examples():
    return re.findall(
        r"^curl -s '?http://127\.0\.0\.1:8047([^\s'|]+)", GUIDE.read_text("utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize("path", guide_examples())
def test_the_guide_asks_what_can_be_answered(client, path):
    expected = 503 if FROM_DATABASE.search(path) else 200
    assert client.get(path).status_code == expected


def test_the_guide_has_an_example_of_every_route():
    bare = [re.sub(r"\?.*", "", p) for p in guide_examples()]
    for path, _ in operations():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
        assert any(re.fullmatch(pattern, p) for p in bare), path


if __name__ == "__main__":
    FROZEN.write_text(frozen(description()), "utf-8")
