"""Query parameters at their limits: the bound itself is accepted, the next value is refused."""

from __future__ import annotations

import pytest

from api.parameters import BOX, COMMUNE_ORIGIN, Parameter, Query, choice, cut, integer, integers, number, text
from api.problems import Refused

RATIO = number("ratio", "", low=-1.5, high=2, unit="degrés", example=0)
COUNT = integer("count", "", low=1, high=50, default=10)
MINUTES = integers("minutes", "", low=5, high=60, most=3, default=(10,))
NAME = text("name", "", max_length=4)


def is_accepted(parameter: Parameter, value: str) -> bool:
    try:
        parameter.read(value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("parameter", "accepted", "refused"),
    [
        (RATIO, ["-1.5", "2", "0"], ["-1.51", "2.01", "nan", "inf", "1,5"]),
        (COUNT, ["1", "50", "007"], ["0", "51", "-1", "1.0", "²", "1" * 12]),
        (MINUTES, ["5", "60", "5,6,60"], ["4", "61", "5,6,7,8", "5,", "5,x", ""]),
        (NAME, ["abcd", ""], ["abcde"]),
        (COMMUNE_ORIGIN, ["47001", "2A004", "2B033"], ["2C001", "4700", "470011", "Agen"]),
    ],
)
def test_a_bound_is_accepted_and_the_next_value_refused(parameter, accepted, refused):
    assert [value for value in accepted if not is_accepted(parameter, value)] == []
    assert [value for value in refused if is_accepted(parameter, value)] == []


@pytest.mark.parametrize(
    "box", ["-180,-90,180,90", "0,44,1,45", "1,44,1,45", "0,45,1,45", "0.5,44.5,0.5,44.5"]
)
def test_a_box_may_be_the_world_a_line_or_a_point(box):
    assert BOX.read(box) == tuple(float(part) for part in box.split(","))


@pytest.mark.parametrize(
    "box",
    [
        "0,45,1,44",  # upside down
        "1,44,0,45",  # right to left
        "-180.1,44,0,45",
        "0,44,180.1,45",
        "0,-90.1,1,45",
        "0,44,1,90.1",
        "nan,44,1,45",
        "0,44,1,nan",
        "0,44,1",
        "0,44,1,45,46",
    ],
)
def test_a_box_that_is_none_is_refused(box):
    assert not is_accepted(BOX, box)


def test_numbers_of_a_list_are_sorted_and_counted_once():
    assert MINUTES.read("60,5,60") == (5, 60)


def test_a_value_of_a_list_is_found_whatever_its_accents_and_case():
    kind = choice("kind", "", ("Médiathèque", "Mairie"))
    assert kind.read("MEDIATHEQUE") == "Médiathèque"
    with pytest.raises(ValueError, match="vouliez-vous dire « Mairie »"):
        kind.read("mairi")


def test_a_parameter_is_given_once_unless_it_may_be_repeated():
    many = text("many", "", many=True)
    query = Query((NAME, many))
    assert query.read(b"name=a&many=b&many=c") == {"name": "a", "many": ["b", "c"]}
    with pytest.raises(Refused, match="deux fois"):
        query.read(b"name=a&name=b")


def test_a_hundred_parameters_are_read_and_one_more_refused():
    query = Query((text("many", "", many=True),))
    assert len(query.read("&".join(["many=a"] * 100).encode())["many"]) == 100
    with pytest.raises(Refused, match="illisibles"):
        query.read("&".join(["many=a"] * 101).encode())


@pytest.mark.parametrize(("length", "kept"), [(100, 100), (101, 100), (5_000, 100)])
def test_a_long_value_is_cut_to_a_hundred_characters(length, kept):
    shown = cut("x" * length)
    assert len(shown) == kept and shown.endswith("…") == (length > 100)
