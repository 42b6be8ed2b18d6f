"""Request bodies of the funding routes. Amounts are integer cents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, model_validator

from api.body_context import body_context
from api.request_model import (
    Cents,
    CentsOrZero,
    CommuneCode,
    Expected,
    Flag,
    IsoDate,
    KnownCommune,
    KnownPartner,
    KnownSite,
    Line200,
    Memo,
    PartnerCode,
    Reference,
    RequestModel,
    SiteId,
    Text200,
    Text300,
    Year,
    known,
    member_problems,
    one_of,
    sentence,
)
from geo.errors import RefusedPasses
from geo.funding.actions import TEXT_MAX, Action, Value
from geo.funding.ledger import Commitment, Contribution, Level, Order, Payment, Release, Reversal
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole
from geo.funding.passes import COUNT_MAX, FACE_VALUE_CENTS, Event, EventKind, require_order
from geo.funding.passes import Order as PassOrder
from geo.wording import dates

LIST_MAX: Final = 1_000
FUNDERS_MAX: Final = 100
EVENTS_MAX: Final = 10_000

LevelChoice = Annotated[Level, one_of(Level)]
PartnerKindChoice = Annotated[PartnerKind, one_of(PartnerKind)]
SiteRoleChoice = Annotated[SiteRole, one_of(SiteRole)]
EventKindChoice = Annotated[EventKind, one_of(EventKind)]


class PostingBody(RequestModel):
    """Members common to all postings."""

    reference: Reference = Field(description="Unique reference; the same content again changes nothing.")
    day: IsoDate = Field(description="Accounting date, YYYY-MM-DD.")
    memo: Memo = Field(default="", description="Free text for readers of the ledger.")

    def order(self) -> Order:
        """Return the order to post."""
        raise NotImplementedError


class ContributionBody(PostingBody):
    """Money received from a partner."""

    amount_cents: Cents = Field(description="Amount in cents.")
    partner_code: KnownPartner = Field(description="Code of the partner.")
    level: LevelChoice = Field(description="Origin of the money.")
    commune: KnownCommune | None = Field(default=None, description="INSEE code of the commune concerned.")
    fictif: Flag = Field(default=False, description="Whether the record is fictitious (demonstration).")

    def order(self) -> Contribution:
        """Return the contribution to post."""
        return Contribution(**dict(self))


class CommitmentBody(PostingBody):
    """Money set aside for an action line."""

    amount_cents: Cents = Field(description="Amount in cents.")
    action_line: Line200 = Field(description="What the money is for.")
    partner_code: KnownPartner | None = Field(default=None, description="Code of the partner.")
    commune: KnownCommune | None = Field(default=None, description="INSEE code of the commune concerned.")
    site_id: KnownSite | None = Field(default=None, description="Public identifier of the site concerned.")
    fictif: Flag = Field(default=False, description="Whether the record is fictitious (demonstration).")

    def order(self) -> Commitment:
        """Return the commitment to post."""
        return Commitment(**dict(self))


class ReleaseBody(PostingBody):
    """Part or all of what is left of a commitment, made available again."""

    amount_cents: Cents = Field(description="Amount in cents.")
    commitment: Reference = Field(description="Reference of the commitment.")
    fictif: Flag = Field(default=False, description="Whether the record is fictitious (demonstration).")

    def order(self) -> Release:
        """Return the release to post."""
        return Release(**dict(self))


class PaymentBody(PostingBody):
    """Money paid out of a commitment; partner, commune and site default to those of the commitment."""

    amount_cents: Cents = Field(description="Amount in cents.")
    commitment: Reference = Field(description="Reference of the commitment.")
    partner_code: KnownPartner | None = Field(default=None, description="Code of the partner.")
    commune: KnownCommune | None = Field(default=None, description="INSEE code of the commune concerned.")
    site_id: KnownSite | None = Field(default=None, description="Public identifier of the site concerned.")
    fictif: Flag = Field(default=False, description="Whether the record is fictitious (demonstration).")

    def order(self) -> Payment:
        """Return the payment to post."""
        return Payment(**dict(self))


class ReversalBody(PostingBody):
    """An entry to reverse; a contribution is reversed with all of its match."""

    reverses: Reference = Field(description="Reference of the entry to reverse.")

    def order(self) -> Reversal:
        """Return the reversal to post."""
        return Reversal(**dict(self))


class CloseBody(RequestModel):
    """A period to close."""

    until: IsoDate = Field(description="Last day of the period, YYYY-MM-DD.")


class ConventionBody(RequestModel):
    """A yearly agreement."""

    year: Year = Field(description="Year of the agreement.")
    reference: Reference = Field(description="Reference of the deliberation or contract.")
    note: Memo = Field(default="", description="Free text.")


class SiteLinkBody(RequestModel):
    """A site that the partner runs or supports."""

    site_id: Annotated[SiteId, known("sites", "Aucun lieu ne porte cet identifiant.")] = Field(
        description="Public identifier of the site."
    )
    role: SiteRoleChoice = Field(description="Role of the partner for the site.")


class PartnerBody(RequestModel):
    """A partner to save; optional members that are absent are emptied."""

    name: Text200 = Field(description="Usual name.")
    kind: PartnerKindChoice = Field(description="Kind of partner.")
    siret: str = Field(default="", description="SIRET, 14 digits; empty if unknown.")
    contact_role: Text200 = Field(default="", description="Job title of the contact, never a person.")
    website: Text300 = Field(default="", description="URL of its website.")
    note: Memo = Field(default="", description="Free text.")
    network_from: IsoDate | None = Field(default=None, description="Start of network membership.")
    network_to: IsoDate | None = Field(default=None, description="Last day of network membership.")
    fictif: Flag = Field(default=False, description="Whether the record is fictitious (demonstration).")
    conventions: Annotated[
        list[ConventionBody], Field(max_length=LIST_MAX), Expected(f"une liste de {LIST_MAX} objets au plus")
    ] = Field(default=[], description="Agreements to add, or whose note to replace.")
    sites: Annotated[
        list[SiteLinkBody] | None,
        Field(max_length=LIST_MAX),
        Expected(f"une liste de {LIST_MAX} objets au plus"),
    ] = Field(default=None, description="All the sites it runs or supports; unchanged if absent.")

    def partner(self, code: str) -> Partner:
        """Return the partner to save under a code."""
        facts = {name: value for name, value in self if name not in ("conventions", "sites")}
        return Partner(code, **facts)

    def conventions_of(self, code: str) -> list[Convention]:
        """Return the agreements to save."""
        return [Convention(code, each.year, each.reference, each.note) for each in self.conventions]

    def links_of(self, code: str) -> list[SiteLink] | None:
        """Return the sites to link, None to leave them unchanged."""
        return None if self.sites is None else [SiteLink(code, s.site_id, s.role) for s in self.sites]


PassCount = Annotated[
    int,
    Field(strict=True, ge=1, le=COUNT_MAX),
    Expected(f"un nombre entier de pass autre que zéro, de 1 à {COUNT_MAX}"),
]


def _not_zero(value: Any) -> Any:
    if value == 0:
        raise ValueError(value)
    return value


class FunderBody(RequestModel):
    """A funder of an order."""

    partner_code: Annotated[PartnerCode, known("partners", "Aucun partenaire ne porte ce code.")] = Field(
        description="Code of the partner."
    )
    count: PassCount = Field(description="Passes it pays for.")


class PassOrderBody(RequestModel):
    """An order of passes."""

    reference: Reference = Field(description="Unique reference; the same content again changes nothing.")
    day: IsoDate = Field(description="Date of the order, YYYY-MM-DD.")
    count: PassCount = Field(description="Passes ordered.")
    expires_on: IsoDate = Field(description="Last day of validity, YYYY-MM-DD.")
    funders: Annotated[
        list[FunderBody],
        Field(min_length=1, max_length=FUNDERS_MAX),
        Expected(f"une liste de 1 à {FUNDERS_MAX} financeurs"),
    ] = Field(description="Who pays for the passes; the counts sum to `count`.")
    face_value_cents: Cents = Field(default=FACE_VALUE_CENTS, description="Face value of one pass, cents.")
    note: Memo = Field(default="", description="Free text.")
    fictif: Flag = Field(default=False, description="Whether the record is fictitious (demonstration).")

    @model_validator(mode="after")
    def _consistent(self) -> PassOrderBody:
        try:
            require_order(self.order())
        except RefusedPasses as problem:
            raise sentence(str(problem)) from None
        return self

    def order(self) -> PassOrder:
        """Return the order to save."""
        facts = {name: value for name, value in self if name != "funders"}
        return PassOrder(funders=tuple((f.partner_code, f.count) for f in self.funders), **facts)


class PassEventBody(RequestModel):
    """An event of passes: gift, use, expiry, reimbursement, or the correction of one."""

    item_label: ClassVar[str] = "Événement"

    reference: Reference = Field(description="Unique reference; the same content again changes nothing.")
    order: Reference = Field(description="Reference of the order of the passes.")
    kind: EventKindChoice = Field(description="Kind of event.")
    day: IsoDate = Field(description="Date of the event, YYYY-MM-DD.")
    count: Annotated[
        int,
        Field(strict=True, ge=-COUNT_MAX, le=COUNT_MAX),
        BeforeValidator(_not_zero),
        Expected(f"un nombre entier de pass autre que zéro, de -{COUNT_MAX} à {COUNT_MAX}"),
    ] = Field(description="Number of passes; negative in a correction.")
    commune: Annotated[
        str, Field(max_length=5), Expected("un texte de 5 caractères au plus, d'une ligne et tout visible")
    ] = Field(default="", description="INSEE code of the commune of the users.")
    partner: PartnerCode = Field(default="", description="Code of the prescriber.")
    site: SiteId = Field(default="", description="Identifier of the site of use, or that is paid.")
    corrects: Reference = Field(default="", description="Reference of the event that is corrected.")

    @model_validator(mode="after")
    def _consistent(self) -> PassEventBody:
        if problems := member_problems(self._problems()):
            raise problems
        return self

    def event(self) -> Event:
        """Return the event to record."""
        return Event(**dict(self))

    def _problems(self) -> Iterator[tuple[str, object, str]]:
        """Yield what contradicts the order or the references; the store checks the numbers of passes."""
        context = body_context()
        order = context.orders.get(self.order)
        if order is None:
            yield "order", self.order, "Aucune commande ne porte cette référence."
        elif self.day < order.day:
            yield "day", self.day, f"La commande n'a été passée que le {dates.long_date(order.day)}."
        elif self.kind in (EventKind.GIVEN, EventKind.USED) and self.day > order.expires_on:
            yield "day", self.day, f"Les pass ont expiré le {dates.long_date(order.expires_on)}."
        elif self.kind is EventKind.EXPIRED and self.day <= order.expires_on:
            yield "day", self.day, f"Les pass sont encore valables le {dates.long_date(order.expires_on)}."
        if self.day > context.today:
            yield "day", self.day, "Ce jour n'est pas encore venu."
        if (self.count < 0) != bool(self.corrects):
            yield (
                "corrects",
                self.corrects,
                "Un nombre négatif corrige un événement, et lui seul le fait : nommez-le.",
            )
        if (self.kind is EventKind.GIVEN or self.commune) and self.commune not in context.communes:
            yield "commune", self.commune, "La commune n'est pas de celles du territoire ou de ses voisins."
        if self.partner and self.partner not in context.partners:
            yield "partner", self.partner, "Aucun partenaire ne porte ce code."
        at_site = self.kind in (EventKind.USED, EventKind.REIMBURSED)
        if (at_site or self.site) and self.site not in context.sites:
            yield "site", self.site, "Aucun lieu connu, en service ou retiré, ne porte cet identifiant."


Title = Annotated[str, Field(max_length=TEXT_MAX), Expected(f"un texte de {TEXT_MAX} caractères au plus")]


class ActionBody(RequestModel):
    """An action to save."""

    reference: Reference = Field(description="Unique reference; the same content again changes nothing.")
    kind: Reference = Field(description="Code of its kind, which declares its measures.")
    day: IsoDate = Field(description="Date, or first day, YYYY-MM-DD.")
    commune: CommuneCode = Field(description="INSEE code of the commune.")
    until: IsoDate | None = Field(default=None, description="Last day, if it lasted several days.")
    title: Title = Field(default="", description="Title.")
    partner_code: PartnerCode | None = Field(default=None, description="Code of the partner that leads it.")
    site_id: SiteId | None = Field(default=None, description="Public identifier of the site.")
    amount_cents: CentsOrZero = Field(default=0, description="Cost in cents.")
    fictif: Flag = Field(default=False, description="Whether the record is fictitious (demonstration).")
    measures: dict[str, Any] = Field(
        default={},
        description="Measures declared by its kind, by name.",
        json_schema_extra={"additionalProperties": {"type": ["integer", "number", "string", "null"]}},
    )

    def action(self) -> Action:
        """Return the action to save; measures that are null are absent."""
        measures: dict[str, Value] = {n: v for n, v in self.measures.items() if v is not None}
        return Action(**{**dict(self), "measures": measures})
