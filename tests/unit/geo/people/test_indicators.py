"""Indicators of need: tables as producers publish them, brought to communes."""

from __future__ import annotations

import csv
import math

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UnreadableFile
from geo.people.aggregation import INHABITANTS_MAX, INHABITANTS_MIN, Area, by_commune
from geo.people.indicators import read_indicator
from geo.people.tables import number
from geo.settings import ROOT
from geo.territory.files import read_territory
from tests.support.shared import SHARED, needs_shared
from tests.support.world import TERRITORY

INDICATORS = SHARED / "data" / "indicators"
TERRITORIES = SHARED / "data" / "territories"


@pytest.fixture
def write(tmp_path):
    def written(*rows, name="table.csv", separator=";", encoding="utf-8"):
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as stream:
            csv.writer(stream, delimiter=separator).writerows(rows)
        return path

    return written


def read(path, column="Valeur", territory=TERRITORY, **options):
    return read_indicator(
        path, territory, code="ifn", name="Indice", column=column, max_bytes=10_000_000, **options
    )


def adds_up(loaded):
    t = loaded.tally
    assert t.read == t.accepted + t.outside + t.unselected + t.rejected
    assert t.accepted == len(loaded.areas)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" 12,5 ", 12.5),
        ("1 234,5", 1234.5),
        ("1\u00a0234\u202f567", 1234567),
        ("-3.25", -3.25),
        ("1e3", 1000),
        ("12 3", None),
        ("1.234,5", None),
        ("1,234,567", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("1_000", None),
        ("٣", None),
        ("12 %", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_french_files_write_them(text, value):
    assert number(text) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_with_a_comma_is_read_back(value):
    assert number(str(value).replace(".", ",")) == value


def test_iris_are_brought_to_communes_weighted_by_inhabitants(write):
    loaded = read(
        write(
            ("CODE_IRIS", "Population", "Valeur"),
            ("990010101", "1 000", "100"),
            ("990010102", "3 000", "140,5"),
            ("990020000", "50", "90"),
            ("960010000", "10", "1"),
        )
    )
    assert loaded.indicator.values == pytest.approx({"99001": (100 + 3 * 140.5) / 4, "99002": 90})
    assert (loaded.indicator.level, loaded.inhabitants_column) == ("iris", "Population")
    assert (loaded.tally.accepted, loaded.tally.outside) == (3, 1)
    assert loaded.missing == ("99003", "99004")
    adds_up(loaded)


def test_without_inhabitants_iris_weigh_alike(write):
    rows = [("iris", "Valeur"), ("990010101", "100"), ("990010102", "140")]
    loaded = read(write(*rows))
    assert loaded.indicator.values == {"99001": 120}
    assert loaded.inhabitants_column == ""


def test_the_columns_of_codes_and_inhabitants_can_be_named(write):
    path = write(
        ("zone", "habitants_2020", "menages", "Valeur"),
        ("990010101", "1", "3", "100"),
        ("990010102", "9", "1", "140"),
    )
    loaded = read(path, area_column="ZONE", inhabitants_column="menages")
    assert loaded.indicator.values == {"99001": 110}
    assert (loaded.area_column, loaded.inhabitants_column) == ("zone", "menages")


inhabitants = st.just(0.0) | st.floats(INHABITANTS_MIN, INHABITANTS_MAX)
"""The domain of weights."""


@given(
    st.lists(
        st.tuples(st.sampled_from(["99001", "99002"]), st.floats(0, 1e6), st.none() | inhabitants),
        min_size=1,
        max_size=12,
    )
)
def test_a_mean_lies_between_the_values_averaged(rows):
    areas = [Area(f"{c}{i:04d}", c, v, w) for i, (c, v, w) in enumerate(rows)]
    means = by_commune(areas)
    assert means.keys() == {c for c, _, _ in rows}
    for commune, mean in means.items():
        values = [v for c, v, _ in rows if c == commune]
        assert min(values) - 1e-6 <= mean <= max(values) + 1e-6


@pytest.mark.parametrize(
    "weight", [-1.0, 5e-324, INHABITANTS_MIN / 2, INHABITANTS_MAX * 2, math.nan, math.inf]
)
def test_a_weight_outside_its_domain_is_refused(weight):
    with pytest.raises(ValueError, match="not a number of inhabitants"):
        by_commune([Area("990010101", "99001", 1.0, weight), Area("990010102", "99001", 3.0, 2.0)])


@pytest.mark.parametrize("weight", [INHABITANTS_MIN, INHABITANTS_MAX])
def test_weights_at_the_ends_of_their_domain_count(weight):
    areas = [Area("990010101", "99001", 1.0, weight), Area("990010102", "99001", 3.0, weight)]
    assert by_commune(areas) == {"99001": pytest.approx(2.0)}


def test_every_faulty_row_is_rejected_with_line_field_value_and_reason(write):
    loaded = read(
        write(
            ("code_insee", "Valeur"),
            ("99001", "12"),
            ("99002", "s"),
            ("99003", ""),
            ("99004", "beaucoup"),
            ("99001", "13"),
            ("99999", "4"),
            ("990020101", "5"),
            ("France", "6"),
            ("96001", "7"),
            ("75056", "n'importe"),
            ("99002",),
        )
    )
    assert [(i.line, i.field, i.value, i.code) for i in loaded.findings.first] == [
        (3, "Valeur", "s", "valeur_absente"),
        (4, "Valeur", "", "valeur_absente"),
        (5, "Valeur", "beaucoup", "valeur_illisible"),
        (6, "code_insee", "99001", "territoire_en_double"),
        (7, "code_insee", "99999", "commune_inconnue"),
        (8, "code_insee", "990020101", "autre_niveau"),
        (9, "code_insee", "France", "code_illisible"),
        (12, "", "1", "colonnes"),
    ]
    assert all(i.reason and i.advice for i in loaded.findings.first)
    assert loaded.indicator.values == {"99001": 12}
    assert (loaded.tally.read, loaded.tally.outside, loaded.tally.rejected) == (11, 2, 8)
    adds_up(loaded)


@pytest.mark.parametrize("weight", ["", "-5", "x", "5e-324", "1e-5", "2e9"])
def test_an_iris_whose_inhabitants_cannot_be_read_is_rejected(write, weight):
    loaded = read(
        write(("iris", "population", "Valeur"), ("990010101", weight, "1"), ("990010102", "2", "3"))
    )
    assert [(i.line, i.field, i.value) for i in loaded.findings.first] == [(2, "population", weight)]
    assert loaded.indicator.values == {"99001": 3}


def test_rows_can_be_chosen_when_a_commune_has_several(write):
    path = write(
        ("Déploiement par commune",),
        (),
        ("Code commune", "Champ", "T1 2018"),
        ("99001", "Catégorie", "10"),
        ("99001", "Locaux", "4032"),
        ("99002", "Catégorie", "0"),
        ("99002", "Locaux", "7"),
        separator=",",
    )
    loaded = read(path, column="T1 2018", where={"champ": "locaux"})
    assert loaded.indicator.values == {"99001": 4032, "99002": 7}
    assert (loaded.tally.accepted, loaded.tally.unselected, loaded.tally.rejected) == (2, 2, 0)
    adds_up(loaded)


def test_a_workbook_is_read_below_its_title_on_the_sheet_that_has_the_column(tmp_path):
    book = openpyxl.Workbook()
    book.create_sheet("Lisez-moi", 0).append(["À lire"])
    sheet = book.create_sheet("Données")
    for row in (
        ["Taux de pauvreté, 2021"],
        [],
        ["CODGEO", "LIBGEO", "Taux"],
        ["99001", "Ouestville", 12.5],
        ["99004", "Estbourg", 9],
        ["99002", "Deux-Étangs"],
    ):
        sheet.append(row)
    book.save(tmp_path / "taux.xlsx")
    loaded = read(tmp_path / "taux.xlsx", column="taux")
    assert loaded.indicator.values == {"99001": 12.5, "99004": 9}
    assert loaded.column == "Taux"
    assert [(i.line, i.field, i.code) for i in loaded.findings.first] == [(6, "Taux", "valeur_absente")]


def test_notes_wider_than_the_table_are_not_its_header(write):
    path = write(
        ("Source", "Insee", "RP 2021", "géographie 2024"), ("CODGEO", "Taux"), ("99001", "5"), separator=","
    )
    assert read(path, column="Taux").indicator.values == {"99001": 5}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_usual_encoding_and_separator_is_read(write, encoding, separator):
    path = write(("INSEE_COM", "Fragilité"), ("99001", "3.5"), encoding=encoding, separator=separator)
    assert read(path, column="fragilite").indicator.values == {"99001": 3.5}


def test_a_zero_that_a_spreadsheet_has_taken_is_given_back(write):
    territory = read_territory(ROOT / "data" / "communes", "47")
    loaded = read(write(("insee", "Valeur"), ("1001", "3"), ("47001", "4")), territory=territory)
    assert (loaded.tally.outside, loaded.tally.rejected) == (1, 0)


def test_a_file_whose_codes_are_not_recognised_lists_its_columns(write):
    path = write(("zone", "Valeur"), ("99001", "1"))
    with pytest.raises(UnreadableFile, match=r"« zone », « Valeur ».*--area-column"):
        read(path)
    assert read(path, area_column="zone").indicator.values == {"99001": 1}


def test_a_column_that_is_not_there_is_told_with_those_that_are(write):
    with pytest.raises(UnreadableFile, match=r"« Taux ».*« code_insee », « Valeur ».*--column"):
        read(write(("code_insee", "Valeur"), ("99001", "1")), column="Taux")


@pytest.mark.parametrize("code", ["", "IFN", "a b", "é", "-x"])
def test_a_code_that_could_not_be_typed_is_refused(write, code):
    path = write(("code_insee", "Valeur"), ("99001", "1"))
    with pytest.raises(UnreadableFile, match="minuscules"):
        read_indicator(path, TERRITORY, code=code, name="x", column="Valeur", max_bytes=1_000)


def test_a_file_that_tells_nothing_of_the_territory_is_refused(write):
    with pytest.raises(UnreadableFile, match="2 sont d'ailleurs"):
        read(write(("code_insee", "Valeur"), ("96001", "1"), ("75056", "2")))
    with pytest.raises(UnreadableFile, match="Ligne 2, Valeur « x »"):
        read(write(("code_insee", "Valeur"), ("99001", "x")))
    with pytest.raises(UnreadableFile, match="Aucune des 0 lignes"):
        read(write(("code_insee", "Valeur")))


# The real files.


@pytest.fixture(scope="module")
def lot_et_garonne():
    return read_territory(ROOT / "data" / "communes", "47")


@needs_shared
@pytest.mark.parametrize(
    ("path", "column", "where", "codes", "weights", "read_rows"),
    [
        (INDICATORS / "ifn-iris-47-mednum-2020.csv", "SCORE GLOBAL", {}, "code_iris", "Population", 359),
        (
            INDICATORS / "iris-47-fragilite-numerique-et-recensement-2016.csv",
            "SCORE GLOBAL region 1",
            {},
            "Code Iris",
            "P16 Pop",
            359,
        ),
        (
            INDICATORS / "arcep-ftth-communes-47-2018.csv",
            "T1 2018",
            {"Champ": "Locaux Raccordables"},
            "Code commune",
            "",
            638,
        ),
        (TERRITORIES / "comparateur-communes-47-2024.csv", "menages_2021", {}, "insee_com", "", 319),
        (TERRITORIES / "populations-legales-communes-47.csv", "PMUN", {}, "COM", "", 319),
    ],
)
def test_real_files_tell_every_commune(lot_et_garonne, path, column, where, codes, weights, read_rows):
    loaded = read(path, column, lot_et_garonne, where=where)
    assert (loaded.area_column, loaded.inhabitants_column) == (codes, weights)
    assert (loaded.tally.read, loaded.tally.rejected, loaded.tally.outside) == (read_rows, 0, 0)
    assert loaded.indicator.values.keys() == lot_et_garonne.own_codes and loaded.missing == ()
    adds_up(loaded)


@needs_shared
def test_two_editions_of_the_index_agree(lot_et_garonne):
    rounded = read(INDICATORS / "ifn-iris-47-mednum-2020.csv", "SCORE GLOBAL", lot_et_garonne)
    exact = read(
        INDICATORS / "iris-47-fragilite-numerique-et-recensement-2016.csv",
        "SCORE GLOBAL region 1",
        lot_et_garonne,
    )
    gaps = [abs(rounded.indicator.values[c] - v) for c, v in exact.indicator.values.items()]
    assert max(gaps) <= 1


@needs_shared
def test_communes_that_are_no_more_are_rejected(lot_et_garonne):
    loaded = read(TERRITORIES / "cog-communes-47-2026.csv", "ARR", lot_et_garonne)
    assert (loaded.tally.read, loaded.tally.accepted) == (324, 319)
    assert loaded.findings.count == {"commune_inconnue": 5}
