"""`portee sites correct`, `close` and their like, as typed, over a real PostGIS."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from geo.services.snapshot_view import present_moment
from tests.support.commands import commands

HEADER = (
    "id,pivot,nom,commune,code_postal,code_insee,adresse,latitude,longitude,date_maj,telephone,horaires\n"
)


def row(local_id: str, phone: str = "0553000001", name: str = "") -> str:
    return f"{local_id},,{name or f'Lieu {local_id}'},,99100,99001,1 rue {local_id},,,2026-03-02,{phone},\n"


@pytest.fixture
def portee(database_url, tmp_path):
    return commands(database_url, tmp_path, HEADER)


@pytest.fixture
def table(tmp_path):
    def written(text: str):
        path = tmp_path / "corrections.csv"
        path.write_text(text, "utf-8")
        return path

    return written


def shown(portee, name="telephone") -> dict[str, Any]:
    return {each["id"]: each[name] for each in json.loads(portee("sites", "list", "--json"))["sites"]}


def listed(portee, *options) -> Any:
    return json.loads(portee("sites", "corrections", "--json", *options))


def day(offset: int) -> str:
    return (present_moment().date() + timedelta(days=offset)).isoformat()


def test_a_correction_stands_over_the_source_until_it_is_ended(portee):
    portee.load(row("a"))
    said = portee("sites", "correct", "jeu--a", "--phone", "05 53 00 00 02", "--reason", "appel du 3 mars")
    assert "telephone = +33553000002" in said and "la source dit : +33553000001" in said
    assert shown(portee) == {"jeu--a": "+33553000002"}
    portee.load(row("a", name="Lieu renommé"))
    assert shown(portee) == {"jeu--a": "+33553000002"}
    number = listed(portee)[0]["id"]
    assert "Terminée" in portee("sites", "uncorrect", number)
    assert shown(portee) == {"jeu--a": "+33553000001"}
    assert "déjà terminée" in portee("sites", "uncorrect", number, code=1)
    assert listed(portee) == [] and {each["state"] for each in listed(portee, "--all")} == {"terminee"}


def test_a_source_that_changes_a_corrected_field_is_reported_and_not_applied(portee):
    portee.load(row("a"))
    portee("sites", "correct", "jeu--a", "--phone", "0553000002", "--reason", "essai")
    assert portee.load(row("a"))["corrections"] == []
    answer = portee.load(row("a", "0553000003"))["corrections"]
    assert [(each["field"], each["source_now"]) for each in answer] == [("telephone", "+33553000003")]
    assert portee.load(row("a", "0553000003"))["corrections"] == []
    assert shown(portee) == {"jeu--a": "+33553000002"}
    assert "la source dit désormais : +33553000003" in portee("sites", "corrections", "--differing")
    assert "la source dit désormais : +33553000003" in portee("sites", "check")
    (answer,) = json.loads(portee("sites", "check", "--json"))["corrections"]
    assert answer["source_now"] == "+33553000003"
    portee.load(row("a", "0553000002"))
    assert "dit désormais la même chose" in portee("sites", "corrections", "--differing")


def test_a_value_may_be_said_to_be_unknown(portee):
    portee.load(row("a"))
    portee("sites", "correct", "jeu--a", "--clear", "telephone", "--reason", "ligne coupée")
    assert shown(portee) == {"jeu--a": ""}
    assert "telephone = inconnu" in portee("sites", "corrections", "jeu--a")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--phone", "12"], "« telephone » : Ce numéro de téléphone n'est pas valable"),
        (["--hours", "quand on peut"], "« horaires » : Les horaires ne sont pas dans un format lisible"),
        (["--email", "nous chez toi"], "« courriels » : Cette adresse électronique"),
        (["--field", "pass_numerique=peut-être"], "« pass_numerique » : Cette valeur n'est pas"),
        (["--field", "couleur=bleu"], "« couleur » : Ce champ n'existe pas"),
        (["--clear", "nom"], "« nom » : Ce champ ne peut pas rester inconnu"),
        (["--field", "position=exacte"], "« position » : Ce champ ne se corrige pas directement"),
        (["--phone", "0553000002", "--until", "2020-01-01"], "« jusqu_au » : Ce dernier jour"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_and_what_is_right(portee, options, reason):
    portee.load(row("a"))
    assert reason in portee("sites", "correct", "jeu--a", *options, "--reason", "essai", code=1)
    assert listed(portee) == []


@pytest.mark.parametrize(
    "options",
    [
        ["--field", "nom"],
        ["--phone", ""],
        ["--phone", "0553000002", "--field", "telephone=0553000003"],
        ["--phone", "0553000002", "--clear", "telephone"],
    ],
)
def test_a_command_line_that_contradicts_itself_is_misuse(portee, options):
    portee("sites", "correct", "jeu--a", *options, "--reason", "essai", code=2)


def test_an_unknown_site_is_refused(portee):
    portee.load(row("a"))
    said = portee("sites", "correct", "jeu--z", "--phone", "0553000002", "--reason", "x", code=1)
    assert "Aucun lieu en service ne porte l'identifiant « jeu--z »" in said
    assert "jeu--z" in portee("sites", "close", "jeu--z", "--reason", "x", code=1)
    assert "jeu--z" in portee("sites", "corrections", "jeu--z", code=1)


def test_a_site_is_closed_and_opened_again(portee):
    portee.load(row("a"), row("b"))
    assert "fermé" in portee("sites", "close", "jeu--a", "--reason", "travaux", "--until", day(10))
    assert list(shown(portee)) == ["jeu--b"]
    assert "est déjà fermé : travaux" in portee(
        "sites", "close", "jeu--a", "--reason", "autre", "--until", day(10), code=1
    )
    portee.load(row("a"), row("b"))
    assert list(shown(portee)) == ["jeu--b"]
    assert "Ouvert de nouveau" in portee("sites", "reopen", "jeu--a")
    assert list(shown(portee)) == ["jeu--a", "jeu--b"]
    assert "n'est ni fermé ni retiré" in portee("sites", "reopen", "jeu--a", code=1)


def test_a_closing_to_come_changes_nothing_yet(portee):
    portee.load(row("a"))
    portee("sites", "close", "jeu--a", "--reason", "congés", "--on", day(1), "--until", day(8))
    assert list(shown(portee)) == ["jeu--a"]
    assert [each["state"] for each in listed(portee)] == ["a_venir"]


def test_a_retired_site_is_no_longer_listed_until_it_is_put_back(portee):
    portee.load(row("a"), row("b"))
    portee("sites", "retire", "jeu--b", "--reason", "n'est pas un lieu de médiation")
    assert list(shown(portee)) == ["jeu--a"]
    portee("sites", "reopen", "jeu--b")
    assert list(shown(portee)) == ["jeu--a", "jeu--b"]


def test_a_file_of_one_row_corrects_one_site_and_retires_none(portee, table):
    portee.load(row("a"), row("b"))
    path = table("id;Téléphone;horaires;raison\njeu--a;05 53 00 00 09;Mo 09:00-12:00;mail de la mairie\n")
    assert "rien n'a été enregistré" in portee("sites", "import-corrections", path, "--dry-run")
    assert listed(portee) == []
    portee("sites", "import-corrections", path)
    assert shown(portee) == {"jeu--a": "+33553000009", "jeu--b": "+33553000001"}
    assert shown(portee, "horaires")["jeu--a"] == "Mo 09:00-12:00"
    assert "déjà en vigueur" in portee("sites", "import-corrections", path)


def test_a_file_of_values_gives_one_of_each_row(portee, table):
    portee.load(row("a"))
    path = table(
        "id,champ,valeur,raison,jusqu_au\n"
        f"jeu--a,telephone,inconnu,essai,{day(5)}\n"
        f"jeu--a,ext_pass_numerique,oui,essai,{day(5)}\n"
    )
    portee("sites", "import-corrections", path)
    assert shown(portee) == {"jeu--a": ""} and shown(portee, "pass_numerique") == {"jeu--a": True}
    assert {each["until"] for each in listed(portee)} == {day(5)}


def test_every_problem_of_a_file_is_listed_by_line_and_nothing_is_stored(portee, table, tmp_path):
    portee.load(row("a"), row("b"))
    path = table(
        "id,telephone,courriels,raison,jusqu_au\n"
        "jeu--a,12,pas une adresse,essai,\n"
        "jeu--b,0553000004,,,2020-01-01\n"
        "jeu--z,0553000004,,essai,demain\n"
        "jeu--a,0553000005,,bon,\n"
    )
    report = tmp_path / "problemes.csv"
    said = portee("sites", "import-corrections", path, "--report", report, code=1)
    assert "Lignes à corriger : 4, problèmes : 7" in said
    answer = json.loads(portee("sites", "import-corrections", path, "--json", code=1))
    assert answer["read"] == 4 and answer["made"] == []
    assert [(each["line"], each["field"]) for each in answer["issues"]] == [
        (2, "telephone"),
        (2, "courriels"),
        (3, "raison"),
        (3, "jusqu_au"),
        (4, "jusqu_au"),
        (4, "id"),
        (5, "telephone"),
    ]
    assert report.read_text("utf-8").count("\n") == 8
    assert listed(portee) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nom,raison\nx,y\n", "n'a pas de colonne « id »"),
        ("id,couleur\nx,y\n", "« couleur »"),
        ("id,telephone,téléphone\nx,y,z\n", "deux fois"),
        ("id,champ\nx,y\n", "champ et valeur"),
        ("id,raison\nx,y\n", "aucune colonne de champ"),
        ("id,telephone\n", "aucune correction"),
    ],
)
def test_a_file_without_the_columns_of_corrections_is_refused(portee, table, text, reason):
    assert reason in portee("sites", "import-corrections", table(text), code=1)
