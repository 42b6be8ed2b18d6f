"""Exports imported again into the database they come from: nothing changes, whatever the format."""

from __future__ import annotations

import json

import pytest

from tests.postgis.geo.services.test_import_sites import record
from tests.postgis.portee.test_sites_commands import portee, write  # noqa: F401 (fixtures)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "geojson"])
def test_records_of_two_sources_with_one_identifier_stay_two(portee, write, tmp_path, ending):  # noqa: F811
    other = record("42", 5.4, source="SIAO 47", nom="Autre maison", adresse="9 rue B")
    portee("import", write(record("42", source="dora"), other, record("7", 15.0, nom="=1+1")))
    before = portee("sites", "export", "-").stdout
    assert "mediation-numerique--42--dora," in before
    assert portee("sites", "export", tmp_path / f"e.{ending}").exit_code == 0
    counts = json.loads(portee("import", tmp_path / f"e.{ending}", "--json").stdout)
    assert [counts[name] for name in ("new", "changed", "unchanged", "vanished")] == [0, 0, 3, 0]
    assert portee("sites", "export", "-").stdout == before


@pytest.mark.parametrize("ending", ["csv", "xlsx", "geojson"])
def test_a_site_of_two_records_is_exported_alike_once_imported_again(portee, write, tmp_path, ending):  # noqa: F811
    portee("import", write(record("a", telephone="", horaires="")), "--dataset", "un")
    portee("import", write(record("a", telephone="+33553000001")), "--dataset", "deux")
    portee("sites", "decide", "un--a", "deux--a", "--same")
    before = portee("sites", "export", "-").stdout
    assert len(before.splitlines()) == 2 and "+33553000001" in before
    assert portee("sites", "export", tmp_path / f"e.{ending}").exit_code == 0
    assert portee("import", tmp_path / f"e.{ending}").exit_code == 0
    assert portee("sites", "export", "-").stdout == before
