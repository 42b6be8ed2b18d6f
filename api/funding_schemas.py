"""What the routes of the money answer, described. Sums are whole cents, never anything else."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Answer, Link, Meta
from geo.funding.ledger import Account, EntryKind, Level
from geo.funding.partners import PartnerKind, SiteRole
from geo.funding.reports import By
from geo.territory.model import Kind

DAY = "YYYY-MM-DD."


class Sums(Answer):
    """What came in and went out, in cents."""

    contributed_cents: int
    matched_cents: int = Field(description="What the Département added.")
    unmatched_cents: int = Field(description="What the rate would have added and the ceiling withheld.")
    committed_cents: int = Field(description="Set aside for actions, what was paid since included.")
    paid_cents: int
    available_cents: int = Field(description="Contributed and matched, less committed.")


class SumsPerInhabitant(Answer):
    """The same per inhabitant, in cents, rounded to the nearest; null without inhabitants."""

    contributed_cents: int | None
    matched_cents: int | None
    unmatched_cents: int | None
    committed_cents: int | None
    paid_cents: int | None
    available_cents: int | None


class FundLine(Sums):
    """What one partner, year, source, action line or territory sums to."""

    key: str = Field(description="Code; empty for what names none.")
    name: str
    leverage_percent: int | None = Field(
        description="Cents in the fund for 100 cents of partners; null without contributions."
    )
    population: int | None = Field(description="Inhabitants of a territory; null elsewhere.")
    per_inhabitant: SumsPerInhabitant | None = Field(description="Of a territory; null elsewhere.")
    fictif: bool = Field(description="Whether some of it is invented for demonstration.")


class BalanceOut(Answer):
    """Where all the money is: contributed + matched = available + committed + paid."""

    contributed_cents: int
    matched_cents: int
    available_cents: int
    committed_cents: int = Field(description="Set aside and not paid yet.")
    paid_cents: int


class FundAnswer(Answer):
    """What the fund did."""

    meta: Meta
    by: By | Kind
    by_label: str
    year: int | None = Field(description="Null: since the beginning.")
    closed_until: str | None = Field(description="Last closed day, YYYY-MM-DD.")
    balance: BalanceOut = Field(description="Today, whatever the year asked for.")
    lines: list[FundLine]
    total: FundLine


class EntryOut(Answer):
    """An entry: `amount_cents` moves from `source` to `destination`."""

    id: int
    kind: EntryKind
    kind_label: str
    day: str = Field(description=f"The day it counts for, {DAY}")
    reference: str
    amount_cents: int
    source: Account
    destination: Account
    partner_code: str | None
    level: Level | None
    action_line: str | None
    commune: str | None
    site_id: str | None
    due_cents: int | None = Field(description="Of a contribution: what the rate adds, ceiling aside.")
    commitment_id: int | None
    contribution_id: int | None
    reverses: int | None
    reversed_by: int | None
    memo: str
    actor: str = Field(description="Name of the token, or of whoever ran the command.")
    fictif: bool
    posted_at: str


class LedgerAnswer(Answer):
    """A page of entries."""

    limit: int
    offset: int
    links: list[Link]
    balance: BalanceOut
    entries: list[EntryOut]


class PostedAnswer(Answer):
    """What posting came to."""

    entry: EntryOut
    match: EntryOut | None = Field(description="The match that came, or went, with a contribution.")
    balance: BalanceOut


class CloseAnswer(Answer):
    """What is closed."""

    until: str


class PartnerFacts(Answer):
    """A partner of the fund or the network."""

    code: str
    name: str
    kind: PartnerKind
    kind_label: str
    siret: str
    contact_role: str = Field(description="A function, never a person.")
    website: str
    note: str
    network_from: str | None = Field(description=f"Member of the network since, {DAY}")
    network_to: str | None = Field(description=f"Until; null: still. {DAY}")
    member: bool = Field(description="Whether a member on the day asked for.")
    fictif: bool


class PartnerOut(PartnerFacts):
    """A partner in the list."""

    site_count: int
    contributed_cents: int
    matched_cents: int


class PartnersAnswer(Answer):
    """Partners by code."""

    meta: Meta
    on: str = Field(description=f"The day membership is told of, {DAY}")
    partners: list[PartnerOut]


class ConventionOut(Answer):
    """What a partner signed for a year."""

    year: int
    reference: str
    note: str


class PartnerSite(Answer):
    """A site a partner runs or supports; name and commune null when it is no longer in service."""

    site_id: str
    role: SiteRole
    role_label: str
    name: str | None
    commune: str | None = Field(description="INSEE code.")


class PartnerYear(Answer):
    """Contributions received in a year, those reversed left out."""

    year: int
    contributions: int
    contributed_cents: int
    matched_cents: int
    unmatched_cents: int


class PartnerAction(Answer):
    """An action a partner leads, without what it measures."""

    reference: str
    kind: str
    day: str
    until: str | None
    title: str
    commune: str
    amount_cents: int
    fictif: bool


class PartnerDetail(PartnerFacts):
    """A partner and what binds it to the network."""

    conventions: list[ConventionOut]
    sites: list[PartnerSite]
    years: list[PartnerYear]
    actions: list[PartnerAction]


class PartnerAnswer(PartnerDetail):
    """One partner."""

    meta: Meta


class PartnerSaved(Answer):
    """A partner as it is kept now."""

    partner: PartnerFacts
    conventions: list[ConventionOut]
    sites: list[PartnerSite]
