"""A territory written to files comes back the same; the shipped one matches its README."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import orjson
import pytest
import shapely

from geo.crs import LAMBERT_93, WGS84, reproject
from geo.errors import UnknownTerritory, UnreadableFile
from geo.settings import ROOT
from geo.territory.files import (
    Input,
    communes_file,
    context_file,
    former_file,
    provenance_file,
    read_former_communes,
    read_territory,
    sha256_of,
    write_readme,
    write_territory,
)
from geo.territory.former_communes import FormerCommune, FormerCommunes
from geo.territory.groupings import dissolve
from geo.territory.model import Provenance, TerritoryKind
from geo.territory.simplify import simplified
from geo.territory.tiling import holes_of, tiled
from tests.support.shared import SHARED, needs_shared
from tests.support.world import CONTEXT, OWN, TERRITORY

SHIPPED = ROOT / "data" / "communes"


@pytest.fixture(scope="module")
def world():
    """The world of the tests on the grid of files."""
    every = (*OWN, *CONTEXT)
    tiles, _ = tiled([c.boundary for c in every], epsg=LAMBERT_93)
    near = [
        replace(c, boundary=b, town_hall=shapely.transform(c.town_hall, lambda xy: xy.round(6)))
        for c, b in zip(every, tiles, strict=True)
    ]
    own, context = tuple(near[: len(OWN)]), tuple(near[len(OWN) :])
    return replace(
        TERRITORY,
        communes=own,
        context=context,
        groupings=dissolve(own, context),
        provenance=(Provenance("Communes", "Fictif", "2026", "aucune", retrieved=date(2026, 1, 2)),),
    )


@pytest.fixture(scope="module")
def shipped():
    return read_territory(SHIPPED, "47")


def test_a_territory_written_comes_back_the_same(world, tmp_path):
    write_territory(world, tmp_path)
    assert read_territory(tmp_path, "99") == world


def test_writing_twice_gives_the_same_bytes_whatever_the_order(world, tmp_path):
    shuffled = replace(world, communes=tuple(reversed(world.communes)))
    first = [p.read_bytes() for p in write_territory(world, tmp_path / "a")]
    assert [p.read_bytes() for p in write_territory(shuffled, tmp_path / "b")] == first


def test_an_absent_territory_is_told_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(UnknownTerritory, match="portee territory build 47"):
        read_territory(tmp_path, "47")


@pytest.mark.parametrize("damage", ["cut", "empty", "field", "absent"])
def test_a_damaged_file_is_told_so(world, tmp_path, damage):
    write_territory(world, tmp_path)
    path = communes_file(tmp_path, "99")
    whole = path.read_bytes()
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes(
            {"cut": whole[: len(whole) // 2], "empty": b"", "field": whole.replace(b'"population"', b'"p"')}[
                damage
            ]
        )
    with pytest.raises(UnreadableFile):
        read_territory(tmp_path, "99")


def test_the_register_of_former_communes_comes_back_the_same(world, tmp_path):
    pond, other = FormerCommune("99091", "Étang", "99002", 12), FormerCommune("99092", "", "99002")
    former = FormerCommunes((pond, other))
    write_territory(world, tmp_path, former=former)
    assert read_former_communes(tmp_path, "99") == former
    former_file(tmp_path, "99").unlink()
    assert read_former_communes(tmp_path, "99") == FormerCommunes()


@pytest.mark.parametrize("content", [b"", b"[{]", b'[{"code":"99091"}]', b'{"a": 1}', b"[1]"])
def test_a_damaged_register_of_former_communes_is_told_so(world, tmp_path, content):
    write_territory(world, tmp_path)
    former_file(tmp_path, "99").write_bytes(content)
    with pytest.raises(UnreadableFile, match="portee territory build 99"):
        read_former_communes(tmp_path, "99")


def test_the_shipped_register_places_the_former_communes_of_lot_et_garonne():
    former = read_former_communes(SHIPPED, "47")
    own = {entry.code: entry.commune for entry in former.entries if entry.commune.startswith("47")}
    assert own["47149"] == "47221"  # Lisse, in Réaup-Lisse
    assert len(own) == 9
    assert {e.name for e in former.entries if e.code in own} >= {"Lisse", "Gueyze", "Meylan"}


def test_the_readme_tells_inputs_and_checksums(world, tmp_path):
    paths = write_territory(
        world, tmp_path, inputs=[Input("paquet-fictif", "1.2.3", "a.json", "ab" * 32)], notes=["À savoir."]
    )
    text = write_readme(tmp_path).read_text("utf-8")
    assert f"| `communes-99.geojson` | 4 | `{sha256_of(paths[0])}` |" in text
    assert f"- `paquet-fictif` 1.2.3, `a.json`, SHA-256 `{'ab' * 32}`" in text
    assert "- À savoir." in text


def test_shipped_files_are_those_of_the_readme(tmp_path):
    text = (SHIPPED / "README.md").read_text("utf-8")
    told = dict(re.findall(r"\| `([\w.-]+)` \| \d+ \| `([0-9a-f]{64})` \|", text))
    files = [communes_file(SHIPPED, "47"), context_file(SHIPPED, "47"), former_file(SHIPPED, "47")]
    assert told == {p.name: sha256_of(p) for p in files}
    assert all(p.stat().st_size < 5_000_000 for p in files)
    provenance = orjson.loads(provenance_file(SHIPPED, "47").read_bytes())
    assert {n: f["sha256"] for n, f in provenance["files"].items()} == told
    assert all(i["sha256"] in text for i in provenance["inputs"])


def test_shipped_lot_et_garonne_is_whole(shipped):
    assert len(shipped.communes) == 319
    assert [c.code for c in shipped.communes] == sorted({c.code for c in shipped.communes})
    assert sum(c.population for c in shipped.communes) == 333_602
    assert {c.departement_code for c in shipped.context} == {"24", "32", "33", "40", "46", "82"}
    for c in shipped.communes:
        assert c.code.startswith("47")
        assert c.name
        assert c.postal_codes
        assert c.population > 0
        assert c.epci_code
        assert c.epci_name
        assert c.canton_code.startswith("47")
        assert c.arrondissement_code in {"471", "472", "473", "474"}
        assert c.boundary.is_valid
        assert shapely.dwithin(c.boundary, c.town_hall, 0.0005), c.name


def test_shipped_groupings_are_those_of_lot_et_garonne(shipped):
    counts = {k: sum(1 for _ in shipped.groupings_of(k)) for k in TerritoryKind}
    assert counts == {
        TerritoryKind.COMMUNE: 319,
        TerritoryKind.CANTON: 23,  # 20, and Agen, Marmande and Villeneuve-sur-Lot, split among several
        TerritoryKind.EPCI: 12,
        TerritoryKind.ARRONDISSEMENT: 4,
        TerritoryKind.DEPARTEMENT: 1,
    }
    for kind in TerritoryKind:
        grouped = [c for g in shipped.groupings_of(kind) for c in g.communes]
        assert sorted(grouped) == [c.code for c in shipped.communes]
    # The community of Deux Rives has its seat in Tarn-et-Garonne.
    assert [g.name for g in shipped.groupings if g.partial] == ["CC des Deux Rives"]


def test_shipped_communes_tile_with_their_neighbours_and_leave_no_sliver(shipped):
    own = [c.boundary for c in shipped.communes]
    assert shapely.coverage_is_valid([*own, *(c.boundary for c in shipped.context)])
    whole = shipped.find("47", TerritoryKind.DEPARTEMENT).boundary
    plane = reproject([whole, *own], source=WGS84, target=LAMBERT_93)
    areas = shapely.area(plane)
    assert areas[0] == pytest.approx(areas[1:].sum(), abs=1)  # square metres, of 5 383 km²
    assert areas[0] / 1e6 == pytest.approx(5_383, abs=2)
    assert len(whole.geoms) == 1
    assert holes_of(whole) == []
    for grouping in shipped.groupings:
        parts = [c.boundary for c in shipped.communes if c.code in grouping.communes]
        flat = reproject([grouping.boundary, *parts], source=WGS84, target=LAMBERT_93)
        area = shapely.area(flat)
        assert area[0] == pytest.approx(area[1:].sum(), abs=1), grouping.name
        # A sliver is thin: any hole must be as wide as a real enclave.
        for hole in holes_of(flat[0]):
            assert shapely.maximum_inscribed_circle(hole, 1).length > 50, grouping.name


def test_shipped_communes_drawn_lighter_still_share_their_edges(shipped):
    before = [c.boundary for c in shipped.communes]
    after = simplified(before, epsg=shipped.metric_crs, tolerance_m=400)
    assert shapely.coverage_is_valid(after)
    assert shapely.get_num_coordinates(after).sum() < 0.6 * shapely.get_num_coordinates(before).sum()
    assert all(a.is_valid and not a.is_empty for a in after)


@needs_shared
def test_shipped_cantons_and_arrondissements_are_those_of_insee(shipped):
    import csv

    with (SHARED / "data/territories/cog-communes-47-2026.csv").open(encoding="utf-8") as stream:
        register = {r["COM"]: r for r in csv.DictReader(stream) if r["TYPECOM"] == "COM"}
    assert {c.code: c.canton_code for c in shipped.communes} == {c: r["CAN"] for c, r in register.items()}
    assert {c.code: c.arrondissement_code for c in shipped.communes} == {
        c: r["ARR"] for c, r in register.items()
    }
    assert {c.code: c.name for c in shipped.communes} == {c: r["LIBELLE"] for c, r in register.items()}


@needs_shared
def test_shipped_populations_are_the_legal_ones(shipped):
    import csv

    with (SHARED / "data/territories/populations-legales-communes-47.csv").open(encoding="utf-8") as stream:
        legal = {r["COM"]: int(r["PMUN"]) for r in csv.DictReader(stream, delimiter=";")}
    assert {c.code: c.population for c in shipped.communes} == legal
