"""The tables of Portée, as SQLAlchemy sees them; migrations make them.

Geometries are in WGS 84 (EPSG:4326). Reasons and the meaning of each table: docs/store.md.
"""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem

from geo.crs import WGS84
from geo.sites import standard
from geo.sites.model import STORED_FIELDS

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def _geometry(kind: str) -> Geometry:
    # Indexes are declared below with the others, so that migrations see them.
    return Geometry(kind, srid=WGS84, spatial_index=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _texts(name: str) -> Column[list[str]]:
    return Column(name, ARRAY(Text), nullable=False)


territory = Table(
    "territory",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
)

commune = Table(
    "commune",
    metadata,
    Column("code", Text, primary_key=True),
    Column("own", Boolean, nullable=False, comment="of the territory; false: a neighbour's, as context"),
    _text("name"),
    _text("departement_code"),
    _text("departement_name"),
    _texts("postal_codes"),
    Column("population", Integer, nullable=False),
    _text("epci_code"),
    _text("epci_name"),
    _text("canton_code"),
    _text("canton_name"),
    _text("arrondissement_code"),
    _text("arrondissement_name"),
    Column("town_hall", _geometry("POINT"), nullable=False),
    Column("boundary", _geometry("MULTIPOLYGON"), nullable=False),
    Index(None, "town_hall", postgresql_using="gist"),
    Index(None, "boundary", postgresql_using="gist"),
)

grouping = Table(
    "grouping",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    _text("name"),
    _texts("communes"),
    Column("population", Integer, nullable=False),
    Column("boundary", _geometry("MULTIPOLYGON"), nullable=False),
    Column("partial", Boolean, nullable=False),
    Index(None, "boundary", postgresql_using="gist"),
)

provenance = Table(
    "provenance",
    metadata,
    Column("rank", Integer, primary_key=True, autoincrement=False),
    _text("subject"),
    _text("producer"),
    _text("vintage"),
    _text("licence"),
    Column("retrieved", Date),
)

import_run = Table(
    "import_run",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    _text("file_name"),
    _text("sha256"),
    _text("format"),
    _text("label"),
    _text("licence"),
    _texts("datasets"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in ("read", "accepted", "rejected", "flagged", "repaired")
    ),
    *(Column(name, Integer, nullable=False) for name in ("new", "changed", "unchanged", "vanished")),
    CheckConstraint("read = accepted + rejected", name="tally"),
)

import_issue = Table(
    "import_issue",
    metadata,
    Column("import_id", ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("line", Integer, nullable=False),
    _text("field"),
    _text("value"),
    _text("severity"),
    _text("code"),
    _text("reason"),
    _text("advice"),
)

_SITE_TYPES: dict[str, Column[object]] = {
    "date_maj": Column("date_maj", Date),
    "latitude": Column("latitude", Double),
    "longitude": Column("longitude", Double),
    "pass_numerique": Column("pass_numerique", Boolean),
    "membre_reseau": Column("membre_reseau", Boolean),
    "acces_fauteuil": Column("acces_fauteuil", Boolean),
    "arrets": Column("arrets", JSONB, nullable=False, comment="[[place, day, hours], …]"),
    "fictif": Column("fictif", Boolean, nullable=False),
}


def _site_columns() -> list[SchemaItem]:
    """One column for each field of `Site`, under the same name."""
    several = standard.MULTIVALUED | {"signalements"}
    return [
        _SITE_TYPES[name] if name in _SITE_TYPES else _texts(name) if name in several else _text(name)
        for name in STORED_FIELDS
    ]


site = Table(
    "site",
    metadata,
    Column("id", Text, primary_key=True, comment="public identifier: dataset--local identifier"),
    *_site_columns(),
    Column(
        "geom",
        _geometry("POINT"),
        Computed("st_setsrid(st_makepoint(longitude, latitude), 4326)", persisted=True),
    ),
    Column("first_import", ForeignKey("import_run.id"), nullable=False),
    Column(
        "last_import",
        ForeignKey("import_run.id"),
        nullable=False,
        comment="the last that brought, changed, retired or returned it",
    ),
    Column("retired_at", DateTime(timezone=True)),
    Index(None, "geom", postgresql_using="gist"),
    Index(None, "jeu_de_donnees"),
    Index(None, "code_insee"),
)

site_change = Table(
    "site_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("import_id", ForeignKey("import_run.id"), nullable=False),
    _text("site_id"),
    _text("kind"),
    Column("field", Text, comment="one of the record's when kind is 'changed'"),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind IN ('new', 'changed', 'retired', 'returned')", name="kind"),
    CheckConstraint("(kind = 'changed') = (field IS NOT NULL)", name="field"),
    Index(None, "site_id", "id"),
    Index(None, "import_id"),
)

duplicate = Table(
    "duplicate",
    metadata,
    Column("a", Text, primary_key=True),
    Column("b", Text, primary_key=True),
    Column("score", Double, nullable=False),
    _texts("reasons"),
    Column("proposed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("same", Boolean, comment="the decision; null: none yet"),
    Column("hidden", Text, comment="the record not shown when both are the same place"),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    CheckConstraint('a < b COLLATE "C"', name="ordered"),
    CheckConstraint("same IS NOT TRUE OR hidden IN (a, b)", name="hidden"),
    Index(None, "b"),
)

data_version = Table(
    "data_version",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("singleton", name="singleton"),
)

road_graph = Table(
    "road_graph",
    metadata,
    Column("checksum", Text, primary_key=True, comment="of the artefact in the roads folder"),
    _text("file_name"),
    _text("format"),
    _text("producer"),
    _text("vintage"),
    _text("licence"),
    Column("built_at", DateTime(timezone=True), nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("summary", JSONB, nullable=False, comment="nodes, edges, components, dropped"),
)

population = Table(
    "population",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    _text("label"),
    _text("producer"),
    _text("vintage"),
    _text("licence"),
    _text("file_name"),
    _text("sha256"),
    Column("cell_m", Integer, nullable=False, comment="side of a cell, metres"),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("summary", JSONB, nullable=False, comment="cells read, accepted, rejected and why"),
    CheckConstraint("cell_m > 0", name="cell_m"),
)

population_cell = Table(
    "population_cell",
    metadata,
    Column("population_id", ForeignKey("population.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("commune", Text, nullable=False, comment="the part of a cell that lies in one commune"),
    Column("point", _geometry("POINT"), nullable=False),
    Column("inhabitants", Double, nullable=False),
    Column("aged_65", Double, comment="of them, aged 65 or over; null: not told"),
    CheckConstraint("inhabitants >= 0", name="inhabitants"),
    CheckConstraint("aged_65 >= 0", name="aged_65"),
)

indicator = Table(
    "indicator",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    _text("unit"),
    _text("level"),
    _text("column_name"),
    _text("producer"),
    _text("vintage"),
    _text("licence"),
    _text("file_name"),
    _text("sha256"),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("summary", JSONB, nullable=False, comment="rows read, accepted, rejected and why"),
    CheckConstraint("level IN ('iris', 'commune')", name="level"),
)

indicator_value = Table(
    "indicator_value",
    metadata,
    Column("indicator_code", ForeignKey("indicator.code", ondelete="CASCADE"), primary_key=True),
    Column("area", Text, primary_key=True, comment="IRIS or commune, by the indicator's level"),
    _text("commune"),
    Column("value", Double, nullable=False),
    Column("inhabitants", Double, comment="of the area, where the file tells them; null: not told"),
)

address_file = Table(
    "address_file",
    metadata,
    Column("rank", Integer, primary_key=True, autoincrement=False),
    _text("file_name"),
    _text("sha256"),
    _text("producer"),
    _text("licence"),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column(
        "summary", JSONB, nullable=False, comment="rows read, accepted, doubled, outside, rejected and why"
    ),
)

address_street = Table(
    "address_street",
    metadata,
    Column("id", Text, primary_key=True, comment="of the register: commune and street, 47001_0010"),
    Column("hamlet", Boolean, nullable=False, comment="a lieu-dit rather than a street"),
    _text("name"),
    Column("kind", Text, nullable=False, comment="rue, chemin…, as names are compared, or empty"),
    Column("words", Text, nullable=False, comment="the rest of its name, likewise"),
    _text("postcode"),
    _text("commune"),
    _text("commune_name"),
    Column("former", Text, nullable=False, comment="name of its commune before a merger, or empty"),
    Column("population", Integer, nullable=False, comment="of the commune: the more likely among equals"),
    Column("point", _geometry("POINT"), nullable=False),
    Index(
        None, "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
    ),
    Index(None, "commune"),
    Index(None, "postcode"),
)  # fmt: skip

address_number = Table(
    "address_number",
    metadata,
    Column("street", ForeignKey("address_street.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("repetition", Text, primary_key=True, comment="bis, ter, a…, or empty"),
    Column("point", _geometry("POINT"), nullable=False),
    CheckConstraint("number >= 0", name="number"),
)

dated_snapshot = Table(
    "dated_snapshot",
    metadata,
    Column("name", Text, primary_key=True),
    Column("day", Date, nullable=False, comment="the day its data describe"),
    Column("last_change", BigInteger, nullable=False, comment="the last site_change that counts"),
    Column("version", BigInteger, nullable=False),
    Column("kept_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

scenario = Table(
    "scenario",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("description"),
    Column("edits", JSONB, nullable=False, comment="what is opened, closed, moved, or open at other hours"),
    Column("base_version", BigInteger, nullable=False, comment="the data's version when last saved"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

job = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    _text("kind"),
    Column("question", JSONB, nullable=False),
    Column("snapshot_version", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("progress", Double, nullable=False, server_default="0", comment="from 0 to 1"),
    Column("message", Text, nullable=False, server_default=""),
    Column("result", JSONB),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("seen_at", DateTime(timezone=True), comment="when its worker last gave a sign of life"),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    CheckConstraint("(ended_at IS NULL) = (state IN ('queued', 'running'))", name="ended"),
    CheckConstraint("(result IS NOT NULL) = (state = 'done')", name="result"),
    Index(None, "state", "asked_at"),
)

token = Table(
    "token",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    _text("name"),
    Column("sha256", Text, nullable=False, unique=True, comment="of the secret, which is told once"),
    _texts("scopes"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)

partner = Table(
    "partner",
    metadata,
    Column("code", Text, primary_key=True, comment="short name: caf-47"),
    _text("name"),
    _text("kind"),
    _text("siret"),
    Column("contact_role", Text, nullable=False, comment="a function, never a person"),
    _text("website"),
    _text("note"),
    Column("network_from", Date, comment="member of the local network from this day; null: never"),
    Column("network_to", Date, comment="to this day; null: still"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("kind IN ('public', 'association', 'operator', 'company')", name="kind"),
    CheckConstraint("network_to IS NULL OR network_to >= network_from", name="network"),
)

convention = Table(
    "convention",
    metadata,
    Column("partner_code", ForeignKey("partner.code"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("reference", Text, primary_key=True),
    _text("note"),
)

partner_site = Table(
    "partner_site",
    metadata,
    Column("partner_code", ForeignKey("partner.code"), primary_key=True),
    Column("site_id", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    CheckConstraint("role IN ('runs', 'supports')", name="role"),
)

fund_rule = Table(
    "fund_rule",
    metadata,
    Column("day", Date, primary_key=True, comment="from this day on"),
    Column(
        "rate_bp", Integer, nullable=False, comment="cents matched for 10 000 given: 10 000 is one for one"
    ),
    Column("ceiling_cents", BigInteger, comment="of the match in a calendar year; null: none"),
    _text("note"),
    CheckConstraint("rate_bp >= 0", name="rate_bp"),
    CheckConstraint("ceiling_cents >= 0", name="ceiling_cents"),
)

fund_close = Table(
    "fund_close",
    metadata,
    Column("until", Date, primary_key=True, comment="no entry may bear this day or an earlier one"),
    _text("actor"),
    Column("closed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _text("kind"),
    Column("day", Date, nullable=False, comment="the day it counts for"),
    Column("reference", Text, nullable=False, unique=True),
    Column("partner_code", Text),
    Column("level", Text, comment="source of a contribution: local, national, european"),
    Column("action_line", Text),
    Column("commune", Text, comment="INSEE code of the commune it is for"),
    Column("site_id", Text),
    Column("reverses", BigInteger),
    Column("commitment_id", BigInteger, comment="what is released or paid out of"),
    Column("contribution_id", BigInteger, comment="what is matched"),
    Column("due_cents", BigInteger, comment="of a contribution: what the rate adds to it, ceiling aside"),
    _text("memo"),
    _text("actor"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    Column("posted_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column(
        "tx",
        BigInteger,
        nullable=False,
        server_default=text("(pg_current_xact_id()::text)::bigint"),
        comment="the transaction that posted it: no other may add postings",
    ),
    CheckConstraint("level IN ('local', 'national', 'european')", name="level"),
    CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name="reverses"),
    CheckConstraint(
        "kind IN ('contribution', 'match', 'commitment', 'release', 'payment', 'reversal')", name="kind"
    ),
    CheckConstraint(
        "kind <> 'contribution' OR (partner_code IS NOT NULL AND level IS NOT NULL)", name="source"
    ),
    CheckConstraint("kind <> 'commitment' OR action_line IS NOT NULL", name="action_line"),
    CheckConstraint(
        "kind = 'reversal' OR (kind IN ('release', 'payment')) = (commitment_id IS NOT NULL)",
        name="commitment_id",
    ),
    CheckConstraint(
        "kind = 'reversal' OR (kind = 'match') = (contribution_id IS NOT NULL)", name="contribution_id"
    ),
    CheckConstraint(
        "kind = 'reversal' OR CASE WHEN kind = 'contribution' THEN coalesce(due_cents, -1) >= 0"
        " ELSE due_cents IS NULL END",
        name="due_cents",
    ),
    CheckConstraint("reference <> ''", name="reference"),
    Index(None, "partner_code", "day"),
    Index(
        "ledger_entry_reverses_key", "reverses", unique=True, postgresql_where=text("reverses IS NOT NULL")
    ),
    Index(None, "commitment_id", postgresql_where=text("commitment_id IS NOT NULL")),
    Index(None, "contribution_id", postgresql_where=text("contribution_id IS NOT NULL")),
)

ledger_posting = Table(
    "ledger_posting",
    metadata,
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", Text, primary_key=True),
    Column("amount_cents", BigInteger, nullable=False, comment="sums to 0 over an entry"),
    CheckConstraint(
        "account IN ('partners', 'departement', 'available', 'committed', 'paid')", name="account"
    ),
    CheckConstraint("amount_cents <> 0", name="amount_cents"),
)

ledger_balance = Table(
    "ledger_balance",
    metadata,
    Column("account", Text, primary_key=True),
    Column("amount_cents", BigInteger, nullable=False, comment="sum of its postings, kept by their trigger"),
    CheckConstraint(
        "account NOT IN ('available', 'committed', 'paid') OR amount_cents >= 0", name="amount_cents"
    ),
)

ledger_unposted = Table(
    "ledger_unposted",
    metadata,
    Column(
        "entries",
        BigInteger,
        nullable=False,
        comment="entries of the transaction that still lack postings: 0 at every commit",
    ),
    CheckConstraint("entries >= 0", name="entries"),
)

pass_order = Table(
    "pass_order",
    metadata,
    Column("reference", Text, primary_key=True, comment="the vintage all events of its passes bear"),
    Column("day", Date, nullable=False),
    Column("count", Integer, nullable=False),
    Column("face_value_cents", Integer, nullable=False, server_default="1000"),
    Column("expires_on", Date, nullable=False),
    Column("funders", JSONB, nullable=False, comment="[[partner code, passes], …], summing to count"),
    _text("note"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("count > 0", name="count"),
    CheckConstraint("face_value_cents > 0", name="face_value_cents"),
    CheckConstraint("expires_on >= day", name="expires_on"),
)

pass_event = Table(
    "pass_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("order_reference", ForeignKey("pass_order.reference"), nullable=False),
    _text("kind"),
    Column("day", Date, nullable=False),
    Column(
        "count", Integer, nullable=False, comment="passes; negative in the correction of an earlier event"
    ),
    Column("commune", Text, comment="given: of the inhabitants; used: of those who used them, when told"),
    Column("partner_code", ForeignKey("partner.code"), comment="given: the prescriber"),
    Column("site_id", Text, comment="used and reimbursed: the accepting site"),
    Column("corrects", ForeignKey("pass_event.id"), comment="the event some of whose passes did not happen"),
    Column("entry_id", ForeignKey("ledger_entry.id"), comment="reimbursed: the payment in the ledger"),
    _text("actor"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind IN ('given', 'used', 'expired', 'reimbursed')", name="kind"),
    CheckConstraint("count <> 0 AND (count > 0) = (corrects IS NULL)", name="count"),
    CheckConstraint("kind <> 'given' OR commune IS NOT NULL", name="given"),
    CheckConstraint("kind NOT IN ('used', 'reimbursed') OR site_id IS NOT NULL", name="site"),
    Index(None, "order_reference", "commune"),
    Index(None, "corrects"),
)


def _passes(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


# Sums over pass_event, kept by its triggers: what guards it, and what reports read.

pass_total = Table(
    "pass_total",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference", ondelete="CASCADE"), primary_key=True),
    *(_passes(name) for name in ("ordered", "given", "used", "expired", "reimbursed")),
    CheckConstraint(
        "given <= ordered AND used + expired <= given AND reimbursed <= used"
        " AND least(used, expired, reimbursed) >= 0",
        name="passes",
    ),
)

pass_day = Table(
    "pass_day",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference"), primary_key=True),
    Column("day", Date, primary_key=True),
    *(_passes(name) for name in ("given", "used", "expired")),
)

pass_site = Table(
    "pass_site",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference"), primary_key=True),
    Column("site_id", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    *(_passes(name) for name in ("used", "reimbursed")),
)

pass_commune = Table(
    "pass_commune",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference"), primary_key=True),
    Column("commune", Text, primary_key=True, comment="of the inhabitants; empty: not told"),
    Column("year", Integer, primary_key=True),
    *(_passes(name) for name in ("given", "used", "expired")),
    Column("delays", ARRAY(Integer), nullable=False, server_default="{}", comment="days from gift to use"),
    Column("delayed", ARRAY(Integer), nullable=False, server_default="{}", comment="passes of each delay"),
    CheckConstraint("cardinality(delays) = cardinality(delayed)", name="delays"),
)

action = Table(
    "action",
    metadata,
    Column("reference", Text, primary_key=True),
    _text("kind"),
    Column("day", Date, nullable=False),
    Column("until", Date, comment="last day, when it lasts"),
    _text("title"),
    _text("commune"),
    Column("partner_code", ForeignKey("partner.code")),
    Column("site_id", Text),
    Column("amount_cents", BigInteger, nullable=False, server_default="0"),
    Column("measures", JSONB, nullable=False, comment="by name, as the kind declares them"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("amount_cents >= 0", name="amount_cents"),
    CheckConstraint("until IS NULL OR until >= day", name="until"),
    Index(None, "commune"),
    Index(None, "kind", "day"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False, comment="name of a token, or of whoever ran a command"),
    _text("action"),
    Column("subject", Text, nullable=False, comment="table and key"),
    Column("before", JSONB),
    Column("after", JSONB),
    Index(None, "subject", "id"),
)

site_report = Table(
    "site_report",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    _text("site_id"),
    Column("site_name", Text, nullable=False, comment="as it was shown to the reader"),
    _text("subject"),
    _text("message"),
    Column("email", Text, nullable=False, comment="for an answer; erased when closed"),
    Column("closed_at", DateTime(timezone=True)),
    Column("outcome", Text, nullable=False, server_default=""),
    CheckConstraint("subject IN ('telephone', 'horaires', 'adresse', 'ferme', 'autre')", name="subject"),
    CheckConstraint("char_length(message) <= 1000", name="message"),
    CheckConstraint("char_length(email) <= 254", name="email"),
    CheckConstraint("closed_at IS NULL OR email = ''", name="erased"),
    Index(None, "closed_at"),
)
