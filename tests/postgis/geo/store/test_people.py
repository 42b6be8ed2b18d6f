"""Population and indicators in a real PostGIS: kept, replaced, read back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import func, select

from geo.people.aggregation import FigureKind
from geo.people.grid import read_people
from geo.people.indicators import read_indicator
from geo.store import indicators as stored_indicators
from geo.store import people as stored_people
from geo.store.tables import indicator_value, population, population_cell
from tests.support.world import TERRITORY
from tests.unit.geo.people.test_grid import cell


@pytest.fixture
def grid(tmp_path):
    def made(*rows, columns="GRD_ID,T,Y_GE65"):
        path = tmp_path / "grille.csv"
        path.write_text("\n".join([columns, *(",".join(map(str, row)) for row in rows)]), encoding="utf-8")
        return read_people(path, TERRITORY)

    return made


@pytest.fixture
def table(tmp_path):
    def made(code, *rows, column="v", header="iris;population;v"):
        path = tmp_path / f"{code}.csv"
        path.write_text("\n".join([header, *rows]), encoding="utf-8")
        return read_indicator(
            path,
            TERRITORY,
            code=code,
            name="Menages" if code == "menages" else f"Indice {code}",
            column=column,
            max_bytes=9_999,
        )

    return made


def current(connection):
    people = stored_people.current(connection, TERRITORY.metric_crs)
    assert people is not None and people.provenance is not None
    return people


def count(connection, table):
    return connection.scalar(select(func.count()).select_from(table))


def test_people_are_read_back_as_they_were_saved(connection, grid):
    loaded = grid((cell(4), 100, 30), (cell(9.5), 41, -9999), (cell(30), 7, 2), ("?", 1, 1))
    stored_people.save(connection, loaded)
    found = current(connection)
    assert found.commune.tolist() == loaded.people.commune.tolist()
    assert np.abs(found.xy - loaded.people.xy).max() < 1e-3
    assert found.inhabitants.tolist() == loaded.people.inhabitants.tolist()
    assert np.array_equal(found.aged_65, loaded.people.aged_65, equal_nan=True)
    assert (found.cell_m, found.label) == (1_000, loaded.people.label)
    assert replace(found.provenance, retrieved=None) == loaded.people.provenance
    stored = stored_people.described(connection)
    assert stored is not None
    assert stored.summary == loaded.summary()
    assert stored.summary["reasons"] == {"carreau_illisible": 1}
    assert stored.sha256 == loaded.sha256 and len(stored.sha256) == 64


def test_a_population_replaces_the_previous_one_until_it_is_removed(connection, grid):
    assert stored_people.current(connection, TERRITORY.metric_crs) is None
    stored_people.save(connection, grid((cell(4), 100, 30), (cell(5), 1, 1)))
    stored_people.save(connection, grid((cell(34), 7), columns="GRD_ID,T"))
    found = current(connection)
    assert found.inhabitants.tolist() == [7] and np.isnan(found.aged_65).all()
    assert (count(connection, population), count(connection, population_cell)) == (1, 1)
    assert stored_people.remove(connection) and not stored_people.remove(connection)
    assert stored_people.described(connection) is None
    assert count(connection, population_cell) == 0


def test_indicators_are_read_back_by_code_with_the_means_of_their_communes(connection, table):
    ifn = table("ifn", "990010101;1000;100", "990010102;3000;140", "990020000;5;90")
    age = table("age", "99001;4", "99004;2", header="code_insee;v")
    for loaded in (ifn, age):
        stored_indicators.save(connection, loaded)
    found = stored_indicators.read(connection)
    assert list(found) == ["age", "ifn"]
    assert found["ifn"].values == ifn.indicator.values == {"99001": 130, "99002": 90}
    assert (found["age"].level, found["age"].values) == ("commune", {"99001": 4, "99004": 2})
    described = stored_indicators.described(connection)[1]
    assert described.column == "v" and described.summary == ifn.summary()


def test_counts_are_read_back_as_the_sums_of_their_communes(connection, table):
    loaded = table("menages", "990010101;1000;100", "990010102;3000;140", column="menages",
                   header="iris;population;menages")  # fmt: skip
    stored_indicators.save(connection, loaded)
    assert loaded.kind is FigureKind.COUNT
    assert stored_indicators.read(connection)["menages"].values == loaded.indicator.values == {"99001": 240}


def test_an_indicator_replaces_the_one_of_the_same_code(connection, table):
    stored_indicators.save(connection, table("ifn", "990010101;1;100", "990020101;1;7"))
    stored_indicators.save(connection, table("ifn", "990040101;1;50"))
    assert stored_indicators.read(connection)["ifn"].values == {"99004": 50}
    assert count(connection, indicator_value) == 1
    assert stored_indicators.remove(connection, "ifn") and not stored_indicators.remove(connection, "ifn")
    assert stored_indicators.read(connection) == {} and count(connection, indicator_value) == 0
