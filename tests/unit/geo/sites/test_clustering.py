"""Groups of records that are one place, and the identifiers of their sites through any change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.sites.clustering import Assignment, KnownRecord, KnownSite, Link, assign, group

DECIDED = 1_000.0


# --- groups


def link(pair: str, weight: float = 90.0) -> Link:
    return Link(pair[0], pair[1], weight)


@pytest.mark.parametrize(
    ("links", "apart", "groups"),
    [
        ([], [], ["a", "b", "c", "d"]),
        (["ab"], [], ["ab", "c", "d"]),
        (["ab", "bc"], [], ["abc", "d"]),
        (["ab", "cd"], [], ["ab", "cd"]),
        (["ab", "cd", "bc"], [], ["abcd"]),
        (["ab"], ["ab"], ["a", "b", "c", "d"]),
        (["ab"], ["ba"], ["a", "b", "c", "d"]),
        (["ab", "bc"], ["cd"], ["abc", "d"]),
        (["az"], [], ["a", "b", "c", "d"]),  # z is not in service
        (["ab"], ["bz"], ["ab", "c", "d"]),
    ],
)
def test_linked_records_are_one_group_unless_they_are_apart(links, apart, groups):
    assert group("abcd", map(link, links), map(tuple, apart)) == [tuple(each) for each in groups]


def test_two_records_that_are_apart_are_not_joined_through_a_third():
    links = [link("ab", 95), link("bc", 90)]
    assert group("abc", links, [("a", "c")]) == [("a", "b"), ("c",)]
    assert group("abc", [link("ab", 90), link("bc", 95)], [("a", "c")]) == [("a",), ("b", "c")]


def test_two_records_that_are_apart_are_not_joined_through_a_chain():
    links = [link("ab", 99), link("de", 98), link("bc", 97), link("cd", 96)]
    assert group("abcde", links, [("a", "e")]) == [("a", "b", "c"), ("d", "e")]
    assert group("abcde", links, [("c", "d")]) == [("a", "b", "c"), ("d", "e")]
    assert group("abcde", links, [("b", "d")]) == [("a", "b", "c"), ("d", "e")]


def test_a_decision_goes_before_any_score():
    links = [link("ab", 100), Link("b", "c", DECIDED)]
    assert group("abc", links, [("a", "c")]) == [("a",), ("b", "c")]


def test_links_of_one_weight_are_followed_by_key():
    assert group("abc", [link("bc"), link("ab")], [("a", "c")]) == [("a", "b"), ("c",)]


keys = "abcdefgh"
some_pairs = st.lists(
    st.tuples(st.sampled_from(keys), st.sampled_from(keys)).filter(lambda pair: pair[0] < pair[1]),
    max_size=12,
    unique=True,
)


@given(
    data=st.data(),
    linked=some_pairs,
    weights=st.lists(st.sampled_from([80.0, 90.0, DECIDED]), min_size=12, max_size=12),
    apart=some_pairs,
)
def test_any_order_of_records_links_and_decisions_gives_the_same_groups(data, linked, weights, apart):
    links = [Link(a, b, weight) for (a, b), weight in zip(linked, weights, strict=False)]
    found = group(keys, links, apart)
    shuffled = group(
        data.draw(st.permutations(keys)),
        data.draw(st.permutations(links)),
        [pair[::-1] if data.draw(st.booleans()) else pair for pair in data.draw(st.permutations(apart))],
    )
    assert shuffled == found
    assert sorted(key for each in found for key in each) == list(keys)
    group_of = {key: index for index, each in enumerate(found) for key in each}
    assert all(group_of[a] != group_of[b] for a, b in apart)
    if not apart:
        assert all(group_of[a] == group_of[b] for a, b in linked)


# --- identifiers


@dataclass
class World:
    """Records and sites as the store holds them from one assignment to the next."""

    records: dict[str, KnownRecord] = field(default_factory=dict)
    sites: dict[str, KnownSite] = field(default_factory=dict)
    last: Assignment = field(default_factory=Assignment)

    def show(self, *groups: str) -> dict[str, str]:
        """Assign identifiers to groups of one-letter keys; return them by group."""
        wanted = [tuple(sorted(each)) for each in groups]
        for key in sorted(key for each in wanted for key in each):
            self.records.setdefault(key, KnownRecord(len(self.records), "essai", key, ""))
        current = {key: self.records[key] for each in wanted for key in each}
        self.last = assign(wanted, current, self.sites)
        for site in self.last.ids:
            rank = self.sites[site].rank if site in self.sites else len(self.sites)
            self.sites[site] = KnownSite(rank)
        for old, new in self.last.merged.items():
            self.sites[old] = KnownSite(self.sites[old].rank, merged_into=new)
        for site in self.last.retired:
            self.sites[site] = replace(self.sites[site], retired=True)
        for site, members in zip(self.last.ids, wanted, strict=True):
            for key in members:
                known = self.records[key]
                first = site if self.last.founders.get(site) == key else known.first_site or site
                self.records[key] = replace(known, site=site, first_site=first)
        return dict(zip(groups, (site.removeprefix("essai--") for site in self.last.ids), strict=True))

    def leads_to(self, name: str) -> str:
        """Follow redirects from an identifier; return the one at their end."""
        site, seen = f"essai--{name}", set()
        while into := self.sites[site].merged_into:
            assert site not in seen, "redirects in a circle"
            seen.add(site)
            site = into
        return site.removeprefix("essai--")


@pytest.fixture
def world() -> World:
    return World()


def test_each_new_site_is_named_after_its_first_record(world):
    assert world.show("a", "bc") == {"a": "a", "bc": "b"}
    assert world.show("a", "bc") == {"a": "a", "bc": "b"}, "and stays"
    assert not world.last.merged and not world.last.retired


def test_of_two_sites_that_merge_the_older_identifier_stays_and_the_other_leads_to_it(world):
    world.show("b")
    world.show("a", "b")
    assert world.show("ab") == {"ab": "b"}
    assert world.leads_to("a") == "b"


def test_a_site_that_splits_gives_the_earlier_address_back(world):
    world.show("a", "b")
    world.show("ab")
    assert world.show("a", "b") == {"a": "a", "b": "b"}
    assert world.leads_to("b") == "b"


def test_a_record_that_joined_a_site_when_it_came_gets_the_address_of_its_own_back(world):
    world.show("ab")
    assert world.show("a", "b") == {"a": "a", "b": "b"}
    world.show("ab")
    assert world.leads_to("b") == "a"
    assert world.show("a", "b") == {"a": "a", "b": "b"}


def test_three_sites_that_merge_and_split_one_after_the_other_all_get_their_address_back(world):
    world.show("a", "b", "c")
    assert world.show("abc") == {"abc": "a"}
    assert (world.leads_to("b"), world.leads_to("c")) == ("a", "a")
    assert world.show("a", "bc") == {"a": "a", "bc": "b"}
    assert world.leads_to("c") == "b"
    assert world.show("ac", "b") == {"ac": "a", "b": "b"}
    assert world.leads_to("c") == "a"
    assert world.show("a", "b", "c") == {"a": "a", "b": "b", "c": "c"}


def test_merging_a_merged_site_again_leaves_no_dead_end(world):
    world.show("c", "b", "a")
    world.show("ab", "c")
    world.show("abc")
    assert {world.leads_to(name) for name in "abc"} == {world.show("abc")["abc"]}


def test_a_site_outlives_the_record_it_was_created_for(world):
    world.show("ab")
    assert world.show("b") == {"b": "a"}, "the founder has left"
    assert world.show("bc") == {"bc": "a"}
    assert world.show("c") == {"c": "a"}, "even all records of then"


def test_without_its_founder_a_site_follows_most_of_its_records(world):
    world.show("a", "b", "c", "d")
    world.show("abcd")
    assert world.show("b", "cd") == {"b": "b", "cd": "a"}
    assert world.leads_to("c") == "a"


def test_of_equal_groups_without_the_founder_the_first_has_the_site(world):
    world.show("a", "b", "c")
    world.show("abc")
    assert world.show("c", "b") == {"b": "a", "c": "c"}


def test_a_record_that_joined_a_site_when_it_came_stands_for_its_founder(world):
    world.show("abcd")
    assert world.show("b", "cd") == {"b": "a", "cd": "c"}


def test_a_founder_that_returns_takes_its_site_back(world):
    world.show("ab")
    world.show("b")
    assert world.show("a", "b") == {"a": "a", "b": "b"}


def test_a_site_without_records_is_retired_and_comes_back_under_its_identifier(world):
    world.show("a", "b")
    assert world.show("a") == {"a": "a"}
    assert world.last.retired == ["essai--b"]
    assert world.show("a", "b") == {"a": "a", "b": "b"}
    assert not world.last.retired


def test_a_record_that_left_a_merged_site_long_ago_gets_its_address_back(world):
    world.show("a", "b")
    world.show("ab")
    world.show("a")
    assert world.leads_to("b") == "a"
    assert world.show("a", "b") == {"a": "a", "b": "b"}


def test_an_identifier_that_was_used_is_never_given_to_another_site():
    sites = {"essai--1": KnownSite(0, retired=True)}
    records = {
        "one": KnownRecord(5, "essai", "1", "Solidarité Numérique"),
        "two": KnownRecord(6, "essai", "1", "solidarite-numerique"),
        "three": KnownRecord(7, "essai", "1", ""),
        "four": KnownRecord(8, "essai", "2", ""),
    }
    assigned = assign([("one",), ("two",), ("three",), ("four",)], records, sites)
    assert assigned.ids == [
        "essai--1--solidarite-numerique",
        "essai--1--solidarite-numerique--2",
        "essai--1--2",
        "essai--2",
    ]


def test_when_all_short_identifiers_are_taken_the_record_names_it():
    taken = ["essai--1", *(f"essai--1--{n}" for n in range(2, 10))]
    sites = {name: KnownSite(rank, retired=True) for rank, name in enumerate(taken)}
    assigned = assign([("x",)], {"x": KnownRecord(77, "essai", "1", "")}, sites)
    assert assigned.ids == ["essai--1--record-77"]


@st.composite
def histories(draw: st.DrawFn) -> list[list[str]]:
    """Sequences of groupings of some of five records."""
    steps = []
    for _ in range(draw(st.integers(1, 7))):
        label = {key: draw(st.sampled_from("-0123")) for key in "abcde"}
        steps.append(
            [
                "".join(key for key in label if label[key] == each)
                for each in sorted(set(label.values()) - {"-"})
            ]
        )
    return steps


@settings(max_examples=300)
@given(histories())
def test_every_identifier_is_live_or_leads_to_a_live_or_retired_one(history):
    world = World()
    ever: set[str] = set()
    for groups in history:
        shown = world.show(*groups)
        assert len(set(shown.values())) == len(groups), "one identifier for one group"
        ever |= set(shown.values())
        assert {name.removeprefix("essai--") for name in world.sites} == ever
        live = set(shown.values())
        for name in ever:
            end = world.leads_to(name)
            assert end in live or world.sites[f"essai--{end}"].retired, name
            if name in live:
                assert end == name and not world.sites[f"essai--{name}"].retired
        assert not {site.removeprefix("essai--") for site in world.last.retired} & live


@settings(max_examples=200)
@given(histories())
def test_an_unchanged_grouping_keeps_every_identifier(history):
    world = World()
    for groups in history:
        first, sites = world.show(*groups), dict(world.sites)
        assert world.show(*groups[::-1]) == first
        assert world.sites == sites


@settings(max_examples=200)
@given(histories())
def test_the_address_of_a_site_always_leads_to_the_record_it_was_created_for(history):
    world = World()
    for groups in history:
        shown = world.show(*groups)
        present = {key: site for keys, site in shown.items() for key in keys}
        oldest = sorted(present, key=lambda key: -world.records[key].rank)
        founders = {str(world.records[key].first_site).removeprefix("essai--"): key for key in oldest}
        assert all(world.leads_to(name) == present[key] for name, key in founders.items())


def test_a_record_that_got_a_site_of_its_own_later_keeps_it(world):
    world.show("e", "bc")
    assert world.show("be", "c") == {"be": "e", "c": "c"}
    assert world.show("e", "bc")["bc"] == "c", "the one in service"
    assert world.show("b", "c", "e") == {"b": "b", "c": "c", "e": "e"}


@pytest.mark.parametrize(
    ("exported", "ids"),
    [
        ({}, ["di--42", "di--42--emmaus"]),
        ({"x": "di--42--dora", "y": "di--42"}, ["di--42--dora", "di--42"]),
        ({"y": "di--42"}, ["di--42--dora", "di--42"]),
        ({"x": "di--42", "y": "di--42"}, ["di--42", "di--42--emmaus"]),
        ({"x": "autre--7"}, ["di--42", "di--42--emmaus"]),  # no name of its record
    ],
)
def test_a_new_site_has_the_identifier_of_its_export(exported, ids):
    records = {"x": KnownRecord(1, "di", "42", "dora"), "y": KnownRecord(2, "di", "42", "emmaus")}
    made = assign([("x",), ("y",)], records, {}, exported)
    assert (made.ids, made.founders) == (ids, dict(zip(ids, "xy", strict=True)))


def test_the_identifier_of_an_export_is_given_to_no_other_site_than_its_own():
    records = {"x": KnownRecord(2, "di", "42", "dora")}
    assert assign([("x",)], records, {"di--42": KnownSite(1, retired=True)}, {"x": "di--42"}).ids == [
        "di--42--dora"
    ]
