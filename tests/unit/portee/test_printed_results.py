"""What commands print of a result at hand, and the checks of `portee doctor` that need no database."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from shapely import MultiPolygon, box

from geo.coverage.analysis_context import AnalysisContext
from geo.funding import reports
from geo.people.indicators import COMMUNE
from geo.reach.isochrones import Isochrone
from geo.reach.modes import Mode
from geo.reach.travel import Travel
from geo.settings import Settings
from geo.store import roads as stored_roads
from geo.territory.boundaries import BoundaryReport
from geo.territory.model import TerritoryKind
from portee.commands import account, doctor, fund, indicators, isochrones, passes, print_, roads, territory
from tests.support.world import ORIGIN_X, ORIGIN_Y, TERRITORY, site, snapshot


@pytest.fixture
def printed(capsys):
    """Lines printed since the last call."""

    def lines():
        return capsys.readouterr().out.splitlines()

    return lines


# ---- doctor


@pytest.mark.parametrize(("end", "found"), [(4_096, True), (4_097, False)])
def test_a_stub_names_snap_in_its_first_4096_bytes(tmp_path, end, found):
    stub = tmp_path / "chromium"
    stub.write_bytes(b"#!".ljust(end - len(b"/snap/bin/"), b" ") + b"/snap/bin/chromium")
    assert doctor._is_snap_stub(stub) is found


def test_a_program_that_is_no_script_is_no_stub(tmp_path):
    program = tmp_path / "chromium"
    program.write_bytes(b"\x7fELF /snap/bin/")
    assert not doctor._is_snap_stub(program)


def test_a_folder_must_let_files_be_written_and_found(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "access", lambda folder, mode: asked.append((folder, mode)))
    with pytest.raises(doctor.Lacking, match="impossible d'écrire"):
        doctor._disk(Settings(home=tmp_path / "not yet" / "there"))
    assert asked == [(tmp_path, os.W_OK | os.X_OK)]


def test_a_check_that_fails_keeps_its_weight_and_tells_the_remedy():
    def lacking(_settings):
        raise doctor.Lacking("Il manque une pièce.", "Ajoutez-la.")

    for essential in (True, False):
        found = doctor.Check("pièce", "Elle sert.", lacking, essential=essential).run(Settings())
        assert found == doctor.CheckResult(
            "pièce", False, essential, "Il manque une pièce.", "Elle sert.", "Ajoutez-la."
        )


def test_a_finding_is_printed_with_the_remedy_of_what_lacks(printed):
    doctor._print_result(doctor.CheckResult("disque", True, True, "12 Go", "Il sert."))
    assert printed() == ["ok      disque     12 Go"]
    doctor._print_result(doctor.CheckResult("disque", False, True, "rien", "Il sert.", "Videz-le."))
    assert printed() == [
        "manque  disque     rien",
        "                   Pourquoi : Il sert.",
        "                   Videz-le.",
    ]


def test_without_roads_times_are_said_to_be_estimated(monkeypatch):
    monkeypatch.setattr(doctor, "_stored", lambda settings: nullcontext())
    monkeypatch.setattr(stored_roads, "current", lambda connection: None)
    said = "aucune : les temps sont estimés à vol d'oiseau (portee roads build FICHIER)"
    assert doctor._roads(Settings()) == said


# ---- isochrones


def test_a_point_is_read_as_longitude_and_latitude():
    assert isochrones._point(" 0.62 , -44.2") == (0.62, -44.2)


def test_areas_are_written_the_longest_first_in_degrees_of_five_decimals():
    context = AnalysisContext(snapshot(site("a", 5)), Travel(None, detour_factor=1.3), date(2026, 11, 2))
    areas = [
        Isochrone(minutes, MultiPolygon([box(ORIGIN_X, ORIGIN_Y, ORIGIN_X + 100 * minutes, ORIGIN_Y + 300)]))
        for minutes in (10, 20)
    ]
    written = json.loads(isochrones._geojson(context, areas, Mode.CAR, isochrones.Direction.TO))
    assert [feature["properties"]["minutes"] for feature in written["features"]] == [20, 10]
    for feature, metres in zip(written["features"], (2_000, 1_000), strict=True):
        (ring,) = feature["geometry"]["coordinates"][0]
        east = [longitude for longitude, _ in ring]
        assert max(east) - min(east) == pytest.approx(metres / 79_000, rel=0.02)
        assert all(round(degrees, 5) == degrees for point in ring for degrees in point)


# ---- territory


def test_a_territory_is_counted_by_name():
    counts = territory._counts(TERRITORY)
    assert (counts["code"], counts["name"]) == (TERRITORY.code, TERRITORY.name)
    assert (counts["communes"], counts["neighbours"]) == (len(TERRITORY.communes), len(TERRITORY.context))
    assert counts["population"] == sum(commune.population for commune in TERRITORY.communes)


def test_boundaries_taken_from_a_file_are_told(printed):
    report = BoundaryReport(
        file="limites.gpkg",
        layer="com",
        column="insee",
        crs="Lambert-93",
        matched=4,
        neighbours=2,
        elsewhere=7,
        united={},
        not_replaced=(),
        mended=("99001",),
        overlap_m2=12.0,
        gap_m2=3.0,
    )
    territory._print_loaded(TERRITORY, report)
    assert printed()[1:] == [
        "Limites du fichier limites.gpkg (couche com, colonne insee, Lambert-93) : 4 communes et 2 voisines "
        "reprises, 7 lignes d'ailleurs laissées de côté.",
        "Formes réparées : 1. Raccord : 12 m² de chevauchements et 3 m² de vides supprimés.",
        "Territoire chargé.",
    ]


# ---- indicators


def loaded(**changes):
    tally = SimpleNamespace(read=9, accepted=6, outside=2, rejected=1, unselected=0)
    indicator = SimpleNamespace(
        code="ifn",
        name="Indice",
        unit="%",
        level=COMMUNE,
        provenance=SimpleNamespace(producer="Tests", vintage="2026", licence="libre"),
        values={"99001": 3.0, "99002": 12.5},
    )
    answer = {
        "file_name": "ifn.csv",
        "column": "taux",
        "area_column": "code",
        "inhabitants_column": "",
        "carried": {},
        "indicator": indicator,
        "tally": tally,
        "missing": ("99003", "99004"),
        "findings": SimpleNamespace(first=[], count={}),
    }
    return SimpleNamespace(**{**answer, **changes})


def test_a_loaded_indicator_is_told_and_a_trial_said_to_be_one(printed):
    indicators._print_result(loaded(), TERRITORY, None)
    lines = printed()
    assert lines[0] == "ifn.csv : Indice (colonne taux, codes de la colonne code)"
    assert "Valeurs par commune." in lines
    (without,) = (line for line in lines if line.startswith("Communes sans valeur"))
    assert without.startswith("Communes sans valeur : 2 : ") and "Estbourg" in without
    assert lines[-1] == "Essai : rien n'a été enregistré."
    indicators._print_result(loaded(missing=()), TERRITORY, 12)
    assert printed()[-2:] == ["Communes sans valeur : 0", "Indicateur « ifn » enregistré."]


# ---- passes, fund, roads


def test_a_report_of_passes_says_how_many_lines_it_leaves_out(printed, monkeypatch):
    monkeypatch.setattr(passes, "_report_row", lambda row: (row.code, *[""] * 12))
    figures = SimpleNamespace(given=3, used=2, expired=1, used_cents=2_000)
    rows = [SimpleNamespace(code=f"9900{rank}", figures=figures) for rank in (1, 2, 3)]
    report: Any = SimpleNamespace(
        rows=rows, kind=TerritoryKind.COMMUNE, untold=figures, whole=figures, fictitious=False
    )
    left_out = "2 lignes sur 3 (--limit 0 pour toutes)."
    passes._print_report(report, 2, "à vol d'oiseau")
    assert left_out in printed()
    passes._print_report(report, 0, "à vol d'oiseau")
    assert not any("--limit" in line for line in printed())


@pytest.mark.parametrize(
    ("leverage", "said"),
    [(Decimal("2.345"), ["    2,35 € dans le fonds pour 1 € de partenaire"]), (None, [])],
)
def test_the_leverage_of_a_line_is_told_where_there_is_one(printed, leverage, said):
    line = SimpleNamespace(name="Total", leverage=leverage, **dict.fromkeys(reports.MEASURES, 100))
    report: Any = SimpleNamespace(fictif=False, lines=(), total=line)
    fund._print_result(report)
    first, _, *rest = printed()
    assert (first, rest) == ("Total", said)


def test_the_warnings_of_a_road_graph_are_printed(printed):
    summary = {"nodes": 3, "edges": 2, "km": 5, "modes": {}, "dropped": {}, "warnings": ["Gare à la pluie."]}
    about = {"file_name": "r.pbf", "format": "osm", "producer": "P", "vintage": "V", "licence": "L"}
    graph: Any = SimpleNamespace(summary=summary, checksum="abc", **about)
    roads._print_result(graph)
    assert printed()[-2:] == ["Gare à la pluie.", "Empreinte abc"]


# ---- account


def test_an_account_has_a_mean_where_one_is_known_or_withheld(printed):
    def figure(label, departement, *withheld):
        return SimpleNamespace(
            label=label,
            departement=departement,
            withheld=withheld,
            text=lambda name="value": f"{label}:{name}",
            day=date(2026, 11, 2),
            source="Registre",
        )

    figures = [figure("a", 3.0), figure("b", None, "departement"), figure("c", None)]
    printed_account: Any = SimpleNamespace(
        name="Ouestville",
        kind=TerritoryKind.COMMUNE,
        code="99001",
        year=2026,
        summary=("Une phrase.",),
        sections=[SimpleNamespace(title="Argent", figures=figures)],
        notes=(),
    )
    account._print_result(printed_account)
    lines = printed()
    assert lines[:3] == ["Ouestville (commune 99001), 2026", "Une phrase.", "Argent"]
    assert lines[3].split() == ["2026", "département", "2025", "date"]
    answer = [line.split()[:4] for line in lines[5:8]]
    assert [row[:2] for row in answer] == [[name, f"{name}:value"] for name in "abc"]
    assert [row[2] for row in answer] == ["a:departement", "b:departement", "c:before"]
    assert lines[8] == "Source : Registre."


# ---- print


def test_sheets_follow_the_school_holidays_of_the_zone(tmp_path):
    for zone in ("A", "C"):
        desk = print_._desk(Settings(home=tmp_path, school_zone=zone), snapshot(site("a", 5)), "fr")
        assert desk.calendar.zone == zone
