"""Files of money, passes and actions: templates, and rows each accepted or rejected with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import UnreadableFile
from geo.funding.template_columns import templates
from geo.funding.templates import template_csv, template_xlsx
from geo.tables_out import README
from tests.support.funding_files import CELLS, GOOD, KINDS, KNOWN, TEMPLATES, reading, written
from tests.support.world import CONTEXT, OWN, TERRITORY

# --- templates


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_template_is_read_as_what_it_is_and_its_example_is_never_kept(kind, tmp_path):
    for suffix, made in ((".csv", template_csv), (".xlsx", template_xlsx)):
        path = tmp_path / f"{kind}{suffix}"
        path.write_bytes(made(TEMPLATES[kind]))
        found = reading(path, kind)
        assert (found.read, found.rejected, found.rows) == (1, 1, [])
        assert {issue.code for issue in found.issues} <= {
            *("exemple", "partenaire_inconnu", "commune_inconnue", "commande_inconnue", "lieu_inconnu"),
        }


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_workbook_explains_each_column(kind):
    template = TEMPLATES[kind]
    book = openpyxl.load_workbook(BytesIO(template_xlsx(template)))
    told = {row[0]: row[1:] for row in book[README].iter_rows(values_only=True) if row[0]}
    for column in template.columns:
        required, explains, allowed, _ = told[column.heading]
        assert required == ("oui" if column.required else "non") and explains and allowed
    assert [cell.value for cell in book.worksheets[1][1]] == [c.heading for c in template.columns]


def test_a_kind_of_action_declared_since_has_its_template_whatever_it_is_called():
    label = "visites : à domicile / en bus [très longues]"
    made = templates({"visits": replace(KINDS["event"], code="visits", label=label)})["action-visits"]
    assert {"Lieu", "Personnes présentes", "Identifiant du lieu"} <= {c.heading for c in made.columns}
    _, sheet = openpyxl.load_workbook(BytesIO(template_xlsx(made))).worksheets
    assert sheet.title.startswith("Actions – visites") and len(sheet.title) <= 31


# --- reading


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("kind", GOOD)
def test_good_rows_are_all_accepted(kind, suffix, tmp_path):
    found = reading(written(tmp_path, kind, GOOD[kind], suffix=suffix), kind)
    assert found.issues == [] and len(found.rows) == found.read == len(GOOD[kind])


def test_a_row_says_what_its_cells_said(tmp_path):
    first, second = (
        r.record
        for r in reading(written(tmp_path, "contributions", GOOD["contributions"]), "contributions").rows
    )
    assert (first.amount_cents, first.day, first.level) == (100_050, date(2026, 1, 15), "local")
    assert (second.amount_cents, second.day, second.commune) == (1, date(2026, 1, 16), "99002")
    [order] = (
        r.record for r in reading(written(tmp_path, "pass-orders", GOOD["pass-orders"]), "pass-orders").rows
    )
    assert order.funders == (("caf", 60), ("asso", 40)) and order.face_value_cents == 1_000


BAD = [
    ("contributions", {"reference": ""}, "Référence", "valeur_absente"),
    ("contributions", {"reference": "x" * 101}, "Référence", "reference_trop_longue"),
    ("contributions", {"day": "2026-02-30"}, "Date de réception", "date_illisible"),
    ("contributions", {"day": "2206-02-03"}, "Date de réception", "date_invraisemblable"),
    ("contributions", {"amount": "-5"}, "Montant (€)", "montant"),
    ("contributions", {"amount": "1,234"}, "Montant (€)", "montant"),
    ("contributions", {"amount": "=1+1"}, "Montant (€)", "formule"),
    ("contributions", {"partner": "inconnu"}, "Partenaire", "partenaire_inconnu"),
    ("contributions", {"level": "mondial"}, "Source", "valeur_inconnue"),
    ("contributions", {"commune": "47000"}, "Commune", "commune_inconnue"),
    ("contributions", {"commune": "Nulle-Part"}, "Commune", "commune_inconnue"),
    ("contributions", {"memo": "a\u200bb"}, "Mémo", "signes_invisibles"),
    ("contributions", {"memo": "m" * 1_001}, "Mémo", "texte_trop_long"),
    ("contributions", {"fictif": "peut-être"}, "Fictif", "oui_non"),
    ("partners", {"code": "Pas Bon"}, "Code", "refus"),
    ("partners", {"siret": "123"}, "SIRET", "refus"),
    ("partners", {"contact_role": "Jeanne, 06 12 34 56 78"}, "Fonction du contact", "refus"),
    ("conventions", {"year": "26"}, "Année", "annee_invraisemblable"),
    ("partner-sites", {"site": "essai--zzz"}, "Identifiant du lieu", "lieu_inconnu"),
    ("payments", {"commitment": ""}, "Engagement", "valeur_absente"),
    ("pass-orders", {"funders": "caf"}, "Financeurs", "financeurs_illisibles"),
    ("pass-orders", {"funders": "inconnu=100"}, "Financeurs", "partenaire_inconnu"),
    ("pass-orders", {"funders": "caf=99"}, "Référence", "refus"),
    ("pass-events", {"order": "?"}, "Commande", "commande_inconnue"),
    ("pass-events", {"day": "2026-12-01"}, "Date", "date_impossible"),
    ("pass-events", {"day": "2026-10-01"}, "Date", "date_impossible"),
    ("pass-events", {"day": "2026-01-01"}, "Date", "date_impossible"),
    ("pass-events", {"count": "-1"}, "Nombre", "correction_incomplete"),
    ("pass-events", {"count": "1,5"}, "Nombre", "nombre_illisible"),
    ("pass-events", {"commune": ""}, "Commune", "valeur_absente"),
    ("pass-events", {"kind": "used"}, "Identifiant du lieu", "valeur_absente"),
    ("pass-events", {"kind": "reimbursed", "site": "essai--a"}, "Engagement", "valeur_absente"),
    ("action-training", {"participants": "beaucoup"}, "Participants", "nombre_illisible"),
    ("action-training", {"participants": ""}, "Participants", "valeur_absente"),
    ("action-training", {"until": "2026-05-01"}, "Jusqu'au", "dates"),
    ("action-training", {"audience": "tous"}, "Public formé", "valeur_inconnue"),
    ("action-training", {"commune": "96001"}, "Commune", "commune_inconnue"),
]


@pytest.mark.parametrize(("kind", "changes", "heading", "code"), BAD)
def test_a_bad_cell_is_told_with_line_column_value_reason_and_advice(kind, changes, heading, code, tmp_path):
    row = GOOD[kind][0]
    other = {**row, "reference": "autre", "code": "autre"} if kind not in ("partner-sites",) else row
    found = reading(written(tmp_path, kind, [other, {**row, **changes}]), kind)
    assert (found.read, found.rejected, len(found.rows)) == (2, 1, 1)
    [issue] = found.issues
    assert (issue.line, issue.field, issue.code) == (3, heading, code)
    assert issue.reason
    if heading in {TEMPLATES[kind].heading(name) for name in changes}:
        assert issue.value in {value[:200] for value in changes.values()}


def test_all_that_is_wrong_with_a_row_is_told_and_it_counts_once(tmp_path):
    row = {**GOOD["contributions"][0], "amount": "rien", "day": "hier", "partner": "?"}
    found = reading(written(tmp_path, "contributions", [row]), "contributions")
    assert found.rejected == 1
    assert {issue.field for issue in found.issues} == {"Montant (€)", "Date de réception", "Partenaire"}


@pytest.mark.parametrize(("commune", "what"), [("47000", "code"), ("Nulle-Part", "nom")])
def test_an_unknown_commune_is_refused_by_what_names_it(tmp_path, commune, what):
    rows = [{**GOOD["contributions"][0], "commune": commune}]
    [issue] = reading(written(tmp_path, "contributions", rows), "contributions").issues
    assert issue.reason == f"Aucune commune du territoire ou de ses voisins ne porte ce {what}."
    assert issue.advice.startswith("Donnez son code INSEE") and issue.advice.endswith("comme 47001.")


def test_a_name_that_two_communes_bear_needs_a_code(tmp_path):
    twins = (OWN[0], replace(OWN[1], name=OWN[0].name), *OWN[2:])
    known = replace(KNOWN, territory=replace(TERRITORY, communes=twins))
    rows = [{**GOOD["contributions"][0], "commune": OWN[0].name}]
    [issue] = reading(written(tmp_path, "contributions", rows), "contributions", known).issues
    assert issue.code == "commune_ambigue" and "99001, 99002" in issue.reason
    rows = [{**GOOD["contributions"][0], "commune": CONTEXT[0].name}]
    [row] = reading(written(tmp_path, "contributions", rows), "contributions").rows
    assert row.record.commune == "96001", "a neighbour's commune is found when no own one bears its name"


def test_one_reference_twice_in_a_file(tmp_path):
    row = GOOD["contributions"][0]
    found = reading(written(tmp_path, "contributions", [row, row, {**row, "amount": "2"}]), "contributions")
    assert (found.read, found.repeated, found.rejected, len(found.rows)) == (3, 1, 1, 1)
    [issue] = found.issues
    assert (issue.line, issue.code) == (4, "reference_repetee") and "ligne 2" in issue.reason


def test_headings_may_be_english_accentless_or_in_another_order(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("MONTANT (€);day;reference;Partenaire;source\n5;2026-01-01;X;caf;Local\n", "cp1252")
    [row] = reading(path, "contributions").rows
    assert row.record.amount_cents == 500


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "vide"),
        (b"\x00\x01\x02\xff", ""),
        ("Référence;Montant (€)\nX;5\n".encode(), "Date de réception"),
        ("Référence;Date de réception;Partenaire;Montant (€);Source;Mémmo\n".encode(), "Mémmo"),
        (
            'Référence;Date de réception;Partenaire;Montant (€);Source\n"X;2026-01-01;caf;5;local\n'.encode(),
            "coupé",
        ),
        ("Référence;Date de réception;Partenaire;Montant (€);Source;day\n".encode(), "deux fois"),
        (b"x" * 1_000_001, "trop gros"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(content, told, tmp_path):
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as refusal:
        reading(path, "contributions")
    assert told in str(refusal.value)


def test_a_workbook_cut_short_is_refused(tmp_path):
    path = tmp_path / "f.xlsx"
    path.write_bytes(template_xlsx(TEMPLATES["payments"])[:3_000])
    with pytest.raises(UnreadableFile):
        reading(path, "payments")


def test_a_file_cut_within_a_row_rejects_that_row(tmp_path):
    path = written(tmp_path, "contributions", GOOD["contributions"])
    path.write_bytes(path.read_bytes()[:-30])
    found = reading(path, "contributions")
    assert (found.read, found.rejected) == (2, 1) and found.issues[0].line == 3


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_rows_hold_each_ends_accepted_or_rejected(data, tmp_path):
    kind = data.draw(st.sampled_from(sorted(TEMPLATES)))
    names = [column.name for column in TEMPLATES[kind].columns]
    base = st.sampled_from(GOOD[kind])
    rows = data.draw(
        st.lists(st.tuples(base, st.dictionaries(st.sampled_from(names), CELLS)), min_size=1, max_size=4)
    )
    path = written(tmp_path, kind, [{**row, **changes} for row, changes in rows])
    try:
        found = reading(path, kind)
    except UnreadableFile:
        return
    assert found.read == len(found.rows) + found.repeated + found.rejected
    assert len({issue.line for issue in found.issues}) == found.rejected
    assert all(issue.reason for issue in found.issues)
