"""Speeds by mode and road class: the shipped figures, and errors of invalid files."""

from __future__ import annotations

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import OperatorError
from geo.reach.modes import Mode
from geo.reach.profiles import SHIPPED, load_profiles

PROFILES = load_profiles()
CLASSES = sorted({name for mode in Mode for name in PROFILES[mode].speed_kmh} | set(PROFILES.aliases))
SURFACES = sorted({name for mode in Mode for name in PROFILES[mode].surface_kmh} | {"", "asphalt"})

kinds = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(list(Mode)),
        "road_class": st.sampled_from(CLASSES),
        "built_up": st.booleans(),
        "tracktype": st.sampled_from(["", "grade1", "grade3", "grade5"]),
        "allowed": st.booleans(),
    }
)
limits = st.one_of(st.none(), st.integers(5, 150).map(float))


@given(kind=kinds, limit=limits, surface=st.sampled_from(SURFACES))
def test_a_speed_is_finite_and_never_above_the_limit(kind, limit, surface):
    speed = PROFILES.speed_kmh(**kind, limit_kmh=limit, surface=surface)
    assert 0 <= speed <= (130 if limit is None else limit)


@given(kind=kinds, limit=limits, surface=st.sampled_from(SURFACES))
def test_a_poor_surface_never_makes_a_road_quicker_nor_closes_it(kind, limit, surface):
    smooth = PROFILES.speed_kmh(**kind, limit_kmh=limit)
    rough = PROFILES.speed_kmh(**kind, limit_kmh=limit, surface=surface)
    assert rough <= smooth
    assert (rough > 0) == (smooth > 0)


@given(kind=kinds)
def test_a_built_up_area_never_makes_a_road_quicker(kind):
    inside = PROFILES.speed_kmh(**kind | {"built_up": True})
    assert inside <= PROFILES.speed_kmh(**kind | {"built_up": False})


@given(kind=kinds)
def test_a_tag_that_lets_a_mode_in_never_slows_it(kind):
    assert PROFILES.speed_kmh(**kind | {"allowed": True}) >= PROFILES.speed_kmh(**kind | {"allowed": False})


def test_the_default_speeds_are_those_of_france():
    assert 65 <= PROFILES.speed_kmh(Mode.CAR, "secondary", limit_kmh=80) <= 80
    assert 40 <= PROFILES.speed_kmh(Mode.CAR, "secondary", built_up=True) <= 50
    assert 100 <= PROFILES.speed_kmh(Mode.CAR, "motorway") <= 130
    assert 12 <= PROFILES.speed_kmh(Mode.BICYCLE, "residential") <= 20
    assert 4 <= PROFILES.speed_kmh(Mode.FOOT, "footway") <= 5


def test_each_mode_uses_its_own_roads():
    assert PROFILES.speed_kmh(Mode.FOOT, "motorway") == PROFILES.speed_kmh(Mode.BICYCLE, "motorway") == 0
    assert PROFILES.speed_kmh(Mode.CAR, "footway") == PROFILES.speed_kmh(Mode.CAR, "steps") == 0
    assert PROFILES.speed_kmh(Mode.CAR, "pedestrian", allowed=True) > 0
    assert PROFILES.speed_kmh(Mode.CAR, "no such class") == 0


@pytest.mark.parametrize(
    ("alias", "name"), [("A", "motorway"), ("N", "primary"), ("D", "secondary"), ("C", "unclassified")]
)
def test_french_classes_are_as_fast_as_those_they_stand_for(alias, name):
    for mode in Mode:
        assert PROFILES.speed_kmh(mode, alias) == PROFILES.speed_kmh(mode, name)
    assert PROFILES.rank(alias) == PROFILES.rank(name)


def test_a_link_ranks_as_its_road_and_the_unknown_ranks_last():
    assert PROFILES.rank("primary_link") == PROFILES.rank("primary") < PROFILES.rank("residential")
    assert PROFILES.rank("no such class") > max(PROFILES.ranks.values())


def test_every_table_of_figures_names_its_source():
    raw = tomllib.loads(SHIPPED.read_text("utf-8"))
    tables = {f"{mode.value}.{name}" for mode in Mode for name in raw[mode.value]} | {"ranks", "limits_kmh"}
    assert set(PROFILES.sources) == tables
    assert all(PROFILES.sources.values())


def test_every_source_is_used_by_some_table():
    raw = tomllib.loads(SHIPPED.read_text("utf-8"))
    assert set(raw["sources"].values()) == set(PROFILES.sources.values())


def test_every_class_with_a_speed_has_a_rank():
    for mode in Mode:
        for name in PROFILES[mode].speed_kmh:
            assert PROFILES.rank(name) < PROFILES.lowest_rank, name


def test_an_alias_leads_to_a_class_somebody_uses():
    for name in PROFILES.aliases.values():
        assert any(PROFILES.speed_kmh(mode, name) for mode in Mode), name


def test_penalties_are_seconds_not_minutes():
    for mode in Mode:
        for seconds in (*PROFILES[mode].penalty_s.values(), *PROFILES[mode].junction_s.values()):
            assert 0 <= seconds <= 30
            assert math.isfinite(seconds)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("motorway = 115", "motorway = -115", r"\[car.speed_kmh.motorway\] must be above 0, not -115"),
        ("motorway = 115", "motorway = 0", r"\[car.speed_kmh.motorway\] must be above 0"),
        ("motorway = 115", "motorway = nan", r"must be a number, not nan"),
        ("motorway = 115", 'motorway = "fast"', r"must be a number, not 'fast'"),
        ("[foot.speed_kmh]", "[foot.speeds]", r"\[foot.speed_kmh\] is missing"),
        ("[ranks]", "[rank]", r"\[ranks\] is missing"),
        ('source = "bohannon"', 'source = "hearsay"', r"\[foot.speed_kmh\] names no source .*hearsay"),
        ("[car.speed_kmh]", "[car.speed_kmh", "cannot be read"),
    ],
)
def test_an_invalid_file_is_refused_with_the_place(tmp_path, old, new, message):
    text = SHIPPED.read_text("utf-8")
    assert old in text
    path = tmp_path / "profiles.toml"
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(OperatorError, match=message):
        load_profiles(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(OperatorError, match=r"none\.toml cannot be read"):
        load_profiles(tmp_path / "none.toml")
