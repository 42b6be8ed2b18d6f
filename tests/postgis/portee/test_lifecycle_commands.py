"""`portee imports` and `portee datasets`: list, undo, withdraw and restore."""

from __future__ import annotations

import json

import pytest

from tests.support.commands import commands

HEADER = "id,pivot,nom,commune,code_postal,code_insee,adresse,latitude,longitude,date_maj,telephone\n"


def row(local_id: str, phone: str = "") -> str:
    return f"{local_id},00000000000000,Lieu {local_id},,99100,99001,1 rue {local_id},,,2026-03-02,{phone}\n"


@pytest.fixture
def portee(database_url, tmp_path):
    return commands(database_url, tmp_path, HEADER)


def ids(portee) -> list[str]:
    return [site["id"] for site in json.loads(portee("sites", "list", "--json"))["sites"]]


def phones(portee) -> dict[str, str]:
    return {s["id"]: s["telephone"] for s in json.loads(portee("sites", "list", "--json"))["sites"]}


def test_an_import_is_undone_and_brought_back(portee):
    portee.load(row("a", "0553000001"), row("b"))
    portee.load(row("a", "0553000002"), row("c"))
    before = phones(portee)
    assert before == {"jeu--a": "+33553000002", "jeu--c": ""}
    trial = json.loads(portee("imports", "undo", "2", "--dry-run", "--json"))
    assert (trial["run"], trial["new"], trial["vanished"]) == (None, ["jeu--b"], ["jeu--c"])
    assert phones(portee) == before
    assert "1 qui reviennent, 1 modifiées, 1 retirées" in portee("imports", "undo", "2", "--yes")
    assert phones(portee) == {"jeu--a": "+33553000001", "jeu--b": ""}
    assert "liste.csv (annulé)" in portee("imports", "list")
    portee("imports", "undo", "3", "--yes")
    assert phones(portee) == before


def test_a_later_import_stands_when_an_earlier_one_is_undone(portee):
    portee.load(row("a", "0553000001"))
    portee.load(row("a", "0553000001"), row("b"))
    portee("imports", "undo", "1", "--yes")
    assert phones(portee) == {"jeu--a": "+33553000001", "jeu--b": ""}


@pytest.mark.parametrize(
    ("number", "reason"),
    [("9", "Aucun import ne porte le numéro 9"), ("1", "est déjà annulé, par l'opération n° 2")],
)
def test_what_cannot_be_undone_is_refused_with_the_reason(portee, number, reason):
    portee.load(row("a"))
    portee("imports", "undo", "1", "--yes")
    assert reason in " ".join(portee("imports", "undo", number, "--yes", code=1).split())


def test_a_withdrawn_dataset_is_not_shown_and_refuses_imports_until_it_is_restored(portee):
    portee.load(row("a"))
    portee.load(row("z"), dataset="autre")
    portee("datasets", "withdraw", "jeu", "--reason", "périmé", "--yes")
    assert ids(portee) == ["autre--z"]
    assert "retiré le" in portee("datasets", "list")
    assert "périmé" in portee("datasets", "show", "jeu")
    with pytest.raises(AssertionError, match="datasets restore jeu"):
        portee.load(row("b"))
    refused = " ".join(portee("imports", "undo", "1", "--yes", code=1).split())
    assert "« jeu » a été retiré" in refused
    portee("datasets", "restore", "jeu")
    assert ids(portee) == ["autre--z", "jeu--a"]
    assert "n'est pas retiré" in portee("datasets", "restore", "jeu", code=1)


def test_an_unknown_dataset_is_refused(portee):
    assert "« rien »" in portee("datasets", "withdraw", "rien", "--reason", "x", "--yes", code=1)


def test_one_import_is_shown_with_its_counts(portee):
    portee.load(row("a"), ",,Sans identifiant,,,,,,,,\n")
    shown = portee("imports", "show", "1")
    assert "Lignes lues 2, acceptées 1, rejetées 1, hors territoire 0." in shown
    assert json.loads(portee("imports", "show", "1", "--json"))["kind"] == "import"
