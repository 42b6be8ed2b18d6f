"""Sites through imports: which records are one place, its identifier, decisions and history."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest
from sqlalchemy import text

from geo.errors import ContradictoryDecision, UnknownSite
from geo.services import import_sites
from geo.services.decide_sites import decide, undecide
from geo.services.site_register import build_migrated
from geo.sites.corrections import Correction
from geo.sites.export import write_csv
from geo.store import corrections, dated_snapshots, history, record_pairs, snapshots
from geo.store import sites as stored_sites
from tests.postgis.geo.services.test_import_sites import record
from tests.support.world import TERRITORY

TODAY = date(2026, 11, 2)
TOWN = {"commune": "Estbourg", "code_insee": "99004", "code_postal": "99100"}
NAMES = ("Maison des Tilleuls", "Atelier du Pont", "Comptoir du Lavoir")


@pytest.fixture
def answer(base):
    """Decide whether two sites or records are one place."""

    def run(a, b, *, same=True):
        return decide(base, a, b, same=same, by="Camille (fictif)", epsg=TERRITORY.metric_crs)

    return run


def place(local_id, x_km=5.0, name=NAMES[0], **changes):
    """A record whose name and address are those of one place."""
    address = f"{NAMES.index(name) + 1} rue {name.split()[-1]}" if name in NAMES else ""
    return record(local_id, x_km, **{"nom": name, "adresse": address, **changes})


def shown(base):
    return {site.id: site for site in snapshots.read(base, TODAY).sites}


def clusters(base):
    return sorted(site.records for site in shown(base).values())


def events(base, site_id):
    return [event.kind for event in stored_sites.events(base, [site_id])]


def decisions(base):
    return [(pair.a, pair.b, pair.same) for pair in record_pairs.all_pairs(base) if pair.same is not None]


# --- imports


def test_a_file_imported_again_unchanged_stores_no_new_version(base, load):
    rows = [place("a"), place("b", 7, NAMES[1])]
    load(*rows)

    def stored():
        counted = ("record_version", "record_change", "site_event", "source_record", "site")
        return [base.scalar(text(f"SELECT count(*) FROM {table}")) for table in counted]

    before, sites = stored(), shown(base)
    changes = load(*rows).changes
    assert (stored(), shown(base)) == (before, sites)
    assert (changes.created, changes.changed, changes.retired, dict(changes.merged)) == ((), (), (), {})
    listed = base.execute(text("SELECT import_id, count(*) FROM import_record GROUP BY 1 ORDER BY 1")).all()
    assert [count for _, count in listed] == [2, 2], "each import says what it listed"
    load(place("a", telephone="+33553000000"), rows[1])
    assert stored()[0] == before[0] + 1


FILES = {
    "france-services": (place("f", nom="France services Ouestville"), place("g", 7, NAMES[1])),
    "un": (place("a", nom="Mairie d'Ouestville", telephone="+33553000001"), place("b", 9, NAMES[2])),
    "deux": (
        place("z", nom="Mairie", telephone="+33553000002", date_maj="2026-09-01"),
        place("y", 9, NAMES[2], courriels="a@exemple.fr"),
    ),
}


def test_files_in_any_order_give_the_same_sites(base, load):
    found = []
    for order in permutations(FILES):
        with base.begin_nested() as inside:
            for dataset in order:
                load(*FILES[dataset], dataset=dataset)
            found.append(
                {
                    site.records: {
                        name: getattr(site, name)
                        for name in site.__dataclass_fields__
                        if name not in ("id", "jeu_de_donnees")  # the identifier is that of the first
                    }
                    for site in shown(base).values()
                }
            )
            inside.rollback()
    assert set(found[0]) == {
        ("deux--z", "france-services--f", "un--a"),
        ("deux--y", "un--b"),
        ("france-services--g",),
    }
    assert all(each == found[0] for each in found[1:])


def test_two_lists_of_one_place_are_one_site_and_the_address_of_both_leads_to_it(base, load):
    load(place("b"), dataset="deux")
    changes = load(place("a", telephone="+33553000000"), dataset="un").changes
    assert clusters(base) == [("deux--b", "un--a")]
    assert (changes.created, changes.changed) == ((), ("deux--b",))
    site = snapshots.read(base, TODAY).site("deux--b")
    assert (site.id, site.telephone, site.jeu_de_donnees) == ("deux--b", "+33553000000", "deux")


# --- identifiers used for another place


def other_town(local_id, **changes):
    return place(local_id, 35, NAMES[1], **{**TOWN, **changes})


def test_an_identifier_reused_in_another_town_loses_its_site_and_gets_it_back(base, load, answer):
    load(place("a"), place("c", 7, NAMES[1]))
    load(place("z", 5.3, "Lieu de rencontre"), dataset="deux")
    answer("un--a", "deux--z")
    assert clusters(base) == [("deux--z", "un--a"), ("un--c",)]
    phone = Correction("un--a", "telephone", "+33553000009", "Camille (fictif)", TODAY, "Appelé")
    corrections.add(base, phone)

    changes = load(other_town("a"), place("c", 7, NAMES[1])).changes
    assert [(pair.a, pair.b) for pair, _ in changes.reopened] == [("deux--z", "un--a")]
    assert decisions(base) == []
    [away] = [site for site in shown(base).values() if site.commune == "Estbourg"]
    assert (away.id, away.telephone) == ("un--a--2", ""), "neither the address nor the correction"
    assert shown(base)["un--a"].records == ("deux--z",), "the site stays with what still describes it"
    assert shown(base)["un--a"].telephone == "+33553000009"


def test_an_identifier_that_returns_to_its_town_takes_its_site_back(base, load):
    load(place("a"), place("c", 7, NAMES[1]))
    load(other_town("a"), place("c", 7, NAMES[1]))
    assert sorted(shown(base)) == ["un--a--2", "un--c"]
    with pytest.raises(UnknownSite):
        snapshots.read(base, TODAY).site("un--a")
    load(place("a"), place("c", 7, NAMES[1]))
    assert sorted(shown(base)) == ["un--a", "un--c"]
    assert events(base, "un--a") == ["created", "reused", "retired", "returned"]
    assert events(base, "un--a--2") == ["created", "reused", "retired"]


def test_an_identifier_that_was_absent_in_between_is_reused_all_the_same(base, load):
    load(place("a"), place("c", 7, NAMES[1]))
    load(place("c", 7, NAMES[1]))
    load(other_town("a"), place("c", 7, NAMES[1]))
    assert sorted(shown(base)) == ["un--a--2", "un--c"]


def test_a_place_that_moves_to_another_town_under_its_own_name_keeps_its_site(base, load):
    load(place("a"))
    load(place("a", 35, **TOWN))
    assert [(site.id, site.commune) for site in shown(base).values()] == [("un--a", "Estbourg")]


def test_a_retired_site_is_not_given_to_another_place_of_the_same_identifier(base, load):
    """Identifiers are those of the source: another source may use the same one nearby."""
    load(place("a", source="Dora"), place("c", 7, NAMES[1], source="Dora"))
    load(place("c", 7, NAMES[1], source="Dora"))
    load(place("a", 5.2, NAMES[2], source="Soliguide"), place("c", 7, NAMES[1], source="Dora"))
    assert sorted(shown(base)) == ["un--a--soliguide", "un--c"]


def test_a_source_that_changes_its_own_name_keeps_its_sites(base, load):
    load(place("a", source="Dora"))
    load(place("a", source="DORA, Plateforme de l'inclusion"))
    assert sorted(shown(base)) == ["un--a"]
    assert [len(site.records) for site in shown(base).values()] == [1]


# --- decisions


@pytest.mark.parametrize("sources", [("emmaus", "dora"), ("dora", "emmaus"), ("Dora", "DORA")])
def test_sites_exported_and_imported_elsewhere_have_the_same_addresses(base, load, tmp_path, sources):
    first = place("42", source=sources[0])
    load(first)
    load(first, place("42", 15.0, NAMES[1], source=sources[1]))
    before = {site_id: site.nom for site_id, site in shown(base).items()}
    path = tmp_path / "export.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_csv(shown(base).values(), stream)
    base.execute(text("TRUNCATE site, source_record, import_run CASCADE"))
    arrival = import_sites.read(path, territory=TERRITORY, today=TODAY, max_bytes=1_000_000)
    import_sites.apply(base, arrival, territory=TERRITORY)
    assert {site_id: site.nom for site_id, site in shown(base).items()} == before
    again = tmp_path / "again.csv"
    with again.open("w", encoding="utf-8", newline="") as stream:
        write_csv(shown(base).values(), stream)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("same", [True, False])
def test_a_source_that_changes_its_own_name_keeps_decisions(base, load, answer, same):
    other = place("b", 5.0 if not same else 5.3, NAMES[0] if not same else NAMES[1])
    load(place("a", source="dora"))
    load(other, dataset="deux")
    answer("un--a@dora", "deux--b", same=same)
    before = {site_id: len(site.records) for site_id, site in shown(base).items()}
    assert len(before) == (1 if same else 2)
    for source in ("Dora SAS", "dora", "Dora SAS"):
        load(place("a", source=source))
        assert {site_id: len(site.records) for site_id, site in shown(base).items()} == before


def test_deciding_and_deciding_otherwise_leaves_every_address_alive(base, load, answer):
    load(place("a"), place("b", 5.2, NAMES[1]), place("c", 7, NAMES[2]))

    def leads():
        snapshot = snapshots.read(base, TODAY)
        return [snapshot.site(f"un--{name}").id[-1] for name in "abc"]

    assert leads() == ["a", "b", "c"]
    assert answer("un--b", "un--a").shown == "un--a"
    assert leads() == ["a", "a", "c"]
    assert answer("un--b", "un--c").shown == "un--a", "an address that redirects can be decided on"
    assert leads() == ["a", "a", "a"]
    assert events(base, "un--b") == ["created", "merged", "decided"]


def test_records_decided_different_part_and_join_again(base, load, answer):
    load(place("a"))
    load(place("z"), dataset="deux")
    assert clusters(base) == [("deux--z", "un--a")], "near-certain"
    answer("deux--z", "un--a", same=False)
    assert clusters(base) == [("deux--z",), ("un--a",)]
    load(place("z", telephone="+33553000000"), dataset="deux")
    assert clusters(base) == [("deux--z",), ("un--a",)], "imports respect it"
    parted = next(site.id for site in shown(base).values() if site.records == ("deux--z",))
    answer(parted, "un--a")
    assert clusters(base) == [("deux--z", "un--a")]
    assert snapshots.read(base, TODAY).site(parted).id == "un--a"
    answer("deux--z", "un--a", same=False)
    assert snapshots.read(base, TODAY).site(parted).records == ("deux--z",), "its address is back"


def test_a_decision_that_an_earlier_one_holds_apart_is_refused_until_that_is_taken_back(base, load, answer):
    load(place("a"), place("b", 5.3, NAMES[1]), place("c", 5.6, NAMES[2]))
    answer("un--a", "un--b")
    answer("un--a", "un--c", same=False)
    before = decisions(base)
    with pytest.raises(ContradictoryDecision, match="« un--a » et « un--c »") as refused, base.begin_nested():
        answer("un--b", "un--c")
    assert refused.value.advice.endswith("portee sites undecide un--a un--c")
    assert (decisions(base), len(shown(base))) == (before, 2)
    undecide(base, "un--a", "un--c", by="Camille (fictif)", epsg=TERRITORY.metric_crs)
    assert answer("un--b", "un--c").shown == "un--a"
    assert clusters(base) == [("un--a", "un--b", "un--c")]


def test_a_record_decided_with_the_site_it_belongs_to_confirms_or_parts(base, load, answer):
    load(place("a"))
    load(place("z"), dataset="deux")
    assert answer("deux--z", "un--a").shown == "un--a"
    assert decisions(base) == [("deux--z", "un--a", True)]
    with pytest.raises(UnknownSite, match="le même"):
        answer("un--a", "un--a")


@pytest.mark.parametrize(
    ("changes", "reopened"),
    [
        ({"x_km": 5.9}, False),
        ({"x_km": 6.1}, True),
        ({"telephone": "+33553000000"}, False),
        ({"nom": "Maison des tilleuls (fictive)"}, False),
        ({"nom": "Médiathèque", "adresse": ""}, True),
        ({**TOWN, "latitude": "", "longitude": ""}, True),
    ],
)
@pytest.mark.parametrize("same", [True, False])
def test_a_decision_is_asked_again_when_a_record_moves_or_changes_commune_or_name(
    base, load, answer, changes, reopened, same
):
    load(place("a"), place("b", 5.2, NAMES[1]))
    answer("un--a", "un--b", same=same)
    outcome = load(place("a", **changes), place("b", 5.2, NAMES[1])).changes
    assert bool(outcome.reopened) is reopened
    assert decisions(base) == ([] if reopened else [("un--a", "un--b", same)])
    assert sorted(shown(base)) == (["un--a"] if same and not reopened else ["un--a", "un--b"])
    if reopened:
        assert "reopened" in events(base, "un--a")
        load(place("a"), place("b", 5.2, NAMES[1]))
        assert decisions(base) == [], "a decision taken back does not come back by itself"


# --- history


def test_the_history_of_a_site_is_that_of_its_records(base, load, answer):
    load(place("a"), place("b", 5.2, NAMES[1]))
    answer("un--a", "un--b")
    load(place("a"), place("b", 5.2, NAMES[1], telephone="+33553000000"))

    def changes_of(site_id):
        return [(change.record, change.kind, change.field) for change in history.history(base, site_id)]

    assert changes_of("un--a") == [
        ("un--a", "new", None),
        ("un--b", "new", None),
        ("un--b", "changed", "telephone"),
    ]
    assert changes_of("un--b") == [("un--b", "new", None), ("un--b", "changed", "telephone")]
    load(place("b", 5.2, NAMES[1], telephone="+33553000000"))
    assert changes_of("un--a")[-1] == ("un--a", "retired", None)


def test_a_reused_identifier_has_one_history_for_each_place(base, load):
    load(place("a"), place("c", 7, NAMES[1]))
    load(place("a", telephone="+33553000000"), place("c", 7, NAMES[1]))
    load(other_town("a"), place("c", 7, NAMES[1]))
    load(other_town("a", telephone="+33553000001"), place("c", 7, NAMES[1]))

    def phones(site_id):
        return [each.after for each in history.history(base, site_id) if each.field == "telephone"]

    assert phones("un--a") == ["+33553000000"]
    assert phones("un--a--2") == ["", "+33553000001"]
    load(place("a"), place("c", 7, NAMES[1]))
    assert phones("un--a") == ["+33553000000", ""]
    assert phones("un--a--2") == ["", "+33553000001"]


def test_a_dated_snapshot_has_the_clusters_of_now_and_the_values_of_then(base, load):
    load(place("a", telephone="+33553000001"), dataset="un")
    load(place("z", courriels="a@exemple.fr"), dataset="deux")
    before = snapshots.read(base, TODAY)
    dated_snapshots.keep(base, "avant", TODAY)
    load(place("a", telephone="+33553000002"), dataset="un")
    load(place("autre", 9, NAMES[2]), dataset="deux")
    past = dated_snapshots.read(base, "avant")
    assert past.sites == before.sites
    assert [(site.records, site.telephone) for site in past.sites] == [(("deux--z", "un--a"), "+33553000001")]
    assert shown(base)["un--a"].records == ("un--a",)


# --- databases of an older version


def test_sites_that_were_never_built_are_built_once(base, load):
    load(place("a", telephone="+33553000001"), place("c", 7, NAMES[1]))
    load(place("z", courriels="a@exemple.fr"), dataset="deux")
    wanted = shown(base)
    assert not build_migrated(base), "nothing to do"
    base.execute(text("UPDATE site SET origins = NULL, conflicts = '[]', courriels = '{}'"))
    assert shown(base) != wanted
    version = snapshots.version(base)
    assert build_migrated(base)
    assert shown(base) == wanted
    assert snapshots.version(base) == version + 1
    assert not build_migrated(base)


def test_sites_without_a_territory_wait_for_one(connection, load):
    load(place("a"))
    connection.execute(text("UPDATE site SET origins = NULL"))
    connection.execute(text("DELETE FROM territory"))
    assert not build_migrated(connection)
