"""Population grids: read, cut along communes, counted by hand in a country of squares."""

from __future__ import annotations

import csv
import time

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo.crs import LAMBERT_93, WGS84, reproject
from geo.errors import InvalidCrs, UnreadableFile
from geo.people.areal_weighting import split_cells
from geo.people.grid import read_people
from geo.people.town_halls import people_at_town_halls, with_empty
from geo.settings import ROOT
from geo.sites.model import Severity
from geo.territory.files import read_territory
from tests.support.shared import SHARED, needs_shared
from tests.support.world import ORIGIN_X, ORIGIN_Y, OWN, SIDE, TERRITORY

LAEA = 3035
INDICATORS = SHARED / "data" / "indicators"


def cell(x_km, y_km=5.0, side=1_000):
    """Identifier of a cell whose lower left corner lies so far east and north of the country's."""
    return f"CRS2154RES{side}mN{ORIGIN_Y + y_km * 1_000:.0f}E{ORIGIN_X + x_km * 1_000:.0f}"


def laea_corner(x_km, y_km, side):
    """Corner of the LAEA cell that holds a point so far east and north of the country's corner."""
    point = Transformer.from_crs(LAMBERT_93, LAEA, always_xy=True).transform(
        ORIGIN_X + x_km * 1_000, ORIGIN_Y + y_km * 1_000
    )
    return tuple(int(c // side * side) for c in point)


@pytest.fixture
def write(tmp_path):
    def written(*rows, columns=("GRD_ID", "T", "Y_GE65"), name="grille.csv", separator=","):
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter=separator).writerows([columns, *rows])
        return path

    return written


def by_commune(people, values=None):
    values = people.inhabitants if values is None else values
    return {
        str(c): pytest.approx(float(values[people.commune == c].sum())) for c in np.unique(people.commune)
    }


def source_of(loaded):
    assert loaded.people.provenance is not None
    return loaded.people.provenance


def adds_up(loaded):
    t = loaded.tally
    assert t.read == t.accepted + t.outside + t.rejected
    assert loaded.inhabitants_read == pytest.approx(
        float(loaded.people.inhabitants.sum()) + loaded.inhabitants_beyond
    )


def test_cells_are_cut_along_communes_by_share_of_area(write):
    loaded = read_people(
        write(
            (cell(4), 100, 30),  # wholly in 99001
            (cell(9.5), 40, 10),  # half in 99001, half in 99002
            (cell(39.25), 80, 8),  # three quarters in 99004, a quarter beyond the border
            (cell(9.5, -0.5), 16, 4),  # a quarter in each of two communes, half south of both
            (cell(60), 1_000, 1),  # far outside
        ),
        TERRITORY,
    )
    people = loaded.people
    assert by_commune(people) == {"99001": 124, "99002": 24, "99004": 60}
    assert by_commune(people, people.aged_65) == {"99001": 36, "99002": 6, "99004": 6}
    assert (loaded.tally.read, loaded.tally.accepted, loaded.tally.outside) == (5, 4, 1)
    assert loaded.inhabitants_beyond == pytest.approx(28)
    assert (people.cell_m, people.label) == (1_000, "habitants comptés par carreau de 1 km")
    assert people.xy[people.inhabitants == 100] == pytest.approx(
        np.array([[ORIGIN_X + 4_500, ORIGIN_Y + 5_500]]), abs=1e-3
    )
    adds_up(loaded)


corners = st.tuples(st.floats(-1.5, 41), st.floats(-1.5, 10.5))


@settings(max_examples=60, deadline=None)
@given(where=st.lists(corners, min_size=1, max_size=8), side=st.sampled_from([0.2, 1.0, 12.0]))
def test_shares_are_those_of_overlapping_rectangles(where, side):
    lower = np.array(where)
    boxes = shapely.box(
        *(lower * 1_000 + (ORIGIN_X, ORIGIN_Y)).T, *((lower + side) * 1_000 + (ORIGIN_X, ORIGIN_Y)).T
    )
    parts = split_cells(boxes, TERRITORY)
    found = {(int(i), str(c)): s for i, c, s in zip(parts.cell, parts.commune, parts.share, strict=True)}
    for i, (x, y) in enumerate(where):
        tall = max(0.0, min(y + side, 10) - max(y, 0))
        for column, commune in enumerate(OWN):
            wide = max(0.0, min(x + side, column * 10 + 10) - max(x, column * 10))
            share = wide * tall / side**2
            assert found.get((i, commune.code), 0.0) == pytest.approx(share, abs=2e-6)
    columns = np.floor((parts.xy[:, 0] - ORIGIN_X) / SIDE).astype(int)
    assert [OWN[k].code for k in columns] == parts.commune.tolist()
    assert ((parts.share > 0) & (parts.share <= 1)).all()


def test_every_faulty_row_is_rejected_with_line_field_value_and_reason(write):
    path = write(
        (cell(1), 10, 2),
        (cell(2), -3, 1),
        (cell(3), "", 1),
        (cell(4), "beaucoup", 1),
        (cell(5), 10, -1),
        (cell(1), 99, 1),
        ("maille 7", 10, 1),
        (cell(6, side=200), 10, 1),
        ("CRS4326RES1000mN4400000E100000", 10, 1),
        (cell(7), 10),
    )
    loaded = read_people(path, TERRITORY)
    told = [(i.line, i.field, i.value, i.code) for i in loaded.findings.first]
    assert told == [
        (3, "T", "-3", "effectif_negatif"),
        (4, "T", "", "effectif_absent"),
        (5, "T", "beaucoup", "effectif_illisible"),
        (6, "Y_GE65", "-1", "effectif_negatif"),
        (7, "GRD_ID", cell(1), "carreau_en_double"),
        (8, "GRD_ID", "maille 7", "carreau_illisible"),
        (9, "GRD_ID", cell(6, side=200), "autre_grille"),
        (10, "GRD_ID", "CRS4326RES1000mN4400000E100000", "systeme_inconnu"),
        (11, "", "2", "colonnes"),
    ]
    assert all(i.severity is Severity.REJECTED and i.reason and i.advice for i in loaded.findings.first)
    assert by_commune(loaded.people) == {"99001": 10}
    assert (loaded.tally.accepted, loaded.tally.rejected) == (1, 9)
    adds_up(loaded)


@pytest.mark.parametrize("secret", ["-9999", "-8888"])
def test_a_figure_withheld_is_nobody_and_no_error(write, secret):
    loaded = read_people(write((cell(1), secret, secret), (cell(2), 10, secret), (cell(3), 5, 2)), TERRITORY)
    assert by_commune(loaded.people) == {"99001": 15}
    assert np.nansum(loaded.people.aged_65) == 2
    assert loaded.age_unknown == 10
    assert (loaded.withheld, loaded.tally.accepted, loaded.tally.rejected) == (1, 3, 0)
    assert [(i.code, i.severity) for i in loaded.findings.first] == [("effectif_secret", Severity.FLAGGED)]


def test_faults_are_all_counted_though_only_the_first_are_kept(write):
    loaded = read_people(write((cell(1), 1, 0), *[("?", 1, 0)] * 500), TERRITORY)
    assert loaded.tally.rejected == loaded.findings.count["carreau_illisible"] == 500
    assert [i.line for i in loaded.findings.first] == list(range(3, 23))


def test_the_latest_year_is_read_unless_another_is_asked(write):
    columns = ("GRD_ID", "pop_2006", "pop_2021", "pop_2011")
    path = write((cell(1), 6, 21, 11), columns=columns)
    latest, asked = read_people(path, TERRITORY), read_people(path, TERRITORY, column="POP_2006")
    assert [(p.people.inhabitants.tolist(), source_of(p).vintage) for p in (latest, asked)] == [
        ([21.0], "2021"),
        ([6.0], "2006"),
    ]
    assert np.isnan(latest.people.aged_65).all()


def test_ages_are_not_those_of_another_column(write):
    path = write((cell(1), 10, 6, 4), columns=("GRD_ID", "T", "F", "Y_GE65"))
    assert read_people(path, TERRITORY).people.aged_65.tolist() == [4.0]
    assert np.isnan(read_people(path, TERRITORY, column="F").people.aged_65).all()


def test_what_is_given_is_said_of_the_source(write):
    source = source_of(
        read_people(write((cell(1), 1, 0)), TERRITORY, vintage="2019", producer="Essai", licence="Aucune")
    )
    assert (source.vintage, source.producer, source.licence) == ("2019", "Essai", "Aucune")


# Insee's grid, as published: Lambert-93 geometries, identifiers in LAEA.

INSEE = ("idcar_200m", "idcar_1km", "i_est_200", "ind", "men", "ind_65_79", "ind_80p")


def insee_rows():
    rows = []
    for x_km, ind, old, older, estimated in (
        (3, 12.5, 2, 1.5, 0),
        (15, 8, 1, 0, 1),
        (35, 4, 4, 0, 0),
        (300, 7, 0, 0, 0),
    ):
        east, north = laea_corner(x_km, 5, 200)
        rows.append(
            (
                f"CRS3035RES200mN{north}E{east}",
                f"CRS3035RES1000mN{north // 1_000 * 1_000}E{east // 1_000 * 1_000}",
                estimated,
                ind,
                ind / 2,
                old,
                older,
            )
        )
    return rows


def geopackage(path, rows=None, *, columns=INSEE, declared=LAMBERT_93, shift=0.0):
    rows = insee_rows() if rows is None else rows
    corners = [(int(r[0].split("E")[-1]), int(r[0].split("N")[1].split("E")[0])) for r in rows]
    squares = [shapely.box(e + shift, n, e + shift + 200, n + 200) for e, n in corners]
    frame = geopandas.GeoDataFrame(
        {name: [row[k] for row in rows] for k, name in enumerate(columns)},
        geometry=list(reproject(squares, source=LAEA, target=LAMBERT_93)),
        crs=declared,
    )
    frame.to_file(path, driver="GPKG", layer="carreaux_200m_met")
    return path


def check_insee(loaded):
    assert by_commune(loaded.people) == {"99001": 12.5, "99002": 8, "99004": 4}
    assert by_commune(loaded.people, loaded.people.aged_65) == {"99001": 3.5, "99002": 1, "99004": 4}
    assert (loaded.tally.read, loaded.tally.accepted, loaded.tally.outside) == (4, 3, 1)
    assert loaded.estimated == 1
    assert (loaded.people.cell_m, loaded.people.label) == (200, "habitants comptés par carreau de 200 m")
    assert source_of(loaded).producer == "Insee, Filosofi"
    adds_up(loaded)


def test_the_grid_of_insee_is_read_from_its_geopackage(tmp_path):
    check_insee(read_people(geopackage(tmp_path / "carreaux_200m_met.gpkg"), TERRITORY))


def test_the_grid_of_insee_is_read_from_its_csv(write):
    check_insee(read_people(write(*insee_rows(), columns=INSEE, separator=";"), TERRITORY))


def test_names_of_columns_are_read_whatever_their_case(tmp_path):
    columns = ("IdINSPIRE", "Id_carr1km", "I_est_cr", "Ind", "Men", "Ind_65_79", "Ind_80p")
    check_insee(read_people(geopackage(tmp_path / "2015.gpkg", columns=columns), TERRITORY))


def test_a_negative_figure_of_a_geopackage_is_rejected_by_its_number(tmp_path):
    rows = insee_rows()
    rows[1] = (*rows[1][:3], -8.0, *rows[1][4:])
    loaded = read_people(geopackage(tmp_path / "g.gpkg", rows), TERRITORY)
    assert [(i.line, i.field, i.value, i.code) for i in loaded.findings.first] == [
        (2, "ind", "-8.0", "effectif_negatif")
    ]
    adds_up(loaded)


@pytest.mark.parametrize("crs", [LAEA, WGS84])
def test_geometries_may_be_in_any_system_rightly_declared(tmp_path, crs):
    geopandas.read_file(geopackage(tmp_path / "l93.gpkg")).to_crs(crs).to_file(tmp_path / "g.gpkg")
    check_insee(read_people(tmp_path / "g.gpkg", TERRITORY))


def test_a_cell_without_geometry_does_not_make_the_grid_misplaced(tmp_path):
    frame = geopandas.read_file(geopackage(tmp_path / "whole.gpkg"))
    frame.loc[1, "geometry"] = None
    frame.to_file(tmp_path / "g.gpkg")
    loaded = read_people(tmp_path / "g.gpkg", TERRITORY)
    assert by_commune(loaded.people) == {"99001": 12.5, "99004": 4}
    adds_up(loaded)


def test_a_geopackage_without_cells_is_refused(tmp_path):
    frame = geopandas.read_file(geopackage(tmp_path / "whole.gpkg"))
    frame.iloc[:0].to_file(tmp_path / "g.gpkg")
    with pytest.raises(UnreadableFile, match="aucun carreau"):
        read_people(tmp_path / "g.gpkg", TERRITORY)


# A grid in the wrong place is refused whole.


@pytest.mark.parametrize("declared", [LAEA, WGS84, 2975])
def test_a_geometry_whose_system_is_ill_declared_is_refused(tmp_path, declared):
    with pytest.raises(InvalidCrs, match="identifiants le disent"):
        read_people(geopackage(tmp_path / "g.gpkg", declared=declared), TERRITORY)


def test_geometries_moved_from_their_identifiers_are_refused(tmp_path):
    with pytest.raises(InvalidCrs, match="identifiants le disent"):
        read_people(geopackage(tmp_path / "g.gpkg", shift=5_000.0), TERRITORY)


def test_identifiers_that_name_another_system_lie_nowhere_near(write):
    rows = [(f"CRS3035RES1000mN{6_405_000 + k}E504000", 10, 1) for k in range(0, 3_000, 1_000)]
    with pytest.raises(InvalidCrs, match=r"Aucun carreau .* ne touche le territoire") as refusal:
        read_people(write(*rows), TERRITORY)
    assert "CRS3035RES1000mN6405000E504000" in str(refusal.value)


def test_a_grid_of_another_country_is_refused(write):
    with pytest.raises(InvalidCrs, match=r"Pays d'Essai.*longitude 6"):
        read_people(write(("CRS3035RES1000mN2900000E4080000", 10, 1)), TERRITORY)


# Files that are no grid.


def test_a_file_without_cells_is_refused_with_its_name(write):
    with pytest.raises(UnreadableFile, match=r"grille\.csv.*aucune colonne d'identifiants"):
        read_people(write(("47001", 3), columns=("code_insee", "pop")), TERRITORY)


def test_a_column_that_is_not_there_is_told_with_those_that_are(write):
    with pytest.raises(UnreadableFile, match=r"« POP ».*« GRD_ID », « T »"):
        read_people(write((cell(1), 1, 0)), TERRITORY, column="POP")
    with pytest.raises(UnreadableFile, match=r"--column.*« habitants »"):
        read_people(write((cell(1), 1), columns=("GRD_ID", "habitants")), TERRITORY)


def test_a_grid_none_of_whose_rows_is_usable_says_why(write):
    with pytest.raises(UnreadableFile, match="Ligne 2, T « x » : Ce n'est pas un nombre"):
        read_people(write((cell(1), "x", 0), (cell(2), "y", 0)), TERRITORY)


def test_an_empty_grid_is_refused(write, tmp_path):
    with pytest.raises(UnreadableFile, match="aucun carreau"):
        read_people(write(), TERRITORY)
    (tmp_path / "vide.csv").touch()
    with pytest.raises(UnreadableFile, match="vide"):
        read_people(tmp_path / "vide.csv", TERRITORY)
    with pytest.raises(UnreadableFile, match="n'existe pas"):
        read_people(tmp_path / "absent.csv", TERRITORY)


def test_a_geopackage_cut_short_is_refused(tmp_path):
    whole = geopackage(tmp_path / "entier.gpkg").read_bytes()
    for size in (16, 2_000, len(whole) // 2):
        short = tmp_path / f"coupe-{size}.gpkg"
        short.write_bytes(whole[:size])
        with pytest.raises(UnreadableFile, match="n'a pas pu être lu"):
            read_people(short, TERRITORY)


# Town halls, and communes without anyone.


def test_without_a_grid_inhabitants_stand_at_their_town_hall():
    people = people_at_town_halls(TERRITORY)
    assert dict(zip(people.commune.tolist(), people.inhabitants.tolist(), strict=True)) == {
        "99001": 1_000,
        "99002": 2_000,
        "99003": 0,
        "99004": 4_000,
    }
    assert people.xy[0] == pytest.approx((ORIGIN_X + 5_000, ORIGIN_Y + 5_000), abs=0.01)
    assert people.label == "habitants comptés à la mairie"
    assert np.isnan(people.aged_65).all() and people.cell_m == 0 and people.provenance is None


def test_a_commune_without_anyone_has_its_town_hall_and_adds_nobody(write):
    town_halls = people_at_town_halls(TERRITORY)
    grid = read_people(write((cell(4), 100, 30), (cell(34), 20, 5)), TERRITORY).people
    every = with_empty(grid, town_halls)
    assert every.commune.tolist() == ["99001", "99004", "99002", "99003"]
    assert every.inhabitants.tolist() == [100, 20, 0, 0]
    assert every.aged_65.tolist() == [30, 5, 0, 0]
    assert every.xy[2:].tolist() == town_halls.xy[1:3].tolist()
    assert with_empty(every, town_halls) is every


def test_ages_stay_untold_where_a_commune_without_anyone_is_added(write):
    grid = read_people(write((cell(4), 100), columns=("GRD_ID", "T")), TERRITORY).people
    assert np.isnan(with_empty(grid, people_at_town_halls(TERRITORY)).aged_65).all()


# The real grids.


@pytest.fixture(scope="module")
def lot_et_garonne():
    return read_territory(ROOT / "data" / "communes", "47")


@pytest.fixture(scope="module")
def census(lot_et_garonne):
    begun = time.perf_counter()
    loaded = read_people(INDICATORS / "eurostat-recensement-2021-grille-1km-47.csv", lot_et_garonne)
    assert time.perf_counter() - begun < 10
    return loaded


@needs_shared
def test_the_census_of_lot_et_garonne_is_cut_along_its_communes(census, lot_et_garonne):
    t, people = census.tally, census.people
    assert (t.read, t.accepted + t.outside, t.rejected) == (5_216, 5_216, 0)
    # The producer's own shares of area, over another drawing of the département, give 330,449.
    assert float(people.inhabitants.sum()) == pytest.approx(330_449, rel=5e-4)
    assert float(people.aged_65.sum()) == pytest.approx(87_977, rel=5e-4)
    assert set(people.commune.tolist()) == lot_et_garonne.own_codes
    assert source_of(census).vintage == "2021"
    adds_up(census)


@needs_shared
def test_every_real_place_lies_in_its_commune(census, lot_et_garonne):
    by_code = {c.code: c.boundary for c in lot_et_garonne.communes}
    boundaries = reproject(list(by_code.values()), source=WGS84, target=lot_et_garonne.metric_crs)
    metric = dict(zip(by_code, boundaries, strict=True))
    mine = np.array([metric[code] for code in census.people.commune.tolist()], dtype=object)
    assert shapely.dwithin(shapely.points(census.people.xy), mine, 1e-3).all()


@needs_shared
def test_each_real_commune_has_about_its_official_population(census, lot_et_garonne):
    people = census.people
    counted = {c: float(people.inhabitants[people.commune == c].sum()) for c in lot_et_garonne.own_codes}
    gaps = [abs(counted[c.code] - c.population) / c.population for c in lot_et_garonne.communes]
    assert np.median(gaps) < 0.1
    assert counted["47001"] == pytest.approx(32_801, rel=0.1)


@needs_shared
@pytest.mark.parametrize(("column", "inside"), [(None, 330_477), ("pop_2006", 316_461)])
def test_the_real_grid_of_several_years_gives_the_one_asked(lot_et_garonne, column, inside):
    path = INDICATORS / "eurostat-population-grille-1km-47-2006-2021.csv"
    loaded = read_people(path, lot_et_garonne, column=column)
    assert (loaded.tally.read, loaded.tally.rejected) == (5_302, 0)
    assert float(loaded.people.inhabitants.sum()) == pytest.approx(inside, rel=5e-4)
    adds_up(loaded)
