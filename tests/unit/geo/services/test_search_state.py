"""The state of a page: read from an address, written back to one, nothing dropped in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.matching.choices import CHOICES
from geo.matching.criteria import GROUPS, Criteria
from geo.matching.ranking import WHEN
from geo.reach.modes import Mode
from geo.services.search_state import COUNT_MAX, PAGE, SearchState, clean, read
from geo.wording.language import language


def test_an_empty_address_asks_nothing():
    asked, unusable = read(b"")
    assert asked == SearchState()
    assert unusable == ()
    assert not asked.anywhere
    assert asked.address() == "/"


def test_a_whole_address_is_read_and_written_back():
    query = (
        "ou=12+rue+de+l%27%C3%89cole&lieu=ban-47001_0010&quand=samedi&besoin=demarches"
        "&prix=gratuit&mots=bus&mode=velo&n=30&lang=en"
    )
    asked, unusable = read(query.encode())
    assert unusable == ()
    assert asked.text == "12 rue de l'École"
    assert (asked.when, asked.mode, asked.count, asked.language) == ("samedi", Mode.BICYCLE, 30, "en")
    assert asked.wishes == Criteria((("besoin", "demarches"), ("prix", "gratuit")), "bus")
    assert read(asked.address()[2:].encode())[0] == asked


def test_a_position_takes_the_place_of_words_and_is_rounded_to_a_hundred_metres():
    asked, _ = read(b"pos=44.203349,0.616149&ou=ailleurs&lieu=commune-1")
    assert asked.position == (0.616, 44.203)
    assert (asked.text, asked.place) == ("", "")
    assert asked.address() == "/?pos=44.203%2C0.616"


@pytest.mark.parametrize("value", ["44.2", "a,b", "nan,0", "95,0", "44,200", "1,2,3", "inf,0"])
def test_a_position_that_is_none_is_told(value):
    asked, unusable = read(f"pos={value}".encode())
    assert asked.position is None
    assert [each.name for each in unusable] == ["pos"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (b"besoin=rien", "besoin"),
        (b"quand=jamais", "quand"),
        (b"mode=avion", "mode"),
        (b"n=beaucoup", "n"),
        ("n=²".encode(), ""),
        (b"prix=%3Cscript%3E", "prix"),
    ],
)
def test_a_value_that_means_nothing_is_told_and_not_counted(query, name):
    asked, unusable = read(query)
    assert asked == SearchState()
    assert [each.name for each in unusable] == [name]
    for code in ("fr", "en"):
        assert unusable[0].message(language(code))


def test_what_cannot_be_read_at_all_is_told():
    for query in (b"ou=%ff", b"&".join(b"a=%d" % n for n in range(200))):
        asked, unusable = read(query)
        assert asked == SearchState()
        assert len(unusable) == 1


@pytest.mark.parametrize(("given_count", "count"), [("0", 1), ("7", 7), ("99999999999", COUNT_MAX)])
def test_a_count_is_kept_within_bounds(given_count, count):
    assert read(f"n={given_count}".encode())[0].count == count


def test_text_is_one_line_and_not_endless():
    assert clean("  a\n\tb\x00c  ") == "a b c"
    assert len(clean("x" * 5_000)) == 200


def test_a_wish_or_its_whole_group_can_be_taken_away():
    asked = SearchState(
        wishes=Criteria((("besoin", "demarches"), ("besoin", "emploi"), ("prix", "gratuit")), "bus"),
        when="soir",
    )
    assert asked.without("besoin", "emploi").wishes.of("besoin") == ("demarches",)
    assert asked.without("besoin").wishes.chosen == (("prix", "gratuit"),)
    assert asked.without(WHEN).when == ""
    assert asked.without("mots").wishes.words == ""


pairs = st.sampled_from([(name, code) for name, group in GROUPS.items() for code in group.tests])


@given(
    st.text(max_size=30),
    st.sets(pairs, max_size=6),
    st.sampled_from(["", *CHOICES[WHEN].labels]),
    st.sampled_from(list(Mode)),
    st.integers(1, COUNT_MAX),
)
def test_any_state_survives_its_address(text, chosen, when, mode, count):
    asked = SearchState(
        text=clean(text),
        wishes=Criteria(tuple(sorted(chosen)), clean(text)),
        when=when,
        mode=mode,
        count=count,
    )
    assert read(asked.address().partition("?")[2].encode()) == (asked, ())


def test_a_page_of_the_usual_length_is_not_in_the_address():
    assert SearchState(count=PAGE).pairs() == ()
