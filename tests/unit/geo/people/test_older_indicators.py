"""Indicators of an older geography: their values are carried over to the communes of today, or said lost.

In 99002, former communes: 99002 itself (100 people), 99092 (300), 99093 and 99096 (unknown). 99004 took a new
code; the two communes it was made of were 99094 (30 people) and 99095 (10).
"""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UnreadableFile
from geo.people.aggregation import Area, FigureKind, by_commune, guessed_kind
from geo.people.indicators import Carried, Weights, read_indicator
from geo.people.model import ISSUES_STORED
from geo.territory.former_communes import FormerCommune, FormerCommunes
from tests.support.world import TERRITORY

FORMER = FormerCommunes(
    (
        FormerCommune("20904", "", "99003"),
        FormerCommune("96091", "Pierre-Vieille", "96001", 5),
        FormerCommune("97092", "D'ailleurs", "99001", 5),
        FormerCommune("99002", "Vieux-Étang", "99002", 100),
        FormerCommune("99081", "Passée-Ailleurs", "96001", 5),
        FormerCommune("99092", "Étang-Bas", "99002", 300),
        FormerCommune("99093", "", "99002"),
        FormerCommune("99094", "Haut", "99004", 30),
        FormerCommune("99095", "Bas", "99004", 10),
        FormerCommune("99096", "", "99002"),
        FormerCommune("99097", "Vide", "99003", 0),
        FormerCommune("99098", "", "99003"),
    )
)


@pytest.fixture
def read(tmp_path):
    def loaded(*rows, header=("code_insee", "v"), **options):
        path = tmp_path / "ancien.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter=";").writerows([header, *rows])
        found = read_indicator(
            path,
            TERRITORY,
            former=FORMER,
            code="x",
            name="Essai",
            column="v",
            max_bytes=10_000_000,
            **options,
        )
        t = found.tally
        assert t.read == t.accepted + t.outside + t.unselected + t.rejected == len(rows)
        assert t.accepted == len(found.areas)
        assert t.rejected == sum(n for code, n in found.findings.count.items() if code != "commune_reunie")
        return found

    return loaded


OLDER = [("99001", "5"), ("99002", "8"), ("99092", "4"), ("99003", "1"), ("99094", "10"), ("99095", "2")]


def test_counts_are_summed(read):
    loaded = read(*OLDER, kind=FigureKind.COUNT)
    assert loaded.indicator.values == {"99001": 5, "99002": 12, "99003": 1, "99004": 12}
    assert loaded.carried == {
        "99002": Carried(("99002", "99092"), None),
        "99004": Carried(("99094", "99095"), None),
    }
    assert loaded.findings.count == {"commune_reunie": 3}
    assert [issue.value for issue in loaded.findings.first] == ["99092", "99094", "99095"]
    assert (loaded.tally.accepted, loaded.missing) == (6, ())


@pytest.mark.parametrize("kind", [FigureKind.RATE, FigureKind.SCORE, None])
def test_other_figures_are_averaged_by_the_last_known_population(read, kind):
    loaded = read(*OLDER, kind=kind)
    assert loaded.indicator.values == pytest.approx(
        {"99001": 5, "99002": (100 * 8 + 300 * 4) / 400, "99003": 1, "99004": (30 * 10 + 10 * 2) / 40}
    )
    assert {c: each.weights for c, each in loaded.carried.items()} == {
        "99002": Weights.REGISTER,
        "99004": Weights.REGISTER,
    }
    assert loaded.kind is (kind or FigureKind.RATE)


def test_inhabitants_of_the_file_come_first(read):
    rows = [
        (code, value, str(people)) for (code, value), people in zip(OLDER, (1, 1, 3, "?", 2, 2), strict=True)
    ]
    loaded = read(*rows, header=("CODGEO", "v", "population"))
    assert loaded.indicator.values == pytest.approx({"99001": 5, "99002": 5, "99003": 1, "99004": 6})
    assert {each.weights for each in loaded.carried.values()} == {Weights.FILE}


@pytest.mark.parametrize("people", ["", "?", "-4"])
def test_inhabitants_that_cannot_be_read_give_way_to_the_register(read, people):
    rows = [("99094", "10", "50"), ("99095", "2", people)]
    loaded = read(*rows, header=("CODGEO", "v", "population"))
    assert loaded.indicator.values == {"99004": 8}
    assert loaded.carried["99004"].weights is Weights.REGISTER


def test_one_part_without_population_has_what_the_others_leave_of_the_commune_of_today(read):
    loaded = read(("99002", "8"), ("99092", "4"), ("99093", "1"))  # 2 000 people today
    assert loaded.indicator.values == {"99002": pytest.approx((100 * 8 + 300 * 4 + 1_600 * 1) / 2_000)}
    assert loaded.carried["99002"].weights is Weights.REGISTER


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ([("99002", "8"), ("99093", "4"), ("99096", "3")], {"99002": 5}),  # two are unknown
        ([("99097", "8"), ("99098", "4")], {"99003": 6}),  # nobody lives there today
    ],
)
def test_without_populations_the_mean_is_plain_and_says_so(read, rows, value):
    loaded = read(*rows)
    assert loaded.indicator.values == value
    assert [each.weights for each in loaded.carried.values()] == [Weights.EQUAL]


@pytest.mark.parametrize(("code", "commune"), [("97092", "99001"), ("20904", "99003")])
def test_a_code_of_another_departement_counts_for_the_commune_of_today(read, code, commune):
    loaded = read((code, "7"))
    assert loaded.indicator.values == {commune: 7}
    assert loaded.carried == {commune: Carried((code,), None)}


def test_iris_of_former_communes_count_for_the_commune_of_today(read):
    header = ("code_iris", "v", "population")
    rows = [("990020000", "8", "100"), ("990920101", "4", "200"), ("990920102", "1", "100")]
    loaded = read(*rows, header=header, kind=FigureKind.RATE)
    assert loaded.indicator.values == {"99002": (800 + 800 + 100) / 400}
    assert loaded.carried["99002"].weights is Weights.FILE
    assert read(*rows, header=header, kind=FigureKind.COUNT).indicator.values == {"99002": 13}


def test_a_former_commune_gone_to_a_neighbour_is_outside(read):
    loaded = read(("99001", "1"), ("99081", "2"), ("96091", "3"), ("96001", "4"), ("98001", "5"))
    assert (loaded.tally.accepted, loaded.tally.outside) == (1, 4)


def test_codes_that_the_register_does_not_know_are_rejected_and_each_is_listed(read):
    unknown = [f"99{n}" for n in range(500, 500 + 2 * ISSUES_STORED)]
    loaded = read(("99001", "1"), *((code, "2") for code in unknown))
    assert loaded.findings.count == {"commune_inconnue": len(unknown)}
    assert [issue.value for issue in loaded.findings.first] == unknown


@pytest.mark.parametrize("value", ["", "s", "beaucoup"])
def test_a_sum_with_a_part_missing_is_no_figure(read, value):
    rows = [("99001", "1"), ("99002", value), ("99092", "4"), ("99093", "4")]
    loaded = read(*rows, kind=FigureKind.COUNT)
    assert loaded.indicator.values == {"99001": 1}
    assert loaded.findings.count["partie_manquante"] == 2
    assert "99002" in loaded.missing
    assert read(*rows, kind=FigureKind.RATE).indicator.values["99002"] == 4


def test_when_no_sum_is_whole_the_file_is_refused(read):
    with pytest.raises(UnreadableFile, match="n'est utilisable"):
        read(("99002", "s"), ("99092", "4"), kind=FigureKind.COUNT)


def test_the_summary_says_what_was_carried_and_how(read):
    summary = read(*OLDER, kind=FigureKind.RATE).summary()
    assert summary["kind"] == "rate"
    assert summary["carried"] == {
        "99002": {"codes": ["99002", "99092"], "weights": "register"},
        "99004": {"codes": ["99094", "99095"], "weights": "register"},
    }


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (("habitants", "Essai"), FigureKind.COUNT),
        (("", "Nombre de foyers éligibles par commune"), FigureKind.COUNT),
        (("", "", "P16 Pop"), FigureKind.COUNT),
        (("", "nb_locaux"), FigureKind.COUNT),
        (("%", "Nombre"), FigureKind.RATE),
        (("", "Population de plus de 75 ans (%)"), FigureKind.RATE),
        (("", "Locaux raccordés pour 100 logements"), FigureKind.RATE),
        (("", "Part des plus de 75 ans"), FigureKind.RATE),
        (("€", "Revenu médian"), FigureKind.SCORE),
        (("", "MED_19"), FigureKind.SCORE),
        (("", "Indice de fragilité de la population"), FigureKind.SCORE),
        (("", "Fragilité de la population"), None),
        (("", "Comparaison", "valeur"), None),
    ],
)
def test_words_announce_what_figures_are(texts, kind):
    assert guessed_kind(*texts) is kind


@given(st.lists(st.integers(0, 10**9), min_size=1), st.randoms())
def test_sums_of_counts_are_those_of_the_areas_in_any_order(values, random):
    areas = [Area(f"99{i:03}", random.choice(["99001", "99002"]), float(v)) for i, v in enumerate(values)]
    sums = by_commune(areas, FigureKind.COUNT)
    assert sum(sums.values()) == pytest.approx(sum(values))
