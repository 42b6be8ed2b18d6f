"""Requests made up from the OpenAPI document, over a real PostGIS: no server error, no undocumented answer.

Schemathesis draws valid and broken requests for each operation, with a key and without; every answer
must have a documented status and content type, and a body that its schema accepts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from api.app import create_app
from geo.settings import Settings
from geo.store import tokens
from geo.store.database import open_engine, parse_url
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support import world
from tests.support.serving import HandKeeper

pytestmark = pytest.mark.postgis

EXAMPLES = int(os.environ.get("PORTEE_FUZZ_EXAMPLES", "15"))
"""Requests for each operation; more by hand."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def key(module_database_url: str) -> str:
    """A key that may write everything."""
    engine = open_engine(parse_url(module_database_url))
    fill(engine, world.record("a", 5), world.record("b", 15, "99002"))
    with engine.begin() as connection:
        _, secret = tokens.create(connection, "Essais", tuple(tokens.Scope), days=1)
    engine.dispose()
    return secret


OPERATIONS = [
    (path, method)
    for path, methods in create_app(Settings(), HandKeeper()).openapi()["paths"].items()
    for method in methods
]


@pytest.fixture(scope="module")
def api(module_database_url, key, tmp_path_factory) -> Iterator[schemathesis.BaseSchema]:
    app = create_app(Settings(database_url=module_database_url, home=tmp_path_factory.mktemp("home")))
    with TestClient(app):  # the application lives while its requests are made
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_documented(api, key, path, method, mode):
    requests = api[path][method.upper()].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests)
    def ask(case):
        for headers in ({}, {"Authorization": f"Bearer {key}"}):
            case.validate_response(case.call(headers=headers), checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "where nothing is asked, nothing can be wrong"
