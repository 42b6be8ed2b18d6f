"""`portee import` and `portee sites`, as typed, over a real PostGIS."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from geo.settings import Settings
from geo.sites import standard
from geo.store import territories
from geo.store.database import open_engine, parse_url
from portee.cli import app
from tests.postgis.geo.services.test_import_sites import record
from tests.support.world import TERRITORY

COUNTS = [
    *("read", "accepted", "rejected", "flagged", "repaired", "outside"),
    *("new", "changed", "unchanged", "vanished"),
]


@pytest.fixture
def portee(database_url, monkeypatch, tmp_path):
    """Run a command; returns its exit code, output and errors."""
    engine = open_engine(parse_url(database_url))
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def write(tmp_path):
    def written(*records, name="lieux.csv"):
        extra = sorted({column for r in records for column in r} - set(standard.FIELDS))
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=[*standard.FIELDS, *extra])
            writer.writeheader()
            writer.writerows(records)
        return path

    return written


def listed(portee, *options):
    return json.loads(portee("sites", "list", "--json", *options).stdout)["sites"]


def shown(portee, *options):
    """Identifiers of the sites listed, without their dataset."""
    return [site["id"].removeprefix("mediation-numerique--") for site in listed(portee, *options)]


def test_an_import_as_json_holds_its_counts_and_issues(portee, write):
    result = portee("import", write(record("a"), record("", nom="Anonyme fictif")), "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert list(answer)[:11] == [*COUNTS, "issues"]
    assert [answer[name] for name in ("read", "accepted", "rejected", "new")] == [2, 1, 1, 1]
    rejected = next(issue for issue in answer["issues"] if issue["severity"] == "rejected")
    assert rejected["line"] == 3 and rejected["field"] == "id" and rejected["reason"] and rejected["advice"]
    assert set(rejected) == {"line", "field", "value", "severity", "code", "reason", "advice"}


def test_several_files_as_json_are_added_up_and_told_one_by_one(portee, write):
    one, two = write(record("a"), name="un.csv"), write(record("a"), record("b"), name="deux.csv")
    answer = json.loads(portee("import", one, two, "--json").stdout)
    assert [answer[name] for name in ("read", "new", "unchanged")] == [3, 2, 1]
    assert [file["file"] for file in answer["files"]] == ["un.csv", "deux.csv"]
    assert [file["new"] for file in answer["files"]] == [1, 1]


def test_a_dry_run_tells_each_field_and_stores_nothing(portee, write):
    portee("import", write(record("a"), record("b")))
    newer = write(record("a", telephone="+33553000000"), record("c"))
    result = portee("import", newer, "--dry-run")
    assert result.exit_code == 0
    assert "telephone : (vide) → +33553000000" in result.stdout
    assert "Nouveau : Lieu fictif c, Ouestville [mediation-numerique--c]" in result.stdout
    assert "Disparu : Lieu fictif b, Ouestville [mediation-numerique--b]" in result.stdout
    assert "rien n'a été enregistré" in result.stdout
    assert shown(portee) == ["a", "b"]


def test_a_dry_run_warns_of_a_retirement_that_would_be_refused(portee, write):
    portee("import", write(record("a"), record("b"), record("c")))
    result = portee("import", write(record("a")), "--dry-run")
    assert result.exit_code == 0 and "retirerait 2 des 3 lieux" in result.stdout
    answer = json.loads(portee("import", write(record("a")), "--dry-run", "--json").stdout)
    assert answer["dry_run"] is True and "retirerait 2 des 3 lieux" in answer["suspicious"]


def test_a_refused_file_ends_the_command_but_not_what_came_before(portee, write, tmp_path):
    empty = tmp_path / "vide.csv"
    empty.touch()
    result = portee("import", write(record("a")), empty, write(record("z"), name="jamais.csv"))
    assert result.exit_code == 1
    assert "vide" in result.stderr
    assert shown(portee) == ["a"]


def test_a_file_without_one_usable_record_is_a_failure(portee, write):
    assert portee("import", write(record("a", nom=""))).exit_code == 1


def test_a_suspicious_retirement_is_refused_until_it_is_accepted(portee, write):
    portee("import", write(record("a"), record("b"), record("c")))
    shrunk = write(record("a"))
    refused = portee("import", shrunk)
    assert refused.exit_code == 1 and "--accept-vanished" in refused.stderr
    assert portee("import", shrunk, "--accept-vanished").exit_code == 0
    assert shown(portee) == ["a"]


@pytest.mark.parametrize("name", ["Mon jeu", "a--b", "../x", "É"])
def test_a_dataset_name_that_would_break_identifiers_is_misuse(portee, write, name):
    assert portee("import", write(record("a")), "--dataset", name).exit_code == 2


def test_issues_are_grouped_by_kind_with_their_first_lines(portee, write):
    spoilt = [record(f"x{n}", horaires="quand on peut") for n in range(5)]
    output = portee("import", write(*spoilt)).stdout
    assert "Signalement, 5 × horaires_illisibles (horaires)" in output
    assert "ligne 2 « quand on peut », ligne 3 « quand on peut »" in output and "et 2 autres" in output


@pytest.mark.parametrize(("rows", "rest"), [(3, ""), (4, ", et 1 autre\n"), (5, ", et 2 autres\n")])
def test_the_lines_that_are_not_printed_are_counted_in_the_right_number(portee, write, rows, rest):
    output = portee("import", write(*(record(f"x{n}", horaires="quand on peut") for n in range(rows)))).stdout
    assert f"ligne 4 « quand on peut »{rest or chr(10)}" in output


def test_issues_of_two_fields_are_not_grouped_under_the_advice_of_one(portee, write):
    unknown = record("a", services="Scanner"), record("b", frais_a_charge="Troc")
    output = portee("import", write(*unknown)).stdout
    assert "Signalement, 1 × valeur_inconnue (services)" in output
    _, of_prices = output.split("Signalement, 1 × valeur_inconnue (frais_a_charge)")
    advice, lines = of_prices.strip().splitlines()[:2]
    assert "« Gratuit sous condition »" in advice and "ligne 3 « Troc »" in lines and "Scanner" not in lines


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_report_holds_every_issue(portee, write, tmp_path, suffix):
    report = tmp_path / f"rapport{suffix}"
    spoilt = [record(f"x{n}", horaires="quand on peut") for n in range(5)]
    assert portee("import", write(*spoilt), "--report", report).exit_code == 0
    text = report.read_text(encoding="utf-8")
    issues = list(csv.DictReader(io.StringIO(text))) if suffix == ".csv" else json.loads(text)["issues"]
    assert sum(issue["code"] == "horaires_illisibles" for issue in issues) == 5


def test_what_a_file_says_cannot_act_on_the_terminal(portee, write):
    evil = record("a", nom="[bold]Fictif[/bold] \x1b[31mrouge", telephone="[/] \x1b]0;titre\x07")
    output = portee("import", write(evil)).stdout + portee("sites", "list").stdout
    assert "[bold]Fictif[/bold]" in output
    assert "\x1b" not in output and "\x07" not in output


def test_half_a_character_in_a_name_does_not_stop_the_report(portee, tmp_path):
    lists = {"structureId": "fictif", "nb_aidants": 1, "conditions_access": "", "labels_nationaux": "CNFS"}
    place = record("a", nom="Fictif \ud83d", horaires="\ud83d", services="", source="", **lists)
    path = tmp_path / "moitié-\udcff.json"
    path.write_text(json.dumps([place]), encoding="ascii")
    for suffix in (".json", ".csv"):
        answer = json.loads(
            portee("import", path, "--json", "--report", tmp_path / f"rapport{suffix}").stdout
        )
        assert answer["accepted"] == 1 and answer["issues"]
        assert (tmp_path / f"rapport{suffix}").read_text(encoding="utf-8")
    assert portee("import", path).exit_code == 0


def test_sites_are_listed_by_any_field(portee, write):
    portee("import", write(record("a", frais_a_charge="Gratuit"), record("b", frais_a_charge="Payant")))
    assert shown(portee, "--where", "frais_a_charge=Payant") == ["b"]
    assert len(listed(portee, "--limit", "1")) == 1
    assert portee("sites", "list", "--where", "frais_a_charge=Cher").exit_code == 2


def test_a_check_names_the_sites_behind_each_finding(portee, write):
    portee(
        "import",
        write(
            record("a", horaires=""),
            record("b", horaires="quand on peut"),
            record("c", latitude="", longitude="", horaires="mardi 9h-12h"),
        ),
    )
    answer = json.loads(portee("sites", "check", "--json").stdout)
    assert answer["sites"] == 3 and answer["datasets"] == {"mediation-numerique": 3}
    assert answer["findings"]["horaires_inconnus"] == ["mediation-numerique--a", "mediation-numerique--b"]
    assert answer["findings"]["horaires_corriges"] == ["mediation-numerique--c"]
    assert answer["findings"]["horaires_illisibles"] == ["mediation-numerique--b"]
    assert answer["findings"]["a_la_mairie"] == ["mediation-numerique--c"]
    assert "horaires_inconnus" in portee("sites", "check").stdout


def test_a_pair_is_decided_and_decided_otherwise(portee, write):
    portee("import", write(record("a", adresse="")), "--dataset", "un")
    portee("import", write(record("a", 5.05, adresse="")), "--dataset", "deux")
    (pair,) = json.loads(portee("sites", "duplicates", "--json").stdout)
    assert (pair["a"], pair["b"]) == ("deux--a", "un--a") and pair["reasons"]
    assert "deux--a" in portee("sites", "duplicates").stdout
    checked = json.loads(portee("sites", "check", "--json").stdout)
    assert checked["range"] == {"low": 1, "high": 2, "questions": 1}
    assert "2 lieux, entre 1 et 2 selon 1 question à trancher." in portee("sites", "check").stdout

    assert portee("sites", "decide", "un--a", "deux--a", "--same").exit_code == 0
    assert json.loads(portee("sites", "duplicates", "--json").stdout) == []
    (decided,) = json.loads(portee("sites", "duplicates", "--all", "--json").stdout)
    assert decided["same"] is True
    (site,) = listed(portee)
    assert (site["id"], site["records"]) == ("un--a", ["deux--a", "un--a"])
    for dataset in ("un", "deux"):
        assert len(listed(portee, "--where", f"jeu_de_donnees={dataset}")) == 1
    checked = json.loads(portee("sites", "check", "--json").stdout)
    assert (checked["sites"], checked["datasets"]) == (1, {"deux": 1, "un": 1})
    assert "selon" not in portee("sites", "check").stdout
    portee("sites", "decide", "un--a", "deux--a", "--different")
    (decided,) = json.loads(portee("sites", "duplicates", "--all", "--json").stdout)
    assert decided["same"] is False
    assert [site["id"] for site in listed(portee)] == ["deux--a", "un--a"]
    assert portee("sites", "decide", "un--a", "nul--x", "--same").exit_code == 1
    assert portee("sites", "decide", "un--a", "deux--a").exit_code == 2


def test_an_export_imported_again_changes_nothing(portee, write, tmp_path):
    portee("import", write(record("a", ext_pass_numerique="true", nom="=1+1 fictif"), record("b")))
    out = tmp_path / "export.csv"
    assert portee("sites", "export", out).exit_code == 0
    assert out.read_text(encoding="utf-8").splitlines()[0].startswith(",".join(standard.FIELDS) + ",ext_")
    answer = json.loads(portee("import", out, "--json").stdout)
    assert [answer[name] for name in ("new", "changed", "unchanged", "vanished")] == [0, 0, 2, 0]
    assert portee("sites", "export", "-").stdout == out.read_text(encoding="utf-8")


def test_a_strict_export_has_the_standards_columns_alone(portee, write, tmp_path):
    portee("import", write(record("a")))
    out = tmp_path / "export.csv"
    portee("sites", "export", out, "--strict")
    assert out.read_text(encoding="utf-8").splitlines()[0] == ",".join(standard.FIELDS)


@pytest.mark.parametrize(
    ("name", "options", "start"),
    [
        ("lieux.csv", (), b"id,pivot,nom,"),
        ("LIEUX.XLSX", (), b"PK"),
        ("lieux.geojson", (), b'{"type":"FeatureCollection"'),
        ("lieux.gpkg", (), b"SQLite format 3"),
        ("lieux.txt", ("--format", "csv-strict"), b"id,pivot,nom,"),
        ("lieux.csv", ("--format", "xlsx"), b"PK"),
    ],
)
def test_the_format_of_an_export_is_that_of_its_name_or_the_one_given(
    portee, write, tmp_path, name, options, start
):
    portee("import", write(record("a")))
    out = tmp_path / name
    assert portee("sites", "export", "-o", out, *options).exit_code == 0
    assert out.read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["export.xlsx", "export.geojson"])
def test_a_typed_export_imported_again_changes_nothing(portee, write, tmp_path, name):
    portee("import", write(record("a", ext_pass_numerique="true", nom="=1+1 fictif"), record("b")))
    assert portee("sites", "export", tmp_path / name).exit_code == 0
    counts = json.loads(portee("import", tmp_path / name, "--json").stdout)
    assert [counts[name] for name in ("new", "changed", "unchanged", "vanished")] == [0, 0, 2, 0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lieux.xls",), "ne dit pas son format"),
        (("lieux",), ".gpkg"),
        ((), "donnez un fichier"),
        (("a.csv", "-o", "b.csv"), "donnez un fichier"),
        (("a.xlsx", "--format", "xlsx", "--strict"), "seul le CSV"),
        (("a.csv", "--format", "pdf"), "csv-strict"),
    ],
)
def test_an_export_that_is_not_clear_is_refused_before_anything_is_read(portee, words, sentence):
    result = portee("sites", "export", *words)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_an_export_that_cannot_be_written_leaves_nothing_behind(portee, write, tmp_path, monkeypatch):
    portee("import", write(record("a")))
    out = tmp_path / "export.csv"
    out.write_text("avant", encoding="utf-8")

    def fail(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("portee.commands.sites.write_sites", fail)
    assert portee("sites", "export", out).exit_code == 2
    assert out.read_text(encoding="utf-8") == "avant"
    assert [p.name for p in tmp_path.glob(".export*")] == []


def test_a_database_that_is_away_is_said_in_one_sentence(write, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert Settings().database_url
    for code, expected in (("en", "does not answer"), ("fr", "ne répond pas")):
        result = CliRunner().invoke(app, ["--lang", code, "import", str(write(record("a")))])
        assert result.exit_code == 3 and expected in result.stderr
