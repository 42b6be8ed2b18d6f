"""Imports undone in any order, datasets withdrawn and restored, processes killed in between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from geo.errors import NotUndoable, UnknownImport
from geo.services import import_sites
from geo.services.decide_sites import decide
from geo.services.import_sites import ValidatedFile
from geo.services.record_lifecycle import restore, undo, withdraw
from geo.settings import ROOT
from geo.sites.corrections import Correction
from geo.sites.difference import ImportContent, replay
from geo.sites.export import write_csv
from geo.sites.model import Tally, Validated
from geo.store import corrections, datasets, imports, records, snapshots, territories
from tests.support.world import TERRITORY, record

EPSG = TERRITORY.metric_crs
TODAY = date(2026, 11, 29)
DATASETS = ("un", "deux")


@pytest.fixture
def stored(connection):
    territories.save(connection, TERRITORY)
    return connection


def put(connection, *arriving, carried=(), refused=()) -> int:
    """Import records as a file that lists them; returns the number of the run."""
    number = len(arriving)
    arrival = ValidatedFile(
        file_name="liste.csv",
        sha256="0" * 64,
        format="standard",
        label="Liste",
        encoding="utf-8",
        started_at=datetime.now(UTC),
        validated=Validated(records=list(arriving), tally=Tally(read=number, accepted=number)),
        carried=frozenset(carried),
        refused=frozenset(refused),
    )
    return import_sites.apply(connection, arrival, territory=TERRITORY, accept_vanished=True).run_id


def number_of_undoing(connection, number: int) -> int:
    """Undo an import; returns the number of the run that undoes it."""
    undone = undo(connection, number, by="essai", epsg=EPSG).run_id
    assert undone is not None
    return undone


def shown(connection):
    """What people see: identifier → site."""
    return {site.id: site for site in snapshots.shown_sites(connection, TODAY).sites}


def as_before(connection, before) -> bool:
    """Whether every address of before leads to the same records and values, and nothing else is shown."""
    now = snapshots.shown_sites(connection, TODAY)
    by_id = {site.id: site for site in now.sites}

    def values(site):
        return replace(site, id="", jeu_de_donnees="")

    return len(by_id) == len(before) and all(
        values(by_id[now.redirects.get(site_id, site_id)]) == values(site) for site_id, site in before.items()
    )


def drawn(rng: random.Random, dataset: str):
    """A few records of a dataset; some are one door in both datasets."""
    keys = rng.sample(range(5), rng.randint(1, 4))
    return [
        record(
            str(n),
            5 + 4 * n,
            code_insee=f"9900{1 + (5 + 4 * n) // 10}",
            jeu_de_donnees=dataset,
            nom=f"Médiathèque des Saules {'ABCDE'[n]}",
            adresse=f"{n + 1} rue du Moulin",
            telephone=rng.choice(("", "+33553000001", "+33553000002")),
            pass_numerique=rng.choice((None, True, False)),
        )
        for n in keys
    ]


@pytest.mark.parametrize("seed", range(4))
def test_undoing_any_import_leaves_what_the_others_say(stored, seed):
    """The oracle replays the imports that stand, without a database."""
    rng = random.Random(seed)
    made: dict[int, ImportContent] = {}
    standing: dict[int, bool] = {}
    undoings: dict[int, int] = {}
    for _step in range(9):
        if made and rng.random() < 0.5:
            number = rng.choice([*made])
            if standing[number]:
                undoings[number] = number_of_undoing(stored, number)
            else:
                undo(stored, undoings[number], by="essai", epsg=EPSG)
            standing[number] = not standing[number]
        else:
            arriving = drawn(rng, rng.choice(DATASETS))
            carried = rng.choice(((), ("pass_numerique",)))
            number = put(stored, *arriving, carried=carried)
            made[number] = ImportContent(tuple(arriving), frozenset(carried))
            standing[number] = True
        expected = replay(content for number, content in sorted(made.items()) if standing[number])
        assert records.in_service(stored) == dict(sorted(expected.in_service.items()))
        members = sorted(key for site in shown(stored).values() for key in site.records)
        assert members == sorted(expected.in_service)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_undone_and_done_again_is_as_before(stored, seed):
    """Of two sites merged in between, the other address may stay: both lead to the site as it was."""
    rng = random.Random(seed)
    numbers = [put(stored, *drawn(rng, rng.choice(DATASETS))) for _ in range(4)]
    keys = sorted(records.in_service(stored))
    if len(keys) > 1:
        decide(stored, *rng.sample(keys, 2), same=False, by="essai", epsg=EPSG)
    site = rng.choice(sorted(shown(stored)))
    corrections.add(stored, Correction(site, "telephone", "+33553000009", "essai", date(2026, 1, 1), "appel"))
    before = shown(stored)
    assert before[site].telephone == "+33553000009"
    for _ in range(3):
        number = rng.choice(numbers)
        undone = number_of_undoing(stored, number)
        undo(stored, undone, by="essai", epsg=EPSG)
        assert as_before(stored, before)
        name = rng.choice([each.name for each in datasets.all_datasets(stored)])
        withdraw(stored, name, by="essai", reason="essai", epsg=EPSG)
        assert not any(key.startswith(f"{name}--") for each in shown(stored).values() for key in each.records)
        restore(stored, name, by="essai", epsg=EPSG)
        assert as_before(stored, before)


def test_an_identifier_used_for_another_town_gets_its_site_back_when_that_import_is_undone(stored):
    put(stored, record("a", 5, nom="Bibliothèque du Lac"))
    moved = put(stored, record("a", 45, "96001", nom="Atelier de la Gare"))
    assert list(shown(stored)) == ["essai--a--2"]
    undo(stored, moved, by="essai", epsg=EPSG)
    assert {site.nom for site in shown(stored).values()} == {"Bibliothèque du Lac"}
    assert list(shown(stored)) == ["essai--a"]


def test_our_own_export_imported_again_changes_nothing_that_people_see(stored, tmp_path):
    put(stored, record("a", 5, nom="Maison des Lilas", source="dora", date_maj=date(2025, 1, 1)))
    fresher = record("b", 5.4, nom="Atelier du Pont", adresse="9 rue Z", jeu_de_donnees="deux", source="X")
    put(stored, replace(fresher, date_maj=date(2026, 1, 1), telephone="+33553000001"))
    put(stored, record("c", 25, "99003", jeu_de_donnees="trois", source="dora"))
    decide(stored, "essai--a@dora", "deux--b@X", same=True, by="essai", epsg=EPSG)
    before = shown(stored)
    assert (len(before), before["essai--a"].source) == (2, "X")
    path = tmp_path / "export.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_csv(before.values(), stream)
    arrival = import_sites.read(path, territory=TERRITORY, today=TODAY, max_bytes=10**6)
    import_sites.apply(stored, arrival, territory=TERRITORY)
    after = shown(stored)

    def values(site):
        return replace(site, records=(), origins=(), conflicts=())

    assert {key: values(site) for key, site in after.items()} == {k: values(s) for k, s in before.items()}
    assert [site.records for site in after.values()] == [site.records for site in before.values()]


def test_a_dry_run_changes_nothing(stored):
    put(stored, record("a", 5))
    number = put(stored, record("b", 15, "99002"))
    before, version = shown(stored), snapshots.version(stored)
    trial = undo(stored, number, by="essai", epsg=EPSG, dry_run=True)
    assert ([r.local_id for r in trial.difference.new], trial.run_id) == (["a"], None)
    assert (shown(stored), snapshots.version(stored)) == (before, version)


def test_what_cannot_be_undone_says_why(stored):
    number = put(stored, record("a", 5))
    with pytest.raises(UnknownImport):
        undo(stored, number + 99, by="essai", epsg=EPSG)
    withdraw(stored, "essai", by="essai", reason="essai", epsg=EPSG)
    with pytest.raises(NotUndoable, match="datasets restore essai"):
        undo(stored, number, by="essai", epsg=EPSG)
    with pytest.raises(NotUndoable, match="déjà retiré"):
        withdraw(stored, "essai", by="essai", reason="essai", epsg=EPSG)
    withdrawn = imports.runs(stored)[0].id
    assert withdrawn is not None
    with pytest.raises(NotUndoable, match="n'est pas un import"):
        undo(stored, withdrawn, by="essai", epsg=EPSG)
    restore(stored, "essai", by="essai", epsg=EPSG)
    with pytest.raises(NotUndoable, match="n'est pas retiré"):
        restore(stored, "essai", by="essai", epsg=EPSG)
    undo(stored, number, by="essai", epsg=EPSG)
    with pytest.raises(NotUndoable, match="déjà annulé"):
        undo(stored, number, by="essai", epsg=EPSG)
    assert shown(stored) == {}


def test_an_import_of_which_no_row_was_accepted_is_undone_and_done_again(stored):
    put(stored, record("a", 5))
    undone = number_of_undoing(stored, put(stored))
    undo(stored, undone, by="essai", epsg=EPSG)
    assert list(shown(stored)) == ["essai--a"]


def test_an_import_whose_content_is_not_stored_cannot_be_undone_nor_left_out(stored):
    old = put(stored, record("a", 5))
    new = put(stored, record("a", 5), record("b", 15, "99002"))
    stored.execute(text("UPDATE import_run SET has_content = false WHERE id = :old"), {"old": old})
    with pytest.raises(NotUndoable, match=f"n° {old} date d'une version"):
        undo(stored, old, by="essai", epsg=EPSG)
    with pytest.raises(NotUndoable, match=f"n° {old} date d'une version"):
        undo(stored, new, by="essai", epsg=EPSG)


# --- processes killed in the middle

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.mark.parametrize(
    "command",
    [
        ("imports", "undo", "2", "--yes"),
        ("datasets", "withdraw", "deux", "--reason", "essai", "--yes"),
        ("sites", "decide", "un--0", "deux--1", "--same"),
    ],
    ids=["undo", "withdraw", "merge"],
)
def test_a_command_killed_in_the_middle_leaves_the_state_before_it(command, fresh_engine, database_url):
    with fresh_engine.begin() as connection:
        territories.save(connection, TERRITORY)
        put(connection, record("0", 5, jeu_de_donnees="un"))
        put(
            connection,
            record("1", 15, "99002", jeu_de_donnees="deux"),
            record("2", 25, "99003", jeu_de_donnees="deux"),
        )

    def state():
        with fresh_engine.connect() as connection:
            known = (records.in_service(connection), snapshots.version(connection), imports.count(connection))
            return shown(connection), *known

    before = state()
    assert len(before[0]) == 3
    with fresh_engine.connect() as lock:
        # Events are the last thing that each of them writes before it publishes.
        lock.execute(text("LOCK TABLE data_version IN ACCESS EXCLUSIVE MODE"))
        process = subprocess.Popen(
            [sys.executable, "-m", "portee", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url},
        )
        limit = time.monotonic() + 120
        with fresh_engine.connect() as watch:
            while not watch.scalar(WAITING) and process.poll() is None and time.monotonic() < limit:
                watch.rollback()
                time.sleep(0.05)
            assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        lock.rollback()
    assert process.returncode == -signal.SIGKILL
    assert state() == before
    whole = subprocess.run(
        [sys.executable, "-m", "portee", *command],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        check=False,
    )
    assert whole.returncode == 0, whole.stderr
    assert len(state()[0]) < 3
