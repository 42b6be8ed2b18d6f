"""Tables of the territory and what is loaded over it: roads, population, indicators, addresses."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from geo.store.tables.base import geometry, metadata, text_column, texts_column

territory = Table(
    "territory",
    metadata,
    Column("code", Text, primary_key=True),
    text_column("name"),
)

commune = Table(
    "commune",
    metadata,
    Column("code", Text, primary_key=True),
    Column("own", Boolean, nullable=False, comment="of the territory; false: a neighbour's, as context"),
    text_column("name"),
    text_column("departement_code"),
    text_column("departement_name"),
    texts_column("postal_codes"),
    Column("population", Integer, nullable=False),
    text_column("epci_code"),
    text_column("epci_name"),
    text_column("canton_code"),
    text_column("canton_name"),
    text_column("arrondissement_code"),
    text_column("arrondissement_name"),
    Column("town_hall", geometry("POINT"), nullable=False),
    Column("boundary", geometry("MULTIPOLYGON"), nullable=False),
    Index(None, "town_hall", postgresql_using="gist"),
    Index(None, "boundary", postgresql_using="gist"),
)

grouping = Table(
    "grouping",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    text_column("name"),
    texts_column("communes"),
    Column("population", Integer, nullable=False),
    Column("boundary", geometry("MULTIPOLYGON"), nullable=False),
    Column("partial", Boolean, nullable=False),
    Index(None, "boundary", postgresql_using="gist"),
)

provenance = Table(
    "provenance",
    metadata,
    Column("rank", Integer, primary_key=True, autoincrement=False),
    text_column("subject"),
    text_column("producer"),
    text_column("vintage"),
    text_column("licence"),
    Column("retrieved", Date),
)

road_graph = Table(
    "road_graph",
    metadata,
    Column("checksum", Text, primary_key=True, comment="of the artefact in the roads folder"),
    text_column("file_name"),
    text_column("format"),
    text_column("producer"),
    text_column("vintage"),
    text_column("licence"),
    Column("built_at", DateTime(timezone=True), nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("summary", JSONB, nullable=False, comment="nodes, edges, components, dropped"),
)

population = Table(
    "population",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    text_column("label"),
    text_column("producer"),
    text_column("vintage"),
    text_column("licence"),
    text_column("file_name"),
    text_column("sha256"),
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
    Column("point", geometry("POINT"), nullable=False),
    Column("inhabitants", Double, nullable=False),
    Column("aged_65", Double, comment="of them, aged 65 or over; null: not told"),
    CheckConstraint("inhabitants >= 0", name="inhabitants"),
    CheckConstraint("aged_65 >= 0", name="aged_65"),
)

indicator = Table(
    "indicator",
    metadata,
    Column("code", Text, primary_key=True),
    text_column("name"),
    text_column("unit"),
    text_column("level"),
    text_column("column_name"),
    text_column("producer"),
    text_column("vintage"),
    text_column("licence"),
    text_column("file_name"),
    text_column("sha256"),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("summary", JSONB, nullable=False, comment="rows read, accepted, rejected and why"),
    CheckConstraint("level IN ('iris', 'commune')", name="level"),
)

indicator_value = Table(
    "indicator_value",
    metadata,
    Column("indicator_code", ForeignKey("indicator.code", ondelete="CASCADE"), primary_key=True),
    Column("area", Text, primary_key=True, comment="IRIS or commune, by the indicator's level"),
    text_column("commune"),
    Column("value", Double, nullable=False),
    Column("inhabitants", Double, comment="of the area, where the file tells them; null: not told"),
)

address_file = Table(
    "address_file",
    metadata,
    Column("rank", Integer, primary_key=True, autoincrement=False),
    text_column("file_name"),
    text_column("sha256"),
    text_column("producer"),
    text_column("licence"),
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
    text_column("name"),
    Column("kind", Text, nullable=False, comment="rue, chemin…, as names are compared, or empty"),
    Column("words", Text, nullable=False, comment="the rest of its name, likewise"),
    text_column("postcode"),
    text_column("commune"),
    text_column("commune_name"),
    Column("former", Text, nullable=False, comment="name of its commune before a merger, or empty"),
    Column("population", Integer, nullable=False, comment="of the commune: the more likely among equals"),
    Column("point", geometry("POINT"), nullable=False),
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
    Column("point", geometry("POINT"), nullable=False),
    CheckConstraint("number >= 0", name="number"),
)
