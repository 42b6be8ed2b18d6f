"""Text that was decoded wrongly, or that has HTML entities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sites.model import Severity
from geo.sites.mojibake import repair_mojibake, unescape_entities
from tests.support.source_files import source

FRENCH = "Médiathèque « L’Œuvre » – déjà ouverte à Noël : 5 €…"


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_french_decoded_wrongly_once_or_more_is_repaired(encoding, times):
    wrong = FRENCH
    for _ in range(times):
        wrong = wrong.encode().decode(encoding)
    assert repair_mojibake(wrong) == (FRENCH, False)


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850", "cp437"])
def test_french_read_as_an_encoding_of_macintosh_or_dos_is_repaired(encoding):
    text = "Médiathèque de la Forêt, 8 rue de l’Église, Çà et là"
    assert repair_mojibake(text.encode().decode(encoding)) == (text, False)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Aide Ã\xa0 la personne", "Aide à la personne"),
        ("Aide Ã\xa0la personne", "Aide à la personne"),
        ("Aide Ã  la personne", "Aide à la personne"),  # the no-break space became an ordinary one
        ("voilÃ\xa0!", "voilà!"),
        ("dÃ©jÃ lÃ", "déjà là"),
        ("FORÃŠT, TÃ‰LÃ‰PHONE", "FORÊT, TÉLÉPHONE"),
        ("NÂ°12", "N°12"),
        ("l’été dÃ©marre", "l’été démarre"),  # only a part is wrong
        ("Ã‡a", "Ça"),
    ],
)
def test_usual_forms_are_repaired(wrong, right):
    assert repair_mojibake(wrong) == (right, False)


@pytest.mark.parametrize(
    "text",
    [
        "SÃO PAULO",
        "JOÃO",
        "São João",
        "La lettre Ã",
        "Maison « Ã »",
        "Lettre Ã : atelier",
        "Lettre Ã\xa0: atelier",
        "« CAFÉ»",
        "CAFÉ…",
        "L’ÉTÉ",
        "ÂGE D’OR",
        "CHÂTEAU",
        "Ô Toulouse",
        "3 √2 ≈ 4",
        "Ñandú",
        "├── plan",
        "مكتبة",
        "📚 Bibliothèque",
    ],
)
def test_text_that_only_looks_like_it_does_not_change(text):
    assert repair_mojibake(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M\ufffddiath\ufffdque", "M\ufffddiath\ufffdque"),
        ("Aide Ã la personne", "Aide Ã la personne"),
        ("MÃ©diathÃ?que", "MédiathÃ?que"),
        ("l\N{LATIN SMALL LETTER A WITH CIRCUMFLEX}€ouest", "lâ€ouest"),
    ],
)
def test_what_cannot_be_decoded_back_is_left_and_said(text, expected):
    assert repair_mojibake(text) == (expected, True)


@given(st.text(st.sampled_from("abcéèàçùêîôûëïüœÀÉÈÇŒ'’ «»–-.,()0123456789€°")))
def test_correct_french_never_changes(text):
    assert repair_mojibake(text) == (text, False)


@given(st.text(st.sampled_from("aeÃÂâ€™©¨ \xa0‰ƒ‚√├é&;#x3")))
def test_a_repair_is_stable(text):
    once = repair_mojibake(unescape_entities(text))[0]
    assert repair_mojibake(once)[0] == once


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("M&eacute;diath&egrave;que", "Médiathèque"),
        ("Caf&amp;eacute; &amp; Cie", "Café & Cie"),
        ("&#233;t&#xE9;", "été"),
        ("L&rsquo;&Icirc;le", "L’Île"),
        ("R&D, A&B; C", "R&D, A&B; C"),
        ("https://exemple.fr/?a=1&copy=2&lt=3", "https://exemple.fr/?a=1&copy=2&lt=3"),
        ("https://exemple.fr/?a=1&amp;b=2", "https://exemple.fr/?a=1&b=2"),
        ("&inconnu;", "&inconnu;"),
    ],
)
def test_only_entities_of_html_are_replaced(text, plain):
    assert unescape_entities(text) == plain


def test_a_repair_of_a_record_is_reported_with_its_column_and_value(tmp_path):
    record = {
        "id": "1",
        "nom": "MÃ©diathÃ¨que fictive",
        "adresse": "8 rue de l&rsquo;Essai",
        "presentation_resume": "M\ufffddiation",
        "pivot": "",
        "commune": "Aubefeuille",
        "code_postal": "47900",
        "date_maj": "2026-01-02",
        "services": "Aide aux dÃ©marches administratives",
    }
    (row,) = source(tmp_path, [record]).rows()
    assert row.values["nom"] == "Médiathèque fictive"
    assert row.values["adresse"] == "8 rue de l’Essai"
    assert row.values["services"] == "Aide aux démarches administratives"
    assert [(i.field, i.code, i.severity) for i in row.issues] == [
        ("nom", "accents_repares", Severity.REPAIRED),
        ("adresse", "entites_html", Severity.REPAIRED),
        ("presentation_resume", "accents_illisibles", Severity.FLAGGED),
        ("services", "accents_repares", Severity.REPAIRED),
    ]
    assert row.issues[0].value == "MÃ©diathÃ¨que fictive"


def test_records_of_our_own_exports_stay_as_they_are(tmp_path):
    record = {"id": "essai--1", "nom": "MÃ©diathÃ¨que &amp; Cie", "ext_jeu_de_donnees": "essai"}
    others = dict.fromkeys(("pivot", "commune", "code_postal", "adresse", "date_maj"), "x")
    (row,) = source(tmp_path, [record | others]).rows()
    assert row.values["nom"] == record["nom"] and row.issues == ()
