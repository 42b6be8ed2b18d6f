"""The header below titles, variants of column names, and a declared separator."""

from __future__ import annotations

from time import process_time

import pytest

from geo.sites.readers import open_source
from tests.support.source_files import csv_of
from tests.unit.geo.sites.readers.test_column_mapping import TABLE, with_mapping
from tests.unit.geo.sites.test_source_text import HEADER, LIEU, opened, refusal, site, written

VARIANTS = ("ID", "Pivot", " Nom ", "COMMUNE", "Code Postal", "Adresse", "Date-MAJ", "Frais à charge")


def codes(source) -> list[str]:
    return [issue.code for issue in source.issues]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "titles",
    [
        [("Liste des lieux",)],
        [("Liste des lieux", "", "", "", "", "", "", ""), ("Mise à jour", "01/10/2026")],
        [("Département", "47"), ("Lieux, ouverts; ou non",), ("",), ("(source : essai)",)],
        [(f"Titre {rank}",) for rank in range(29)],
    ],
)
def test_the_header_is_found_below_titles_and_its_row_is_told(tmp_path, titles, separator):
    source = opened(tmp_path, written([*titles, HEADER, LIEU, site(id="2")], separator))
    line = len(titles) + 1
    assert [(row.line, row.values["id"], row.issues) for row in source.rows()] == [
        (line + 1, "1", ()),
        (line + 2, "2", ()),
    ]
    (issue,) = source.issues
    assert (issue.code, issue.line) == ("entete_trouve", line)
    assert f"à la ligne {line}" in issue.reason


def test_a_header_too_far_below_is_not_searched_for(tmp_path):
    assert "pas reconnu" in refusal(tmp_path, written([*[("Titre",)] * 30, HEADER, LIEU])).message


def test_a_header_in_the_first_row_is_not_told(tmp_path):
    assert opened(tmp_path, "\n\n" + written([HEADER, LIEU])).issues == ()


def test_columns_are_known_without_case_accents_spaces_and_signs_and_this_is_told_once(tmp_path):
    source = opened(tmp_path, written([VARIANTS, LIEU, LIEU], ";"))
    rows = list(source.rows())
    assert rows[0].values == dict(zip(HEADER, LIEU, strict=True))
    assert not rows[0].issues and not rows[1].issues
    (issue,) = source.issues
    assert issue.code == "entetes_adaptes"
    assert "« Code Postal » comme « code_postal »" in issue.reason


@pytest.mark.parametrize("name", ["TÃ©lÃ©phone", "Téléphone", "téléphone :", "TELEPHONE", "Tele-phone"])
def test_a_column_the_format_does_not_need_is_read_too(tmp_path, name):
    source = opened(tmp_path, written([(*HEADER, name), (*LIEU, "05 00 00 00 00")]))
    assert [row.values["telephone"] for row in source.rows()] == ["05 00 00 00 00"]
    assert codes(source) == ["entetes_adaptes"]


def test_an_exact_name_wins_over_a_variant(tmp_path):
    source = opened(tmp_path, written([(*HEADER, "Nom"), (*LIEU, "autre")]))
    assert [row.values["nom"] for row in source.rows()] == ["Lieu fictif"]
    assert source.issues == ()


def test_two_variants_of_one_name_are_not_chosen_between(tmp_path):
    names = (*HEADER, "Téléphone", "TELEPHONE")
    source = opened(tmp_path, written([names, (*LIEU, "05 00 00 00 00", "06 00 00 00 00")]))
    assert [row.values.get("telephone") for row in source.rows()] == [None]


def test_variants_of_version_0_1_are_known_too(tmp_path):
    names = (*HEADER[:-1], "Labels nationaux", "Conditions d'accès")
    source = opened(tmp_path, written([names, (*LIEU[:-1], "Aidants Connect", "")]))
    assert source.format == "standard-v0.1"


def test_a_france_services_list_and_aidants_connect_may_have_variants(tmp_path):
    fs = csv_of(
        {"ID FS": "1", "Lib_FS": "Fictive", "Lib_com": "X", "Itinérance": "Oui", "H lundi": "09:00-12:00"}
    )
    source = opened(tmp_path, fs)
    (row,) = source.rows()
    assert source.format == "france-services"
    assert (row.values["id"], row.values["itinerance"], row.values["horaires"]) == (
        "1",
        "Itinérant",
        "Mo 09:00-12:00",
    )
    aidants = csv_of(
        {"data_pass_id": "1", "name": "X", "Siret": "", "ADRESSE": "1 rue X", "code postal": "47000"}
    )
    assert opened(tmp_path, aidants).format == "aidants-connect"


def test_a_mapping_is_matched_below_titles_and_without_case_and_accents(tmp_path):
    table = {{"Mis à jour": "MIS A JOUR", "N°": "n°"}.get(name, name): cell for name, cell in TABLE.items()}
    source = with_mapping(tmp_path, "Nos lieux;;\n\n" + csv_of(table, separator=";"))
    (row,) = source.rows()
    assert (row.line, row.values["date_maj"], row.values["adresse"]) == (4, "2026-01-02", "1 rue Fictive")
    assert codes(source) == ["entete_trouve", "entetes_adaptes"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("declared", ["sep={}", "SEP={}", '"sep={}"', "sep={}\r"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_a_declared_separator_is_used_and_its_line_is_no_title(tmp_path, separator, declared, mark):
    data = mark + declared.format(separator) + "\n" + written([HEADER, LIEU], separator)
    source = opened(tmp_path, data.encode())
    assert [(row.line, row.values["nom"]) for row in source.rows()] == [(3, "Lieu fictif")]
    assert codes(source) == ["separateur_annonce"]


def test_a_declared_separator_and_titles_in_utf_16(tmp_path):
    data = ("sep=;\r\nListe des lieux;\r\n" + written([HEADER, LIEU], ";")).encode("utf-16")
    source = opened(tmp_path, data)
    assert [row.line for row in source.rows()] == [4]
    assert codes(source) == ["separateur_annonce", "entete_trouve"]
    assert "la ligne 2 est un titre" in source.issues[1].reason


def test_a_declared_separator_alone_is_a_file_without_rows(tmp_path):
    assert "aucune ligne" in refusal(tmp_path, "sep=;\n").message


def test_files_of_known_formats_have_no_issue_of_their_own(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(written([HEADER, LIEU]), encoding="utf-8")
    assert open_source(path, max_bytes=1_000_000).issues == ()


@pytest.mark.parametrize(
    ("columns", "end"), [(12, "« c11 »."), (13, "« c11 » et 1 autre."), (14, "« c11 » et 2 autres.")]
)
def test_a_refusal_counts_the_columns_that_it_does_not_name(tmp_path, columns, end):
    assert refusal(
        tmp_path, ",".join(f"c{n}" for n in range(columns)) + "\n" + ",".join("x" * columns)
    ).message.endswith(end)


def test_rows_of_very_many_columns_are_refused_soon(tmp_path):
    wide = ",".join(f"c{n}" for n in range(40_000))
    began = process_time()
    assert "pas reconnu" in refusal(tmp_path, "\n".join([wide] * 30)).message
    assert process_time() - began < 10
