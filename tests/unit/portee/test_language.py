"""One run of the command line uses one language: French by default, English when asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from babel.messages.pofile import read_po
from typer.testing import CliRunner

from geo.settings import ROOT
from portee import language
from portee.cli import app
from scripts.cli_messages import extract

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
FRENCH_WORDS = re.compile(
    r"\b(le|la|les|des|une|est|sont|par|pour|avec|dans|Affiche|Écrit|Aide|Erreur|Commandes)\b"
)
ENGLISH_WORDS = re.compile(r"\b(the|of|with|is|are|Print|Show|Usage:|Options:|Commands|default|required)\b")


@pytest.fixture(autouse=True)
def french_again() -> Iterator[None]:
    yield
    language.use_language("fr")


def run(*words: str, **environment: str) -> Any:
    return CliRunner().invoke(app, list(words), env=environment)


def messages() -> set[Any]:
    found = set()
    for path in (ROOT / "portee").rglob("*.py"):
        with path.open("rb") as source:
            found |= {message for _, _, message, _ in extract(source, (), (), {})}
    return found


def catalogue(code: str, domain: str) -> dict[Any, Any]:
    path = Path(language.LOCALE) / code / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as source:
        return {entry.id: entry.string for entry in read_po(source, locale=code) if entry.id}


def test_every_sentence_has_its_translation_with_the_same_figures():
    translated = catalogue("en", "portee")
    assert messages() == translated.keys()
    for french, english in translated.items():
        for one, other in zip(
            *((each,) if isinstance(each, str) else each for each in (french, english)), strict=True
        ):
            assert other, one
            assert set(PLACEHOLDER.findall(one)) == set(PLACEHOLDER.findall(other)), one


@pytest.mark.parametrize("words", [["--help"], ["coverage", "--help"], ["fund", "--help"], ["fund"]])
def test_help_and_misuse_are_in_one_language(words):
    french, english = run(*words).output, run(*words, PORTEE_LANG="en").output
    assert FRENCH_WORDS.search(french) and not ENGLISH_WORDS.search(french), french
    assert ENGLISH_WORDS.search(english) and not FRENCH_WORDS.search(english), english


def commands(group: Any, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("words", list(commands(typer.main.get_command(app))))
def test_the_help_of_every_command_is_in_one_language(words):
    french, english = run(*words, "--help"), run("--lang", "en", *words, "--help")
    assert french.exit_code == english.exit_code == 0
    assert not ENGLISH_WORDS.search(french.output), french.output
    assert not re.search(r"\b(le|la|les|des|une|est|sont|pour|avec)\b", english.output), english.output


def test_the_option_wins_over_the_variable():
    assert "Commands:" in run("--lang", "en", "--help", PORTEE_LANG="fr").output
    assert "Commandes :" in run("--lang=fr", "--help", PORTEE_LANG="en").output
    assert "Commandes :" in run("--help").output


def test_an_unknown_language_is_refused_by_name():
    refused = run("--lang", "de", "db", "status")
    assert refused.exit_code == 2
    assert "« de » n'est pas une langue : fr, en." in refused.stderr


@pytest.mark.parametrize(
    ("words", "french", "english"),
    [
        (["gaps", "--limit", "x"], "Valeur refusée pour '--limit' : un nombre entier", "valid integer"),
        (["gaps", "--limit", "0"], "1 au moins est attendu", "greater than or equal to 1"),
        (["gaps", "--nope"], "L'option --nope n'existe pas.", "No such option: --nope"),
        (["gasp"], "La commande 'gasp' n'existe pas. Vouliez-vous dire 'gaps' ?", "Did you mean 'gaps'?"),
        (["report"], "Il manque l'option '--out'.", "Missing option '--out'."),
        (["db", "dump", "a", "b"], "Mots en trop : b.", "unexpected extra argument(s) (b)"),
        (["gaps", "--mode"], "L'option '--mode' demande une valeur.", "requires an argument"),
        (["gaps", "--mode", "train"], "'train' n'est pas au choix", "'train' is not one of"),
        (["trend", "--where", "x"], "« x » n'est pas CHAMP=VALEUR.", '"x" is not FIELD=VALUE.'),
        (["snapshots", "keep", "a", "--day", "hier"], "n'a pas la forme '%Y-%m-%d'", "does not match"),
    ],
)
def test_misuse_is_explained_in_the_language_of_the_run(words, french, english):
    for code, said in (("fr", french), ("en", english)):
        refused = run("--lang", code, *words)
        assert refused.exit_code == 2
        assert said in refused.stderr, refused.stderr


def test_the_longest_template_answers_for_a_sentence():
    language.use_language("fr")
    assert language.foreign("No such command 'x'. Did you mean 'y'?") == (
        "La commande 'x' n'existe pas. Vouliez-vous dire 'y' ?"
    )
    assert language.foreign("Une phrase à nous.") == "Une phrase à nous."


def test_faults_of_the_database_are_explained_in_french():
    language.use_language("fr")
    for english, french in (
        (
            "The tables of portee on /tmp/p are not those this version of Portée works with.",
            "Les tables de portee sur /tmp/p ne sont pas celles qu'attend cette version de Portée.",
        ),
        ("Run: portee db migrate", "Lancez : portee db migrate"),
        (
            "The database (x on 127.0.0.1:1) does not answer: no route on the host",
            "La base (x sur 127.0.0.1:1) ne répond pas : no route on the host",
        ),
    ):
        assert language.foreign(english) == french
    language.use_language("en")
    assert language.foreign("Run: portee db migrate") == "Run: portee db migrate"


def test_a_count_takes_the_plural_of_its_language():
    for code, count, said in (
        ("fr", 0, "0 jeton."),
        ("fr", 1, "1 jeton."),
        ("fr", 2, "2 jetons."),
        ("en", 0, "0 tokens."),
        ("en", 1, "1 token."),
        ("en", 2, "2 tokens."),
    ):
        language.use_language(code)
        assert language.many("%(num)s jeton.", "%(num)s jetons.", count) == said
