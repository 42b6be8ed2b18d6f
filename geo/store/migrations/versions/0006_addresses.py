"""Addresses: streets and hamlets searched by trigrams, and the house numbers of each."""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)


def _point() -> sa.Column[object]:
    kind = geoalchemy2.types.Geometry("POINT", srid=4326, dimension=2, spatial_index=False)
    return sa.Column("point", kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "address_file",
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        _text("file_name"),
        _text("sha256"),
        _text("producer"),
        _text("licence"),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "summary",
            postgresql.JSONB(),
            nullable=False,
            comment="rows read, accepted, doubled, outside, rejected and why",
        ),
        sa.PrimaryKeyConstraint("rank", name=op.f("address_file_pkey")),
    )
    op.create_table(
        "address_street",
        _text("id", "of the register: commune and street, 47001_0010"),
        sa.Column("hamlet", sa.Boolean(), nullable=False, comment="a lieu-dit rather than a street"),
        _text("name"),
        _text("kind", "rue, chemin…, as names are compared, or empty"),
        _text("words", "the rest of its name, likewise"),
        _text("postcode"),
        _text("commune"),
        _text("commune_name"),
        _text("former", "name of its commune before a merger, or empty"),
        sa.Column(
            "population",
            sa.Integer(),
            nullable=False,
            comment="of the commune: the more likely among equals",
        ),
        _point(),
        sa.PrimaryKeyConstraint("id", name=op.f("address_street_pkey")),
    )
    op.create_index(
        op.f("address_street_words_idx"),
        "address_street",
        ["words"],
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index(op.f("address_street_commune_idx"), "address_street", ["commune"])
    op.create_index(op.f("address_street_postcode_idx"), "address_street", ["postcode"])
    op.create_table(
        "address_number",
        _text("street"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _text("repetition", "bis, ter, a…, or empty"),
        _point(),
        sa.CheckConstraint("number >= 0", name=op.f("address_number_number_check")),
        sa.ForeignKeyConstraint(
            ["street"],
            ["address_street.id"],
            name=op.f("address_number_street_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("street", "number", "repetition", name=op.f("address_number_pkey")),
    )


def downgrade() -> None:
    op.drop_table("address_number")
    op.drop_table("address_street")
    op.drop_table("address_file")
