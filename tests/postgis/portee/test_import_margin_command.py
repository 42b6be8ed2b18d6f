"""`portee import` of files that reach beyond the territory, as typed, over a real PostGIS."""

from __future__ import annotations

import json

import pytest

from tests.postgis.geo.services.test_import_margin import FAR, NEAR, record
from tests.postgis.portee.test_sites_commands import portee, write  # noqa: F401
from tests.support.addresses import WORLD
from tests.support.addresses import write as write_addresses


def imported(portee, *arguments):  # noqa: F811
    result = portee("import", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    counts = json.loads(result.stdout)
    return counts["accepted"], counts["outside"], counts["new"], counts["vanished"]


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ((), (3, 0, 3, 0)),  # 50 km
        (("--margin-km", "10"), (2, 1, 2, 0)),
        (("--margin-km", "0"), (1, 2, 1, 0)),
        (("--all",), (3, 0, 3, 0)),
    ],
)
def test_the_margin_of_an_import_is_an_option(portee, write, options, counts):  # noqa: F811
    assert imported(portee, write(record("a", 5), record("b", NEAR), record("c", FAR)), *options) == counts


def test_the_margin_of_the_settings_applies_by_default_and_the_report_says_it(portee, write, monkeypatch):  # noqa: F811
    monkeypatch.setenv("PORTEE_MARGIN_KM", "10")
    path = write(record("a", 5), record("c", FAR, horaires="illisibles"))
    result = portee("import", path)
    assert "hors territoire 1" in result.stdout and "illisibles" not in result.stdout
    assert imported(portee, path, "--all") == (2, 0, 1, 0)
    assert imported(portee, path) == (1, 1, 0, 0)


def test_a_file_that_lies_outside_as_a_whole_is_no_failure(portee, write):  # noqa: F811
    assert imported(portee, write(record("c", FAR)), "--margin-km", "10") == (0, 1, 0, 0)


def test_a_margin_and_everything_exclude_each_other(portee, write):  # noqa: F811
    result = portee("import", write(record("a", 5)), "--all", "--margin-km", "10")
    assert result.exit_code == 2 and "--margin-km" in result.stderr


def test_an_import_uses_loaded_addresses(portee, write, tmp_path):  # noqa: F811
    file = write_addresses(tmp_path / "adresses-99.csv", WORLD)
    assert portee("addresses", "load", file).exit_code == 0
    placed = record("a", 5, latitude="", longitude="", adresse="12 rue de l'Église")
    result = portee("import", write(placed), "--json")
    issues = {issue["code"] for issue in json.loads(result.stdout)["issues"]}
    assert "position_adresse" in issues and "position_approximative" not in issues
