"""Validation of rows: one fault at a time in a valid row, then arbitrary rows."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import UnreadableFile
from geo.sites import standard
from geo.sites import validate as validation
from geo.sites.export import COLUMNS, write_csv
from geo.sites.findings import CATALOGUE, VALUE_MAX
from geo.sites.issue_report import issue_records, issues_csv
from geo.sites.model import Issue, ItinerantStop, Position, RawRow, Severity, SourceRecord
from geo.sites.readers import open_source
from geo.sites.validate import validate
from geo.territory.files import read_territory
from geo.territory.model import Territory
from tests.support.shared import SHARED, needs_shared
from tests.support.standard_schema import violations
from tests.support.world import TERRITORY, as_site, at, record

TODAY = date(2026, 11, 23)
HERE = at(5)
VALID = {
    "id": "1",
    "pivot": "73282932000074",
    "nom": "Médiathèque d'essai",
    "commune": "Ouestville",
    "code_postal": "99100",
    "code_insee": "99001",
    "adresse": "1 place de l'Exemple",
    "latitude": repr(HERE.y),
    "longitude": repr(HERE.x),
    "telephone": "+33536490001",
    "horaires": "Mo-Fr 09:00-12:00",
    "date_maj": "2026-03-02",
    "services": "Aide aux démarches administratives",
}


def check(*rows, dataset="essai"):
    raw = [RawRow(line, values) for line, values in enumerate(rows, start=2)]
    return validate(raw, territory=TERRITORY, dataset=dataset, today=TODAY)


def one(**changes):
    """The site and the findings a valid row gives once changed."""
    result = check({**VALID, **changes})
    assert result.tally.read == 1 == result.tally.accepted + result.tally.rejected
    return (result.records[0] if result.records else None), {i.code: i for i in result.issues}


def test_a_valid_row_is_accepted_without_findings():
    found, issues = one()
    assert issues == {}
    assert found.key == "essai--1"
    assert found.position is Position.EXACTE and found.date_maj == date(2026, 3, 2)


FAR = at(38)


@pytest.mark.parametrize(
    ("changes", "code", "field", "kept"),
    [
        ({"pivot": ""}, "pivot_absent", "pivot", standard.UNKNOWN_PIVOT),
        ({"pivot": "732 829 320 00074"}, "pivot_normalise", "pivot", "73282932000074"),
        ({"pivot": "73282932000075"}, "pivot_invalide", "pivot", standard.UNKNOWN_PIVOT),
        ({"pivot": "7328293200007"}, "pivot_invalide", "pivot", standard.UNKNOWN_PIVOT),
        ({"telephone": "05 36 49 00 01"}, "telephone_normalise", "telephone", "+33536490001"),
        ({"telephone": "05 36 49 00 01 / 05 36 49 00 02"}, "telephone_multiple", "telephone", "+33536490001"),
        ({"telephone": "12"}, "telephone_invalide", "telephone", ""),
        ({"horaires": "le lundi matin"}, "horaires_illisibles", "horaires", "le lundi matin"),
        ({"horaires": "Mo 14:00-14:00"}, "horaires_illisibles", "horaires", "Mo 14:00-14:00"),
        ({"horaires": "Mo 08:30"}, "horaires_illisibles", "horaires", "Mo 08:30"),
        ({"horaires": "lundi 9h-12h"}, "horaires_corriges", "horaires", "lundi 9h-12h"),
        ({"date_maj": "02/03/2026"}, "date_normalisee", "date_maj", date(2026, 3, 2)),
        ({"date_maj": "2026-03-02T10:00:00Z"}, "date_normalisee", "date_maj", date(2026, 3, 2)),
        ({"date_maj": "2031-01-01"}, "date_inconnue", "date_maj", None),
        ({"date_maj": "31/02/2026"}, "date_inconnue", "date_maj", None),
        ({"code_insee": ""}, "code_insee_deduit", "code_insee", "99001"),
        ({"commune": "OUESTVILLE"}, "commune_normalisee", "commune", "Ouestville"),
        ({"commune": "ESTBOURG", "code_insee": ""}, "hors_commune", "code_insee", "99004"),
        ({"code_postal": "99999"}, "code_postal_discordant", "code_postal", "99999"),
        ({"commune": "Nulle-Part", "code_insee": ""}, "commune_deduite", "code_insee", "99001"),
        ({"adresse": ""}, "adresse_absente", "adresse", ""),
        ({"site_web": "exemple.fr"}, "url_completee", "site_web", ("https://exemple.fr",)),
        ({"site_web": "javascript:alert(1)"}, "url_refusee", "site_web", ()),
        ({"prise_rdv": "data:text/html,x"}, "url_refusee", "prise_rdv", ""),
        ({"courriels": "pas un mail"}, "courriel_invalide", "courriels", ()),
        (
            {"services": "aide aux demarches administratives"},
            "valeur_normalisee",
            "services",
            ("Aide aux démarches administratives",),
        ),
        ({"services": "Voler"}, "valeur_inconnue", "services", ()),
        ({"frais_a_charge": "Gratuit;Payant"}, "separateur_corrige", "frais_a_charge", ("Gratuit", "Payant")),
        (
            {"modalites_acces": "Ce lieu n’accueille pas de public"},
            "valeur_normalisee",
            "modalites_acces",
            ("Ce lieu n'accueille pas de public",),
        ),
        (
            {"latitude": repr(HERE.y).replace(".", ","), "longitude": repr(HERE.x).replace(".", ",")},
            "virgule_decimale",
            "latitude",
            HERE.y,
        ),
        ({"latitude": repr(HERE.x), "longitude": repr(HERE.y)}, "coordonnees_inversees", "latitude", HERE.y),
        ({"latitude": "0", "longitude": "0"}, "coordonnees_invalides", "position", Position.APPROXIMATIVE),
        ({"longitude": ""}, "coordonnees_invalides", "position", Position.APPROXIMATIVE),
        ({"latitude": "1e3"}, "coordonnees_invalides", "position", Position.APPROXIMATIVE),
        ({"latitude": "", "longitude": ""}, "position_approximative", "position", Position.APPROXIMATIVE),
        ({"latitude": repr(FAR.y), "longitude": repr(FAR.x)}, "hors_commune", "longitude", HERE.x),
        (
            {"presentation_resume": "mot " * 100},
            "resume_raccourci",
            "presentation_detail",
            ("mot " * 100).strip(),
        ),
        ({"nom": "A\u202eB"}, "texte_nettoye", "nom", "AB"),
        ({"ext_pass_numerique": "peut-être"}, "valeur_inconnue", "pass_numerique", None),
        ({"ext_arrets": "Halle"}, "arret_illisible", "arrets", ()),
    ],
)
def test_one_fault_is_reported_and_the_rest_of_the_record_accepted(changes, code, field, kept):
    found, issues = one(**changes)
    assert code in issues
    assert getattr(found, field) == (pytest.approx(kept) if isinstance(kept, float) else kept)
    flagged = {c for c, issue in issues.items() if issue.severity is Severity.FLAGGED}
    assert set(found.signalements) == flagged
    assert issues[code].line == 2 and issues[code].reason.endswith(".")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": " "}, "identifiant_absent"),
        ({"id": "x" * 201}, "identifiant_trop_long"),
        ({"nom": ""}, "nom_absent"),
        (
            dict.fromkeys(["commune", "code_postal", "code_insee", "latitude", "longitude"], ""),
            "lieu_introuvable",
        ),
    ],
)
def test_a_row_no_one_could_use_is_rejected(changes, code):
    found, issues = one(**changes)
    assert found is None and issues[code].severity is Severity.REJECTED


def test_an_identifier_is_taken_once_per_file():
    result = check(VALID, {**VALID, "nom": "Autre"})
    assert [s.nom for s in result.records] == ["Médiathèque d'essai"]
    assert [(i.line, i.code) for i in result.issues] == [(3, "identifiant_en_double")]


def test_one_identifier_in_two_datasets_of_a_file_is_two_sites():
    other = {**VALID, "ext_jeu_de_donnees": "autre"}
    result = check(VALID, other, {**other, "nom": "Le même"})
    assert [found.key for found in result.records] == ["essai--1", "autre--1"]
    assert [issue.code for issue in result.issues] == ["identifiant_en_double"]


@pytest.mark.parametrize(("length", "accepted"), [(200, True), (201, False)])
def test_an_identifier_has_at_most_200_characters(length, accepted):
    found, issues = one(id="x" * length)
    assert (found is not None) is accepted
    assert ("identifiant_trop_long" in issues) is not accepted


@pytest.mark.parametrize(("length", "cut"), [(280, False), (281, True)])
def test_a_summary_has_at_most_280_characters(length, cut):
    summary = "mot " * 60 + "x" * (length - 240)
    found, issues = one(presentation_resume=summary)
    assert ("resume_raccourci" in issues) is cut
    assert len(found.presentation_resume) <= 280
    assert (found.presentation_resume == summary) is not cut
    assert found.presentation_detail == (summary if cut else "")


def test_a_row_with_only_a_postal_code_is_accepted_and_one_with_nowhere_is_not():
    nowhere = dict.fromkeys(("commune", "code_insee", "code_postal", "latitude", "longitude"), "")
    assert one(**nowhere)[0] is None
    assert one(**{**nowhere, "code_postal": "99100"})[0] is not None
    assert one(**{**nowhere, "commune": "Ouestville"})[0] is not None


def test_a_point_just_outside_its_commune_is_believed():
    near = at(13)  # the border with Deux-Étangs is at 10 km
    found, issues = one(latitude=repr(near.y), longitude=repr(near.x))
    assert issues == {} and found.longitude == near.x


@pytest.mark.parametrize(
    "name", ["</script><script>", "${alert(1)}", "<img src=x onerror=y>", "مكتبة", "🐸 café"]
)
def test_names_that_look_like_code_are_text(name):
    assert one(nom=name)[0].nom == name


def test_values_quoted_in_a_report_are_bounded():
    _, issues = one(horaires="x" * 10_000)
    assert len(issues["horaires_illisibles"].value) == VALUE_MAX


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(COLUMNS),
            st.text(max_size=30) | st.sampled_from(list(VALID.values())),
            max_size=20,
        ),
        max_size=4,
    )
)
def test_whatever_the_cells_hold_every_row_is_accounted_for(rows):
    result = check(*rows)
    tally = result.tally
    assert tally.read == len(rows) == tally.accepted + tally.rejected
    assert tally.accepted == len(result.records)
    rejected = {i.line for i in result.issues if i.severity is Severity.REJECTED}
    assert len(rejected) == tally.rejected


full = record(
    "é/1",
    5,
    nom="=HYPERLINK(1)",
    adresse="'-12 rue",
    complement_adresse="+1 étage",
    pivot="73282932000074",
    telephone="+33536490001",
    courriels=("a@exemple.fr", "b@exemple.fr"),
    site_web=("https://exemple.fr/?a=1",),
    horaires="@illisible",
    presentation_resume="-résumé",
    presentation_detail='Deux\nlignes; « guillemets », "droits"',
    autres_formations_labels=("Label, et la bête",),
    formations_labels=(standard.ETAPES_NUMERIQUES,),
    pass_numerique=True,
    membre_reseau=False,
    arrets=(
        ItinerantStop("Halle, place", "Tu", "09:00-12:00"),
        ItinerantStop("Mairie", "2026-12-03", "14:00-16:00"),
    ),
    autres_telephones=("+33536490002 (accueil, le matin)", "3939"),
    telephone_remarque="poste 12",
    sur_rendez_vous=False,
    remarques_horaires=("Uniquement le matin", "=Rendez-vous conseillé"),
    fermetures=("Aug", '2026 Dec 24-2027 Jan 02 "congés"'),
    signalements=("courriel_invalide", "horaires_illisibles"),
)


def exported(*records: SourceRecord, strict: bool = False) -> str:
    stream = io.StringIO(newline="")
    write_csv([as_site(each) for each in records], stream, strict=strict)
    return stream.getvalue()


def back(tmp_path: Path, text: str, territory: Territory = TERRITORY) -> list[SourceRecord]:
    path = tmp_path / "export.csv"
    path.write_bytes(text.encode("utf-8"))
    source = open_source(path, max_bytes=10**7)
    assert source.format == "standard"
    return validate(source.rows(), territory=territory, dataset="autre", today=TODAY).records


def test_import_export_import_is_loss_free(tmp_path):
    records = [
        full,
        replace(
            full,
            local_id="2",
            position=Position.APPROXIMATIVE,
            signalements=("position_approximative",),
            horaires="",
            fictif=False,
        ),
    ]
    again = back(tmp_path, exported(*records))
    assert again == records
    assert exported(*again) == exported(*records)


PLACES = [at(x) for x in (5, 15, 35, 45, 60)]
DEGREES = [text for p in PLACES for text in (repr(p.y), repr(p.x))]
TRICKY: dict[str, st.SearchStrategy[str]] = {
    "nom": st.sampled_from(["Mairie d'Estbourg", "=x", "'=x", "@lternatif"])
    | st.text(min_size=1, max_size=9),
    "commune": st.sampled_from(["ESTBOURG", "Deux Étangs", "Le Hameau", "Désert le Vide CEDEX", ""]),
    "code_postal": st.sampled_from(["99100", "96100", "", "9910", "75001", "99123", "x"]),
    "code_insee": st.sampled_from(["99001", "99002", "96001", "99999", "75056", "", "9900", "zz"]),
    "adresse": st.sampled_from(["1 rue Estbourg", "-x", "", "place, Cedex"]),
    "complement_adresse": st.text("'=+-@\t\r\n \u2028\u202e", max_size=6),
    "latitude": st.sampled_from([*DEGREES, "", "0", "44,5", "91", "1e-7", "-120"]),
    "longitude": st.sampled_from([*DEGREES, "", "0", "0,5", "181", "-0.5"]),
    "horaires": st.sampled_from(["Mo 08:30", "24/7", "-"]) | st.text(max_size=8),
    "telephone": st.sampled_from(["0536490001/0536490002", "+34910000000", "36 31", ""]),
    "courriels": st.sampled_from(["=a@b.fr;'+c@d.fr"]) | st.text("ab@.|; ,-=+'", max_size=14),
    "site_web": st.sampled_from(["a.fr|b.fr", "https://a.fr/x;y"])
    | st.text("ahtps:/.fr|; ,-='w", max_size=20),
    "prise_rdv": st.sampled_from(["a.fr|b.fr", "Oui", ""]),
    "presentation_resume": st.text(max_size=330) | st.just("a\r\nb"),
    "presentation_detail": st.text(max_size=30) | st.just("a\r\n\rb\x0bc"),
    "structure_parente": st.text(st.characters(), max_size=5),
    "autres_formations_labels": st.text("ab|;-='", max_size=10),
    "services": st.sampled_from(standard.SERVICES) | st.text("ab|;", max_size=5),
    "date_maj": st.sampled_from(["2026-03-02", "1/2/2024", "", "2031-01-01"]),
    "pivot": st.sampled_from(["", "1", "W471000000"]),
    "ext_position": st.sampled_from(["", "approximative", "inconnue", "x"]),
    "ext_signalements": st.sampled_from(["hors_commune", "pivot_invalide|telephone_invalide", "x|y"]),
    "ext_jeu_de_donnees": st.sampled_from(["", "essai", "autre-jeu", "A", "a--b"]),
    "ext_arrets": st.sampled_from(["a @ b @ Mo,Tu 10:00-12:00", "x", "H @ 2026-02-30 10:00-11:00"]),
    "ext_fictif": st.sampled_from(["oui", "", "non"]),
    "ext_pass_numerique": st.sampled_from(["1", "0", "", "?"]),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional=TRICKY), min_size=1, max_size=3))
def test_whatever_was_accepted_survives_export_and_import(tmp_path_factory, rows):
    accepted = check(*({**VALID, "id": str(n), **row} for n, row in enumerate(rows))).records
    text = exported(*accepted)
    again = back(tmp_path_factory.mktemp("csv"), text)
    assert again == accepted
    assert exported(*again) == text


OWN = {**VALID, "id": "essai--1", "ext_jeu_de_donnees": "essai"}


def test_an_approximate_position_read_back_is_flagged_once():
    at_town_hall = {**OWN, "ext_position": "approximative", "ext_signalements": "hors_commune"}
    result = check(at_town_hall)
    assert result.records[0].position is Position.APPROXIMATIVE
    assert [i.code for i in result.issues] == ["hors_commune"]
    told = check({**at_town_hall, "ext_signalements": ""})
    assert [i.code for i in told.issues] == ["position_approximative"]


@pytest.mark.parametrize(
    ("flag", "broken", "mended"),
    [
        ("pivot_invalide", {"pivot": standard.UNKNOWN_PIVOT}, {}),
        ("telephone_invalide", {"telephone": ""}, {}),
        ("hors_commune", {"ext_position": "approximative"}, {"ext_position": ""}),
        ("horaires_illisibles", {"horaires": "le matin"}, {}),
        ("date_inconnue", {"date_maj": ""}, {}),
    ],
)
def test_an_exported_flag_holds_until_its_fault_is_fixed(flag, broken, mended):
    assert check({**OWN, "ext_signalements": flag, **broken}).records[0].signalements == (flag,)
    assert check({**OWN, "ext_signalements": flag, **mended}).records[0].signalements == ()


def test_a_flag_of_a_reader_is_carried_as_it_is():
    result = check({**OWN, "ext_signalements": "code_de_lecteur|<script>"})
    assert result.records[0].signalements == ("code_de_lecteur",)
    assert result.tally.flagged == 1


def test_a_row_names_its_own_dataset_or_takes_that_of_the_file():
    assert check(OWN, dataset="autre").records[0].key == "essai--1"
    assert check({**OWN, "ext_jeu_de_donnees": ""}, dataset="autre").records[0].key == "autre--essai--1"
    result = check({**OWN, "ext_jeu_de_donnees": "A--B"}, dataset="autre")
    assert result.records[0].jeu_de_donnees == "autre"
    assert [i.code for i in result.issues] == ["jeu_de_donnees_invalide"]


def test_a_row_its_reader_could_not_read_is_rejected_with_the_readers_reason():
    broken = Issue(2, "", "", Severity.REJECTED, "lecture", "Ligne coupée.")
    result = validate([RawRow(2, VALID, (broken,))], territory=TERRITORY, dataset="essai", today=TODAY)
    assert (result.tally.rejected, result.issues, result.records) == (1, [broken], [])


def test_progress_counts_to_the_last_row():
    told: list[int] = []
    rows = (RawRow(n, {**VALID, "id": str(n)}) for n in range(600))
    validate(rows, territory=TERRITORY, dataset="essai", today=TODAY, progress=told.append)
    assert told == sorted(told) and told[0] > 0 and told[-1] == 600


def test_a_field_of_one_web_address_reports_the_others():
    found, issues = one(prise_rdv="https://a.exemple.fr|https://b.exemple.fr")
    assert found.prise_rdv == "https://a.exemple.fr"
    assert issues["url_refusee"].value == "https://b.exemple.fr"


def test_the_summary_is_cut_at_a_word_and_nothing_of_it_is_lost():
    summary = "Atelier " * 40
    found, _ = one(presentation_resume=summary, presentation_detail="Suite.")
    assert len(found.presentation_resume) <= standard.RESUME_MAX
    assert found.presentation_resume.endswith("Atelier…")
    assert found.presentation_detail == f"{summary.strip()}\n\nSuite."


def test_a_report_reads_as_records_and_as_csv():
    result = check({**VALID, "telephone": "=1+1"})
    assert issue_records(result.issues)[0]["severity"] == "flagged"
    stream = io.StringIO(newline="")
    issues_csv(result.issues, stream)
    line = next(csv.DictReader(io.StringIO(stream.getvalue())))
    assert (line["line"], line["field"], line["value"]) == ("2", "telephone", "'=1+1")


def test_the_page_of_validation_names_every_finding_with_its_severity():
    page = (Path(__file__).resolve().parents[4] / "docs/validation.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE))
    assert told == {code: kind.severity.value for code, kind in CATALOGUE.items()}


@needs_shared
@pytest.mark.parametrize("path", sorted((SHARED / "data/sites").glob("*")), ids=lambda p: p.name)
def test_every_row_of_the_real_files_is_accounted_for_and_survives_export(path, tmp_path):
    result = read(path)
    assert result.tally.read == result.tally.accepted + result.tally.rejected > 0
    assert result.tally.accepted == len(result.records)
    for found in result.records:  # nothing of a list of the South-West is drawn in Alsace
        assert found.longitude is None or -1.6 < found.longitude < 2.3, found.nom
    assert back(tmp_path, exported(*result.records), real_territory()) == result.records
    assert violations(exported(*result.records, strict=True)) == []


@cache
def real_territory() -> Territory:
    return read_territory(Path(__file__).resolve().parents[4] / "data/communes", "47")


def read(path: Path):
    source = open_source(path, max_bytes=10**8)
    return validate(source.rows(), territory=real_territory(), dataset=source.dataset, today=TODAY)


@needs_shared
def test_monflanquin_is_not_drawn_in_alsace():
    result = read(SHARED / "data/sites/conseillers-numeriques-lieux-47-2022-12.json")
    (issue,) = (i for i in result.issues if i.code == "hors_commune")
    (found,) = (s for s in result.records if "hors_commune" in s.signalements)
    assert found.commune == "Monflanquin" and issue.value == "48.003812 / 7.56219"
    town_hall = real_territory().commune_by_code["47175"].town_hall
    assert (found.longitude, found.latitude) == (town_hall.x, town_hall.y)
    assert found.position is Position.APPROXIMATIVE


@needs_shared
def test_the_official_example_comes_in_with_one_flag():
    result = read(SHARED / "reference/standard-mediation-num.exemple-valide.v1.csv")
    (found,) = result.records
    assert found.commune == "Reims" and found.signalements == ("commune_inconnue",)
    assert (found.latitude, found.longitude) == (43.52609, 5.41423)
    (line,) = csv.DictReader(io.StringIO(exported(found, strict=True)))
    with (SHARED / "reference/standard-mediation-num.exemple-valide.v1.csv").open(encoding="utf-8") as stream:
        (given,) = csv.DictReader(stream)
    assert {**line, "id": ""} == {**given, "id": ""}


@needs_shared
def test_reims_near_aix_is_flagged_by_a_territory_that_knows_reims():
    reims = replace(
        TERRITORY.communes[0], code="51454", name="Reims", departement_code="51", postal_codes=("51100",)
    )
    territory = Territory("51", "Marne", (reims,), ())
    source = open_source(SHARED / "reference/standard-mediation-num.exemple-valide.v1.csv", max_bytes=10**6)
    result = validate(source.rows(), territory=territory, dataset="essai", today=TODAY)
    assert result.records[0].signalements == ("hors_commune",)


def test_a_file_of_more_rows_than_memory_is_meant_for_is_refused_at_the_first_beyond(monkeypatch):
    monkeypatch.setattr(validation, "ROWS_MAX", 3)
    rows = [{**VALID, "id": str(rank)} for rank in range(3)]
    assert check(*rows).tally.accepted == 3
    with pytest.raises(UnreadableFile, match="plus de 3 lieux"):
        check(*rows, {**VALID, "nom": ""})
