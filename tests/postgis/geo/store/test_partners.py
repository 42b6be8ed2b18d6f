"""Partners, their conventions and sites: stored, refused with the reason, and each write audited."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from typer.testing import CliRunner

from geo.errors import InUse, InvalidParameter, PorteeError, UnknownPartner, UnknownSite
from geo.funding.ledger import Contribution, Level
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole, checked
from geo.services.partner_records import save_partner
from geo.store import audit, ledger, partners
from portee.cli import app
from tests.postgis.geo.store.test_store import same_place, store
from tests.support import world

ACTOR = "Animatrice du réseau"
CAF = Partner(
    "caf-99",
    "CAF fictive",
    PartnerKind.PUBLIC,
    siret="73282932000074",
    contact_role="responsable de l'inclusion numérique",
    website="https://caf.example.org",
    network_from=date(2023, 1, 1),
    network_to=date(2025, 6, 30),
    fictif=True,
)


def test_a_partner_is_read_back_as_it_was_saved_and_each_write_is_audited(connection):
    partners.save(connection, CAF, actor=ACTOR)
    partners.save(connection, CAF, actor=ACTOR)
    renamed = replace(CAF, name="Caisse fictive", network_to=None)
    partners.save(connection, renamed, actor="Autre")
    assert partners.find(connection, "caf-99") == renamed
    last, first = audit.list_(connection, "partner/caf-99")
    assert (first.actor, first.before, first.after["name"]) == (ACTOR, None, "CAF fictive")
    assert (last.actor, last.before["name"], last.after["name"]) == ("Autre", "CAF fictive", "Caisse fictive")
    assert first.after["network_to"] == "2025-06-30"


def test_links_to_merged_sites_are_listed_once_and_come_back_when_they_are_split(connection):
    store(connection, *(world.record(name, 5) for name in "abc"))
    partners.save(connection, CAF, actor=ACTOR)
    a, b, c = (SiteLink("caf-99", f"essai--{name}", SiteRole.RUNS) for name in "abc")
    supports_b = replace(b, role=SiteRole.SUPPORTS)
    for link in (a, b, supports_b, c):
        partners.link_site(connection, link, actor=ACTOR)
    same_place(connection, "essai--a", "essai--b")
    assert partners.partner_sites(connection) == [a, replace(a, role=SiteRole.SUPPORTS), c]
    partners.link_site(connection, b, actor=ACTOR)
    assert len(partners.partner_sites(connection, "caf-99")) == 3
    partners.unlink_site(connection, supports_b, actor=ACTOR)
    assert partners.partner_sites(connection, "caf-99") == [a, c]
    same_place(connection, "essai--a", "essai--b", same=False)
    assert partners.partner_sites(connection, "caf-99") == [a, b, c]
    same_place(connection, "essai--a", "essai--b")
    save_partner(connection, CAF, (), [b], actor=ACTOR)
    assert partners.partner_sites(connection) == [a]
    partners.unlink_site(connection, a, actor=ACTOR)
    assert partners.partner_sites(connection) == []


@pytest.mark.parametrize(
    ("day", "member"),
    [
        (date(2022, 12, 31), False),
        (date(2023, 1, 1), True),
        (date(2025, 6, 30), True),
        (date(2025, 7, 1), False),
    ],
)
def test_members_of_the_network_are_those_of_the_day(connection, day, member):
    other = Partner("seul", "Hors réseau", PartnerKind.COMPANY)
    for partner in (other, CAF):
        partners.save(connection, partner, actor=ACTOR)
    assert partners.list_(connection) == [CAF, other]
    assert partners.list_(connection, members_on=day) == ([CAF] if member else [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""),
        ("code", "CAF 47"),
        ("code", "a--b"),
        ("code", "a" * 61),
        ("name", "  "),
        ("siret", "73282932000075"),
        ("siret", "732"),
        ("contact_role", "jeanne@example.org"),
        ("contact_role", "Jeanne, 05 53 00 00 00"),
        ("website", "javascript:alert(1)"),
        ("network_to", date(2022, 12, 31)),
    ],
)
def test_an_invalid_partner_is_refused_by_its_field(field, value):
    with pytest.raises(InvalidParameter) as refusal:
        checked(replace(CAF, **{field: value}))
    assert refusal.value.parameter == field and refusal.value.advice
    assert checked(CAF) == CAF


def test_conventions_and_sites_are_bound_to_a_partner(connection):
    partners.save(connection, CAF, actor=ACTOR)
    store(connection, world.record("a", 5))
    first, second = Convention("caf-99", 2024, "D-12"), Convention("caf-99", 2025, "D-40", "Avenant")
    for convention in (second, first, first, replace(first, note="Signée")):
        partners.save_convention(connection, convention, actor=ACTOR)
    assert partners.conventions(connection, "caf-99") == [replace(first, note="Signée"), second]
    link = SiteLink("caf-99", "essai--a", SiteRole.RUNS)
    helps = replace(link, role=SiteRole.SUPPORTS)
    for each in (link, link, helps):
        partners.link_site(connection, each, actor=ACTOR)
    assert partners.partner_sites(connection) == [link, helps]
    partners.unlink_site(connection, helps, actor=ACTOR)
    partners.unlink_site(connection, helps, actor=ACTOR)
    assert partners.partner_sites(connection, "caf-99") == [link]
    told = [change.action for change in audit.list_(connection)]
    assert told == [
        "partner.unlink_site",
        "partner.link_site",
        "partner.link_site",
        "convention.save",
        "convention.save",
        "convention.save",
        "partner.save",
    ]


@pytest.mark.parametrize(
    ("failure", "do"),
    [
        (UnknownPartner, lambda c: partners.find(c, "nul")),
        (UnknownPartner, lambda c: partners.save_convention(c, Convention("nul", 2025, "D"), actor=ACTOR)),
        (
            InvalidParameter,
            lambda c: partners.save_convention(c, Convention("caf-99", 1999, "D"), actor=ACTOR),
        ),
        (
            InvalidParameter,
            lambda c: partners.save_convention(c, Convention("caf-99", 2025, " "), actor=ACTOR),
        ),
        (
            UnknownSite,
            lambda c: partners.link_site(c, SiteLink("caf-99", "nul", SiteRole.RUNS), actor=ACTOR),
        ),
    ],
)
def test_unknown_partners_are_refused(connection, failure, do):
    partners.save(connection, CAF, actor=ACTOR)
    with pytest.raises(failure) as refusal:
        do(connection)
    assert isinstance(refusal.value, PorteeError) and refusal.value.advice


def test_a_partner_named_by_the_ledger_cannot_be_removed(connection):
    partners.save(connection, CAF, actor=ACTOR)
    partners.save_convention(connection, Convention("caf-99", 2024, "D"), actor=ACTOR)
    ledger.set_rule(connection, MatchRule(date(2024, 1, 1)), actor=ACTOR)
    given = Contribution(
        reference="C", day=date(2025, 1, 1), amount_cents=1, partner_code="caf-99", level=Level.LOCAL
    )
    with connection.begin_nested() as inside:
        partners.remove(connection, "caf-99", actor=ACTOR)
        assert partners.list_(connection) == [] and partners.conventions(connection) == []
        assert audit.list_(connection)[0].before["conventions"][0]["reference"] == "D"
        inside.rollback()
    ledger.post(connection, given, actor=ACTOR)
    with pytest.raises(InUse):
        partners.remove(connection, "caf-99", actor=ACTOR)


# --- commands


def test_the_commands_show_a_year_of_the_fund(database_url):
    def run(*arguments: str, code: int = 0) -> str:
        told = CliRunner().invoke(app, list(arguments), env={"DATABASE_URL": database_url})
        assert told.exit_code == code, told.output
        return " ".join(told.output.replace("\u202f", " ").split())

    run(
        "partners",
        "add",
        "caf-99",
        "--name",
        "CAF",
        "--kind",
        "public",
        "--network-from",
        "2023-01-01",
        "--fictif",
    )
    assert "membre depuis le 01/01/2023" in run("partners", "list")
    run("partners", "convention", "caf-99", "2025", "D-12")
    assert json.loads(run("partners", "show", "caf-99", "--json"))["conventions"][0]["reference"] == "D-12"
    given = ("fund", "contribute", "V1", "1 000,00 €", "--partner", "caf-99", "--level", "local")
    assert "Aucune règle" in run(*given, "--day", "2025-03-01", code=1)
    assert "au plus 600 € par an" in run("fund", "rule", "set", "--from", "2025-01-01", "--ceiling", "600")
    assert "reste non abondé 400 €" in run(*given, "--day", "2025-03-01")
    run("fund", "commit", "E1", "500", "--line", "formation", "--day", "2025-03-02")
    run("fund", "pay", "P1", "120,50", "--commitment", "E1", "--day", "2025-03-03")
    assert "Il reste 379,50 €" in run(
        "fund", "pay", "P2", "379,51", "--commitment", "E1", "--day", "2025-03-03", code=1
    )
    run("fund", "release", "D1", "79.50", "--commitment", "E1", "--day", "2025-03-03")
    run("fund", "reverse", "A1", "P1", "--day", "2025-03-04")
    assert "2 décimales" in run("fund", "pay", "P3", "1,234", "--commitment", "E1", code=1).replace(
        "deux", "2"
    )
    assert "Comptes clos" in run("fund", "close", "2025-12-31", "--yes")
    late = run("fund", "reverse", "A2", "D1", "--day", "2025-12-31", code=1)
    assert "clos jusqu'au 31 décembre 2025" in late
    assert "0 abondement de plus" in run("fund", "settle", "S1", "--year", "2025", "--day", "2026-01-02")
    assert "Les comptes sont justes. Disponible : 1 179,50 €" in run("fund", "check")
    told = json.loads(run("fund", "report", "--by", "partner", "--json"))
    caf = told["lines"][0]
    assert (caf["name"], caf["contributed_cents"], caf["matched_cents"], caf["unmatched_cents"]) == (
        "CAF",
        100_000,
        60_000,
        40_000,
    )
    assert (caf["leverage"], told["lines"][-1]["committed_cents"]) == ("1.60", 42_050)
    assert "1000.00,600.00,400.00" in run("fund", "report", "--by", "year", "--csv")
    assert "1,60 € dans le fonds pour 1 € de partenaire" in run("fund", "report")
    run("partners", "remove", "caf-99", "--yes", code=1)
