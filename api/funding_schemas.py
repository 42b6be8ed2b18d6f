"""Response models of the funding routes. Amounts are integer cents."""

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
    """Amounts received and spent, in cents."""

    contributed_cents: int
    matched_cents: int = Field(description="Match paid by the Département.")
    unmatched_cents: int = Field(description="Part of the match lost to the annual ceiling.")
    committed_cents: int = Field(description="Commitments, payments included.")
    paid_cents: int
    available_cents: int = Field(description="Contributions plus match, minus commitments.")


class SumsPerInhabitant(ResponseModel):
    """Amounts per inhabitant, in cents, rounded to the nearest; null without inhabitants."""

    contributed_cents: int | None
    matched_cents: int | None
    unmatched_cents: int | None
    committed_cents: int | None
    paid_cents: int | None
    available_cents: int | None


class FundLine(Sums):
    """Totals of one partner, year, funding level, action line or territory."""

    key: str = Field(description="Code of the group; empty for entries without one.")
    name: str
    leverage_percent: int | None = Field(
        description="Cents in the fund for 100 cents contributed by partners; null without contributions."
    )
    population: int | None = Field(description="Population of the territory; null for other groupings.")
    per_inhabitant: SumsPerInhabitant | None = Field(
        description="For territories only; null for other groupings."
    )
    fictif: bool = Field(description="Whether some of the data are fictitious (demonstration).")


class BalanceOut(ResponseModel):
    """Balance of the fund: contributed + matched = available + committed + paid."""

    contributed_cents: int
    matched_cents: int
    available_cents: int
    committed_cents: int = Field(description="Committed and not yet paid.")
    paid_cents: int


class FundAnswer(ResponseModel):
    """Report of the fund."""

    meta: Meta
    by: By | TerritoryKind
    by_label: str
    year: int | None = Field(description="Null for all years.")
    closed_until: str | None = Field(description="Last closed day, YYYY-MM-DD.")
    balance: BalanceOut = Field(description="Current balance, whatever the year.")
    lines: list[FundLine]
    total: FundLine


class EntryOut(ResponseModel):
    """A ledger entry: moves `amount_cents` from `source` to `destination`."""

    id: int
    kind: EntryKind
    kind_label: str
    day: str = Field(description=f"Accounting date, {DAY}")
    reference: str
    amount_cents: int
    source: Account
    destination: Account
    partner_code: str | None
    level: Level | None
    action_line: str | None
    commune: str | None
    site_id: str | None
    due_cents: int | None = Field(description="For contributions: match due at the rate, before the ceiling.")
    commitment_id: int | None
    contribution_id: int | None
    reverses: int | None
    reversed_by: int | None
    memo: str
    actor: str = Field(description="Name of the token or of the command-line user.")
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
    """Result of a posting."""

    entry: EntryOut
    match: EntryOut | None = Field(description="Match posted or reversed together with a contribution.")
    balance: BalanceOut


class CloseAnswer(ResponseModel):
    """Closed period."""

    until: str


class PartnerFacts(ResponseModel):
    """A partner of the fund or of the network."""

    code: str
    name: str
    kind: PartnerKind
    kind_label: str
    siret: str
    contact_role: str = Field(description="Job title, never a person.")
    website: str
    note: str
    network_from: str | None = Field(description=f"Start of network membership, {DAY}")
    network_to: str | None = Field(description=f"End of network membership, {DAY} Null if still a member.")
    member: bool = Field(description="Whether the partner is a member on the requested date.")
    fictif: bool


class PartnerOut(PartnerFacts):
    """A partner with its totals."""

    site_count: int
    contributed_cents: int
    matched_cents: int


class PartnersAnswer(ResponseModel):
    """Partners, by code."""

    meta: Meta
    on: str = Field(description=f"Date at which membership is evaluated, {DAY}")
    partners: list[PartnerOut]


class ConventionOut(ResponseModel):
    """A yearly agreement signed by a partner."""

    year: int
    reference: str
    note: str


class PartnerSite(ResponseModel):
    """A site run or supported by a partner; name and commune are null if it is no longer in service."""

    site_id: str
    role: SiteRole
    role_label: str
    name: str | None
    commune: str | None = Field(description="INSEE code.")


class PartnerYear(ResponseModel):
    """Contributions received in a year, reversed ones excluded."""

    year: int
    contributions: int
    contributed_cents: int
    matched_cents: int
    unmatched_cents: int


class PartnerAction(ResponseModel):
    """An action led by a partner, without its measures."""

    reference: str
    kind: str
    day: str
    until: str | None
    title: str
    commune: str
    amount_cents: int
    fictif: bool


class PartnerDetail(PartnerFacts):
    """A partner with its agreements, sites, contributions and actions."""

    conventions: list[ConventionOut]
    sites: list[PartnerSite]
    years: list[PartnerYear]
    actions: list[PartnerAction]


class PartnerAnswer(PartnerDetail):
    """A partner, with sources."""

    meta: Meta


class PartnerSaved(ResponseModel):
    """A saved partner."""

    partner: PartnerFacts
    conventions: list[ConventionOut]
    sites: list[PartnerSite]


class FunderOut(ResponseModel):
    """A funder and the number of passes it pays for."""

    partner_code: str
    count: int


class OrderOut(ResponseModel):
    """An order of passes."""

    reference: str
    day: str
    count: int
    expires_on: str = Field(description=f"Last day of validity, {DAY}")
    funders: list[FunderOut]
    face_value_cents: int
    note: str
    fictif: bool


class PassFiguresOut(ResponseModel):
    """Pass statistics; null where withheld or unknown."""

    withheld: bool = Field(description="Whether some values are withheld by statistical disclosure control.")
    given: int | None
    used: int | None
    expired: int | None
    given_cents: int | None
    used_cents: int | None
    expired_cents: int | None
    rate_of_use: float | None = Field(
        description="Passes used / passes given; may exceed 1 for a single year."
    )
    median_delay_days: int | None = Field(
        description="Median delay from gift to use (first in, first out), days."
    )
    mean_delay_days: float | None


class PassTerritory(PassFiguresOut):
    """Passes given to the inhabitants of a territory, and access to accepting sites."""

    kind: TerritoryKind
    code: str
    name: str
    population: int
    per_1000: float | None = Field(description="Passes given per 1,000 inhabitants.")
    fragile_population: int | None = Field(
        description="Population of its most fragile communes; null without `fragility`."
    )
    per_1000_fragile: float | None = Field(
        description="Passes given per 1,000 inhabitants of the most fragile communes."
    )
    used_here: int | None = Field(description="Passes used at sites in the territory; null without a token.")
    reimbursed_here: int | None = Field(
        description="Passes reimbursed to sites in the territory; null without a token."
    )
    accepting_sites: int
    nearest_site_id: str | None
    median_min: float | None = Field(description="Median travel time to an accepting site, minutes.")


class PassesAnswer(ResponseModel):
    """Pass statistics by territory."""

    meta: MetaWithMethod
    kind: TerritoryKind
    order: str | None
    year: int | None
    fragility: str | None
    threshold: int | None = Field(
        description="Smallest count published; null with a token, since nothing is withheld."
    )
    orders: list[OrderOut]
    whole: PassFiguresOut
    untold: PassFiguresOut = Field(description="Passes without a commune, or from outside the territory.")
    territories: list[PassTerritory]


class DesertOut(ResponseModel):
    """A commune where passes were given and no accepting site is within reach."""

    code: str
    name: str
    withheld: bool
    given: int | None
    used: int | None
    median_min: float | None
    nearest_site_id: str | None
    sentence: str = Field(description="Description for end users, in French.")


class DesertsAnswer(ResponseModel):
    """Pass deserts, most passes first; communes with withheld counts last."""

    meta: MetaWithMethod
    within_min: int
    mode: Mode
    order: str | None
    year: int | None
    threshold: int | None
    deserts: list[DesertOut]


class StandingOut(ResponseModel):
    """State of the passes of an order."""

    order: str
    ordered: int
    given: int
    used: int
    expired: int
    reimbursed: int
    to_give: int
    unused: int


class OrderAnswer(ResponseModel):
    """A saved order."""

    order: OrderOut
    standing: StandingOut


class RecordedAnswer(ResponseModel):
    """Number of events recorded: `new`, and `already` recorded with the same content."""

    new: int
    already: int


class ActionOut(ResponseModel):
    """An action; counts of people are null without a token."""

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
    measures: dict[str, int | float | str | None] = Field(
        description="Measures by name; null where withheld."
    )
    withheld: bool = Field(description="Whether some measures are withheld.")
    fictif: bool


class TotalOut(ResponseModel):
    """Total of one measure over the matching actions."""

    kind: str
    name: str
    label: str
    unit: str
    value: int | float | None = Field(description="Null where withheld.")
    withheld: bool
    actions: int = Field(description="Number of actions with this measure.")
    source: str = Field(description="Source of the factor of a derived measure; else empty.")
    hypothesis: str


class ActionsAnswer(ResponseModel):
    """A page of actions by date, and totals over all matching actions."""

    meta: Meta
    total: int
    limit: int
    offset: int
    links: list[PageLink]
    kind: str | None
    year: int | None
    commune: str | None
    threshold: int | None = Field(
        description="Smallest count published; null with a token, since nothing is withheld."
    )
    amount_cents: int = Field(description="Total amount of all matching actions, cents.")
    totals: list[TotalOut]
    actions: list[ActionOut]


class ActionAnswer(ResponseModel):
    """A saved action."""

    action: ActionOut


class AccountFigure(ResponseModel):
    """A figure with its date and source, the departmental mean and the previous year."""

    code: str
    label: str
    unit: str = Field(
        description="In French; « centimes » are integer cents, « part » is a fraction from 0 to 1."
    )
    value: int | float | None
    departement: int | float | None
    before: int | float | None
    withheld: list[str] = Field(description="Which of `value`, `departement`, `before` are withheld.")
    said: str = Field(description="The value with its unit, in French.")
    day: str
    source: str


class AccountSection(ResponseModel):
    """Figures about one subject."""

    code: str
    title: str
    figures: list[AccountFigure]


class AccountAnswer(ResponseModel):
    """Yearly account of a territory."""

    meta: MetaWithMethod
    kind: TerritoryKind
    code: str
    name: str
    population: int
    departement: str
    year: int
    day: str
    fictif: bool
    summary: list[str] = Field(description="Summary in French sentences.")
    sections: list[AccountSection]
    notes: list[str]
    sources: list[str]
