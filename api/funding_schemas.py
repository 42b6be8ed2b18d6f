"""What the routes of the money answer, described. Sums are whole cents, never anything else."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Meta, MetaWithMethod, PageLink, ResponseModel
from geo.funding.ledger import Account, EntryKind, Level
from geo.funding.partners import PartnerKind, SiteRole
from geo.funding.reports import By
from geo.reach.modes import Mode
from geo.territory.model import TerritoryKind

DAY = "YYYY-MM-DD."


class Sums(ResponseModel):
    """What came in and went out, in cents."""

    contributed_cents: int
    matched_cents: int = Field(description="What the Département added.")
    unmatched_cents: int = Field(description="What the rate would have added and the ceiling withheld.")
    committed_cents: int = Field(description="Set aside for actions, what was paid since included.")
    paid_cents: int
    available_cents: int = Field(description="Contributed and matched, less committed.")


class SumsPerInhabitant(ResponseModel):
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


class BalanceOut(ResponseModel):
    """Where all the money is: contributed + matched = available + committed + paid."""

    contributed_cents: int
    matched_cents: int
    available_cents: int
    committed_cents: int = Field(description="Set aside and not paid yet.")
    paid_cents: int


class FundAnswer(ResponseModel):
    """What the fund did."""

    meta: Meta
    by: By | TerritoryKind
    by_label: str
    year: int | None = Field(description="Null: since the beginning.")
    closed_until: str | None = Field(description="Last closed day, YYYY-MM-DD.")
    balance: BalanceOut = Field(description="Today, whatever the year asked for.")
    lines: list[FundLine]
    total: FundLine


class EntryOut(ResponseModel):
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


class LedgerAnswer(ResponseModel):
    """A page of entries."""

    limit: int
    offset: int
    links: list[PageLink]
    balance: BalanceOut
    entries: list[EntryOut]


class PostedAnswer(ResponseModel):
    """What posting came to."""

    entry: EntryOut
    match: EntryOut | None = Field(description="The match that came, or went, with a contribution.")
    balance: BalanceOut


class CloseAnswer(ResponseModel):
    """What is closed."""

    until: str


class PartnerFacts(ResponseModel):
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


class PartnersAnswer(ResponseModel):
    """Partners by code."""

    meta: Meta
    on: str = Field(description=f"The day membership is told of, {DAY}")
    partners: list[PartnerOut]


class ConventionOut(ResponseModel):
    """What a partner signed for a year."""

    year: int
    reference: str
    note: str


class PartnerSite(ResponseModel):
    """A site a partner runs or supports; name and commune null when it is no longer in service."""

    site_id: str
    role: SiteRole
    role_label: str
    name: str | None
    commune: str | None = Field(description="INSEE code.")


class PartnerYear(ResponseModel):
    """Contributions received in a year, those reversed left out."""

    year: int
    contributions: int
    contributed_cents: int
    matched_cents: int
    unmatched_cents: int


class PartnerAction(ResponseModel):
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


class PartnerSaved(ResponseModel):
    """A partner as it is kept now."""

    partner: PartnerFacts
    conventions: list[ConventionOut]
    sites: list[PartnerSite]


class FunderOut(ResponseModel):
    """Who pays for how many passes."""

    partner_code: str
    count: int


class OrderOut(ResponseModel):
    """A vintage of passes."""

    reference: str
    day: str
    count: int
    expires_on: str = Field(description=f"Last day they are valid, {DAY}")
    funders: list[FunderOut]
    face_value_cents: int
    note: str
    fictif: bool


class PassFigures(ResponseModel):
    """What became of passes; null where it is not told, or not known."""

    withheld: bool = Field(
        description="Whether some of it is not told: small counts of persons, and what would give them back."
    )
    given: int | None
    used: int | None
    expired: int | None
    given_cents: int | None
    used_cents: int | None
    expired_cents: int | None
    rate_of_use: float | None = Field(description="Used over given; of one year it may exceed 1.")
    median_delay_days: int | None = Field(description="From gift to use, first in first out.")
    mean_delay_days: float | None


class PassTerritory(PassFigures):
    """Passes of the inhabitants of a territory, and where they can use them."""

    kind: TerritoryKind
    code: str
    name: str
    population: int
    per_1000: float | None = Field(description="Given per 1,000 inhabitants.")
    fragile_population: int | None = Field(
        description="Inhabitants of its most fragile communes; null without `fragility`."
    )
    per_1000_fragile: float | None = Field(description="Given there per 1,000 of them.")
    used_here: int | None = Field(description="At its sites; for bearers of a token only.")
    reimbursed_here: int | None = Field(description="To its sites; for bearers of a token only.")
    accepting_sites: int
    nearest_site_id: str | None
    median_min: float | None = Field(
        description="Minutes to an accepting site that half of the people do not exceed."
    )


class PassesAnswer(ResponseModel):
    """Passes by territory."""

    meta: MetaWithMethod
    kind: TerritoryKind
    order: str | None
    year: int | None
    fragility: str | None
    threshold: int | None = Field(description="Least count of persons told; null to bearers of a token.")
    orders: list[OrderOut]
    whole: PassFigures
    untold: PassFigures = Field(description="Of no commune told, or of none of the territory.")
    territories: list[PassTerritory]


class DesertOut(ResponseModel):
    """A commune where passes were given and can't be used near enough."""

    code: str
    name: str
    withheld: bool
    given: int | None
    used: int | None
    median_min: float | None
    nearest_site_id: str | None
    sentence: str = Field(description="The same for readers, in French.")


class DesertsAnswer(ResponseModel):
    """Pass deserts, most passes first; those whose counts are withheld last."""

    meta: MetaWithMethod
    within_min: int
    mode: Mode
    order: str | None
    year: int | None
    threshold: int | None
    deserts: list[DesertOut]


class StandingOut(ResponseModel):
    """How many passes of an order are where."""

    order: str
    ordered: int
    given: int
    used: int
    expired: int
    reimbursed: int
    to_give: int
    unused: int


class OrderAnswer(ResponseModel):
    """An order as it is kept."""

    order: OrderOut
    standing: StandingOut


class RecordedAnswer(ResponseModel):
    """What became of events: `new`, and `already` kept with the same content."""

    new: int
    already: int


class ActionOut(ResponseModel):
    """An action; measures that count persons are told to bearers of a token only."""

    reference: str
    kind: str
    kind_label: str
    day: str
    until: str | None
    title: str
    commune: str
    partner_code: str | None
    site_id: str | None
    amount_cents: int
    measures: dict[str, int | float | str | None] = Field(description="By name; null where withheld.")
    withheld: bool = Field(description="Whether some measure is withheld.")
    fictif: bool


class TotalOut(ResponseModel):
    """What one measure comes to over the actions found."""

    kind: str
    name: str
    label: str
    unit: str
    value: int | float | None = Field(description="Null where withheld.")
    withheld: bool
    actions: int = Field(description="Actions that tell it.")
    source: str = Field(description="Of the factor, for what is derived; else empty.")
    hypothesis: str


class ActionsAnswer(ResponseModel):
    """A page of actions by day, and what all of those found come to."""

    meta: Meta
    total: int
    limit: int
    offset: int
    links: list[PageLink]
    kind: str | None
    year: int | None
    commune: str | None
    threshold: int | None = Field(description="Least count of persons told; null to bearers of a token.")
    amount_cents: int = Field(description="Of all actions found.")
    totals: list[TotalOut]
    actions: list[ActionOut]


class ActionAnswer(ResponseModel):
    """An action as it is kept."""

    action: ActionOut


class AccountFigure(ResponseModel):
    """A figure with its date and source, beside the département's mean and the year before."""

    code: str
    label: str
    unit: str = Field(description="In French; « centimes » are whole cents, « part » is in [0, 1].")
    value: int | float | None
    departement: int | float | None
    before: int | float | None
    withheld: list[str] = Field(description="Which of `value`, `departement`, `before` are withheld.")
    said: str = Field(description="The value in French, with its unit.")
    day: str
    source: str


class AccountSection(ResponseModel):
    """Figures of one subject."""

    code: str
    title: str
    figures: list[AccountFigure]


class AccountAnswer(ResponseModel):
    """What a territory is given and has, in a year."""

    meta: MetaWithMethod
    kind: TerritoryKind
    code: str
    name: str
    population: int
    departement: str
    year: int
    day: str
    fictif: bool
    summary: list[str] = Field(description="The account in French sentences.")
    sections: list[AccountSection]
    notes: list[str]
    sources: list[str]
