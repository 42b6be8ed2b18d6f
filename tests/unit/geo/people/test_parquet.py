"""Parquet files: read as the same table in CSV would be, in parts, or refused with a reason."""

from __future__ import annotations

import csv
import random
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal

import geopandas
import numpy as np
import pytest
import shapely

from geo.crs import LAMBERT_93, WGS84
from geo.errors import InvalidCrs, OperatorError, UnreadableFile
from geo.people import parquet as parquet_files
from geo.people.grid import read_people
from geo.people.indicators import read_indicator
from geo.people.parquet import open_parquet
from geo.settings import ROOT
from geo.territory.files import read_territory
from tests.support.shared import SHARED, needs_shared
from tests.support.world import ORIGIN_X, ORIGIN_Y, TERRITORY
from tests.unit.geo.people.test_grid import cell

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = [
    (cell(4), 100, 30),
    (cell(9.5), 40, 10),
    (cell(39.25), 80, 8),
    (cell(70), 5, 1),
    (cell(12), -9999, -9999),
    (cell(13), -3, 0),
    (cell(14), None, 0),
    ("?", 1, 1),
    (cell(4), 1, 1),
]
"""Inside, astride communes, astride the border, outside, withheld, wrong, absent, no cell, given twice."""


def table(rows=ROWS, columns=("GRD_ID", "T", "Y_GE65")):
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(columns)})


def indicator(path, **options):
    return read_indicator(
        path, TERRITORY, code="ifn", name="Indice", column="Valeur", max_bytes=10_000_000, **options
    )


@pytest.fixture
def as_csv(tmp_path):
    path = tmp_path / "grille.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("GRD_ID", "T", "Y_GE65"), *ROWS])
    return read_people(path, TERRITORY)


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "snappy"},
        {"compression": "zstd"},
        {"compression": "gzip", "version": "1.0"},
        {"compression": "brotli", "data_page_version": "2.0"},
        {"compression": "lz4", "row_group_size": 2},
        {"compression": "none", "use_dictionary": False},
        {
            "use_dictionary": False,
            "column_encoding": {"GRD_ID": "DELTA_BYTE_ARRAY", "T": "DELTA_BINARY_PACKED"},
        },
    ],
)
@pytest.mark.parametrize("name", ["grille.parquet", "grille.csv", "grille"])
def test_a_grid_reads_the_same_as_in_csv(tmp_path, as_csv, options, name):
    pq.write_table(table(), tmp_path / "p" if name == "grille.csv" else tmp_path / name, **options)
    path = (tmp_path / "p").rename(tmp_path / name) if name == "grille.csv" else tmp_path / name
    loaded = read_people(path, TERRITORY)
    assert loaded.tally == as_csv.tally
    assert loaded.tally.read == len(ROWS)
    assert loaded.findings.count == as_csv.findings.count
    assert loaded.summary() == as_csv.summary()
    assert np.array_equal(loaded.people.inhabitants, as_csv.people.inhabitants)
    assert np.array_equal(loaded.people.aged_65, as_csv.people.aged_65, equal_nan=True)
    ranks = {issue.code: issue.line for issue in loaded.findings.first}
    assert (ranks["effectif_negatif"], ranks["carreau_illisible"], ranks["carreau_en_double"]) == (6, 8, 9)


def test_insee_columns_and_a_named_column_are_found(tmp_path):
    rows = [(cell(4, side=200), 10.5, 1.0, 2.0, 1), (cell(5, side=200), 4.5, 0.5, 0.0, 0)]
    columns = ("idcar_200m", "ind", "ind_65_79", "ind_80p", "i_est_200")
    pq.write_table(table(rows, columns), tmp_path / "filosofi.parquet")
    loaded = read_people(tmp_path / "filosofi.parquet", TERRITORY)
    assert (loaded.people.inhabitants.sum(), loaded.people.aged_65.sum(), loaded.estimated) == (15, 3.5, 1)
    assert loaded.people.cell_m == 200
    other = read_people(tmp_path / "filosofi.parquet", TERRITORY, column="IND_80P")
    assert other.people.inhabitants.sum() == 2


@pytest.mark.parametrize("epsg", [LAMBERT_93, WGS84])
def test_a_geoparquet_must_agree_with_its_identifiers(tmp_path, epsg):
    frame = geopandas.GeoDataFrame(
        {"GRD_ID": [cell(4), cell(5)], "T": [10, 20]},
        geometry=[
            shapely.box(ORIGIN_X + x, ORIGIN_Y + 5_000, ORIGIN_X + x + 1_000, ORIGIN_Y + 6_000)
            for x in (4_000, 5_000)
        ],
        crs=LAMBERT_93,
    )
    frame.to_crs(epsg).to_parquet(tmp_path / "g.parquet")
    assert read_people(tmp_path / "g.parquet", TERRITORY).people.inhabitants.sum() == 30
    frame.geometry = frame.geometry.translate(3_000)
    frame.to_crs(epsg).to_parquet(tmp_path / "g.parquet")
    with pytest.raises(InvalidCrs, match="dessinés"):
        read_people(tmp_path / "g.parquet", TERRITORY)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"?", b'{"primary_column":"x","columns":{}}'])
def test_geometry_metadata_that_cannot_be_read_is_left_aside(tmp_path, answer):
    pq.write_table(table().replace_schema_metadata({b"geo": answer}), tmp_path / "g.parquet")
    assert open_parquet(tmp_path / "g.parquet", max_bytes=99_999).geometry == ""


def test_an_indicator_reads_codes_and_values_of_any_type(tmp_path):
    for codes in (["99001", "99002"], [99001, 99002], [99001.0, 99002.0], [b"99001", b"99002"]):
        for values in ([1.5, 2], [Decimal("1.50"), Decimal("2.00")], ["1,5", "2"]):
            pq.write_table(pa.table({"code_insee": codes, "Valeur": values}), tmp_path / "i.parquet")
            assert indicator(tmp_path / "i.parquet").indicator.values == {"99001": 1.5, "99002": 2}


def test_a_code_that_lost_its_zero_and_iris_with_weights_are_read(tmp_path):
    communes = tuple(replace(c, code=f"01{c.code[2:]}") for c in TERRITORY.communes)
    territory = replace(TERRITORY, code="01", communes=communes)
    data = {"DCOM_IRIS": [10010101, 10010102], "pop": [1, 3], "Valeur": [100.0, 140.0], "autre": [[1], None]}
    pq.write_table(pa.table(data), tmp_path / "i.parquet")
    loaded = read_indicator(
        tmp_path / "i.parquet", territory, code="ifn", name="Indice", column="Valeur", max_bytes=99_999
    )
    assert loaded.indicator.values == {"01001": 130}


def test_missing_values_are_rejected_and_counted(tmp_path):
    data = {"code_insee": ["99001", "99002", None, "99003"], "Valeur": [1.0, None, 3.0, float("nan")]}
    pq.write_table(pa.table(data), tmp_path / "i.parquet")
    loaded = indicator(tmp_path / "i.parquet")
    assert loaded.findings.count == {"valeur_absente": 2, "code_illisible": 1}
    assert (loaded.tally.read, loaded.tally.accepted, loaded.tally.rejected) == (4, 1, 3)


def test_rows_are_read_in_parts_across_row_groups_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "_BATCH", 3)
    data = {"a": [str(i) for i in range(20)], "b": list(range(20)), "c": [None] * 20}
    pq.write_table(pa.table(data), tmp_path / "p.parquet", row_group_size=7)
    opened = open_parquet(tmp_path / "p.parquet", max_bytes=99_999)
    assert opened.rows == 20
    assert list(opened.cells({"c", "b"})) == [(i + 1, ["", str(i), ""]) for i in range(20)]
    assert [cells[0] for _, cells in opened.cells()] == data["a"]


def test_values_are_written_as_in_a_csv(tmp_path):
    data = {
        "b": [True, None],
        "f": [0.1, 3e20],
        "i": [2**53 + 1, None],
        "d": [date(2026, 1, 2), None],
        "t": ["é", ""],
        "n": [Decimal("1.20"), None],
    }
    pq.write_table(pa.table(data), tmp_path / "p.parquet")
    assert [cells for _, cells in open_parquet(tmp_path / "p.parquet", max_bytes=99_999).cells()] == [
        ["1", "0.1", str(2**53 + 1), "2026-01-02", "é", "1.20"],
        ["", "3e+20", "", "", "", ""],
    ]


def test_missing_columns_are_named_with_those_there_are(tmp_path):
    pq.write_table(table(columns=("x", "T", "Y_GE65")), tmp_path / "p.parquet")
    with pytest.raises(UnreadableFile, match=r"grd_id.*« x », « T »"):
        read_people(tmp_path / "p.parquet", TERRITORY)
    with pytest.raises(UnreadableFile, match=r"« Valeur ».*« x », « T »"):
        indicator(tmp_path / "p.parquet")
    pq.write_table(table(columns=("GRD_ID", "a", "b")), tmp_path / "p.parquet")
    with pytest.raises(UnreadableFile, match="nombre d'habitants"):
        read_people(tmp_path / "p.parquet", TERRITORY)
    with pytest.raises(UnreadableFile, match="n'a pas de colonne « c »"):
        read_people(tmp_path / "p.parquet", TERRITORY, column="c")
    pq.write_table(pa.table({"zone": ["99001"], "Valeur": [1]}), tmp_path / "p.parquet")
    with pytest.raises(UnreadableFile, match="code INSEE"):
        indicator(tmp_path / "p.parquet")


def refused(path, message):
    for read in (lambda: read_people(path, TERRITORY), lambda: indicator(path)):
        with pytest.raises(UnreadableFile, match=message):
            read()


def test_files_without_rows_or_too_many_or_too_large_are_refused(tmp_path, monkeypatch):
    pq.write_table(table([]), tmp_path / "vide.parquet")
    refused(tmp_path / "vide.parquet", "0 lignes")
    pq.write_table(table(), tmp_path / "p.parquet")
    monkeypatch.setattr(parquet_files, "MAX_ROWS", len(ROWS))
    open_parquet(tmp_path / "p.parquet", max_bytes=99_999)
    monkeypatch.setattr(parquet_files, "MAX_ROWS", len(ROWS) - 1)
    refused(tmp_path / "p.parquet", "8 lignes au plus")
    with pytest.raises(UnreadableFile, match="trop gros"):
        open_parquet(tmp_path / "p.parquet", max_bytes=100)


def test_two_columns_of_one_name_are_refused(tmp_path):
    doubled = pa.Table.from_arrays([pa.array(["a"]), pa.array([1])], names=["GRD_ID", "GRD_ID"])
    pq.write_table(doubled, tmp_path / "p.parquet")
    refused(tmp_path / "p.parquet", "GRD_ID")


def test_an_encrypted_file_is_told_so(tmp_path):
    (tmp_path / "p.parquet").write_bytes(b"PARE" + b"\0" * 40 + b"PARE")
    refused(tmp_path / "p.parquet", "chiffré")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, share):
    path = tmp_path / "p.parquet"
    pq.write_table(table(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: 4 + int(share * (len(whole) - 4))])
    refused(path, "coupé ou abîmé")


def test_a_damaged_file_is_read_or_refused_but_never_breaks(tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(table(), path, row_group_size=3)
    whole, chance = path.read_bytes(), random.Random(47)
    outcomes = set()
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 5])):
            damaged[chance.randrange(4, len(whole))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read_people(path, TERRITORY)
            outcomes.add("read")
        except (UnreadableFile, InvalidCrs):
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_without_pyarrow_the_way_to_get_it_is_told(tmp_path, monkeypatch):
    pq.write_table(table(), tmp_path / "p.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OperatorError, match="pyarrow"):
        read_people(tmp_path / "p.parquet", TERRITORY)


@needs_shared
def test_the_real_census_grid_reads_the_same_as_in_csv(tmp_path):
    path = SHARED / "data/indicators/eurostat-recensement-2021-grille-1km-47.csv"
    geopandas.pd.read_csv(path).to_parquet(tmp_path / "g.parquet")
    territory = read_territory(ROOT / "data" / "communes", "47")
    expected, loaded = read_people(path, territory), read_people(tmp_path / "g.parquet", territory)
    assert loaded.summary() == expected.summary()
    assert loaded.people.inhabitants.tolist() == expected.people.inhabitants.tolist()
