"""Every real file beside the checkout is recognised and read row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.sites import standard
from geo.sites.readers import open_source

SHARED = Path(__file__).resolve().parents[5] / "shared"
EXPECTED = {
    "data/sites/aidants-connect-47-2023-01.json": ("aidants-connect", 28),
    "data/sites/conseillers-numeriques-lieux-47-2022-12.json": ("conseillers-numeriques", 40),
    "data/sites/conseillers-numeriques-lieux-departements-voisins-2022-12.json": (
        "conseillers-numeriques",
        304,
    ),
    "data/sites/data-inclusion-lieux-47-2023-02.json": ("data-inclusion-lieux", 23),
    "data/sites/france-services-47-2020-10.geojson": ("france-services", 11),
    "data/sites/france-services-47-2022-12.csv": ("france-services", 23),
    "data/sites/france-services-47-2024-08.csv": ("france-services", 23),
    "data/sites/france-services-departements-voisins-2024-08.csv": ("france-services", 175),
    "data/schema/lieux-inclusion-numerique.exemple-fictif.json": ("data-inclusion-lieux", 7),
    "data/schema/standard-mediation-num/exemple-valide.csv": ("standard", 1),
    "data/schema/standard-mediation-num/Schema_lieux_mediation_numerique_gabarit.xlsx": ("standard-v0.1", 0),
    "data/schema/standard-mediation-num/v1-2022/Exemple-valide.csv": ("standard-v0.1", 1),
    "reference/standard-mediation-num.exemple-valide.v0.1.csv": ("standard-v0.1", 1),
    "reference/standard-mediation-num.exemple-valide.v1.csv": ("standard", 1),
}

HOURS_FACTS = {"ext_sur_rendez_vous", "ext_remarques_horaires", "ext_fermetures", "ext_arrets"}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of real files is not beside the checkout"),
]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_is_recognised_and_every_row_comes_out_once(name):
    known, count = EXPECTED[name]
    source = open_source(SHARED / name, max_bytes=100_000_000)
    rows = list(source.rows())
    assert source.format == known
    assert len(rows) == count
    assert len({row.line for row in rows}) == count
    for row in rows:
        assert row.values["id"] and row.values["nom"]
        assert set(row.values) <= {*standard.FIELDS, "ext_pass_numerique", *HOURS_FACTS}


def test_no_file_of_sites_is_left_out():
    found = {path.relative_to(SHARED).as_posix() for path in (SHARED / "data/sites").iterdir()}
    assert found <= EXPECTED.keys()


@pytest.mark.parametrize("name", [name for name in EXPECTED if "/sites/" in name or "exemple-fictif" in name])
def test_a_real_file_says_only_values_of_the_standard(name):
    for row in open_source(SHARED / name, max_bytes=100_000_000).rows():
        for field in standard.ENUMERATIONS.keys() & row.values.keys():
            found = {value for value in row.values[field].split("|") if value}
            assert found <= set(standard.ENUMERATIONS[field])


def test_hours_of_every_real_france_services_list_are_understood():
    import opening_hours

    for name in EXPECTED:
        if "france-services" in name:
            for row in open_source(SHARED / name, max_bytes=100_000_000).rows():
                if row.values["horaires"]:
                    opening_hours.OpeningHours(row.values["horaires"])
