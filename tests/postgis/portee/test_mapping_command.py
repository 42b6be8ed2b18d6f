"""`portee import --suggest-mapping`, then the import with the reviewed draft, over a real PostGIS."""

from __future__ import annotations

import json

import pytest

from tests.postgis.portee.test_sites_commands import portee  # noqa: F401 (a fixture)
from tests.support.source_files import csv_of
from tests.unit.geo.sites.readers.test_mapping_draft import ASSOCIATIONS
from tests.unit.geo.sites.test_validate import VALID


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "associations.csv"
    path.write_text(csv_of(*ASSOCIATIONS, separator=";"), encoding="utf-8")
    return path


def test_a_draft_once_written_imports_the_list(portee, table, tmp_path):  # noqa: F811
    draft = tmp_path / "associations.toml"
    result = portee("import", "--suggest-mapping", table, "-o", draft)
    assert result.exit_code == 0 and "associations.toml" in result.stdout
    counts = json.loads(portee("import", table, "--mapping", draft, "--json").stdout)
    assert [counts[name] for name in ("read", "accepted", "new")] == [2, 2, 2]
    (site, _) = json.loads(portee("sites", "list", "--json").stdout)["sites"]
    assert site["jeu_de_donnees"] == "associations"


def test_a_draft_goes_to_standard_output_and_imports_nothing(portee, table):  # noqa: F811
    result = portee("import", table, "--suggest-mapping")
    assert result.exit_code == 0 and "version = 2" in result.stdout.splitlines()
    assert json.loads(portee("sites", "list", "--json").stdout)["total"] == 0


def test_a_draft_never_replaces_a_file(portee, table, tmp_path):  # noqa: F811
    reviewed = tmp_path / "m.toml"
    reviewed.write_text("relu", encoding="utf-8")
    assert portee("import", "--suggest-mapping", table, "-o", reviewed).exit_code == 2
    assert reviewed.read_text(encoding="utf-8") == "relu"


@pytest.mark.parametrize("words", [("--suggest-mapping", "a.csv", "b.csv"), ("a.csv", "-o", "x.toml")])
def test_a_draft_is_of_one_file_and_output_is_for_drafts(portee, words):  # noqa: F811
    assert portee("import", *words).exit_code == 2


def test_a_file_that_cannot_be_read_gets_no_draft(portee, tmp_path):  # noqa: F811
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.4")
    result = portee("import", "--suggest-mapping", tmp_path / "x.pdf")
    assert result.exit_code == 1 and "PDF" in result.stderr


def test_a_list_without_pivot_is_read_on_demand(portee, tmp_path):  # noqa: F811
    path = tmp_path / "liste.csv"
    path.write_text(csv_of({name: cell for name, cell in VALID.items() if name != "pivot"}), encoding="utf-8")
    refused = portee("import", path)
    assert refused.exit_code == 1
    assert "il lui manque la colonne « pivot »" in refused.stderr and "--lenient" in refused.stderr
    counts = json.loads(portee("import", path, "--lenient", "--json").stdout)
    assert [counts[name] for name in ("read", "accepted", "new")] == [1, 1, 1]
    assert "colonnes_absentes" in {issue["code"] for issue in counts["issues"]}
