"""Roads, people, indicators; dated snapshots, scenarios, jobs, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dated_snapshot",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="the day its data describe"),
        sa.Column("last_change", sa.BigInteger(), nullable=False, comment="the last site_change that counts"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("dated_snapshot_pkey")),
    )
    op.create_table(
        "indicator",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("vintage", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="rows read, accepted, rejected and why",
        ),
        sa.CheckConstraint("level IN ('iris', 'commune')", name=op.f("indicator_level_check")),
        sa.PrimaryKeyConstraint("code", name=op.f("indicator_pkey")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("question", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("snapshot_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False, comment="from 0 to 1"),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "seen_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when its worker last gave a sign of life",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('queued', 'running'))", name=op.f("job_ended_check")
        ),
        sa.CheckConstraint("(result IS NOT NULL) = (state = 'done')", name=op.f("job_result_check")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("job_state_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("job_pkey")),
    )
    op.create_index(op.f("job_state_asked_at_idx"), "job", ["state", "asked_at"], unique=False)
    op.create_table(
        "population",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("vintage", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("cell_m", sa.Integer(), nullable=False, comment="side of a cell, metres"),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="cells read, accepted, rejected and why",
        ),
        sa.CheckConstraint("cell_m > 0", name=op.f("population_cell_m_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("population_pkey")),
    )
    op.create_table(
        "road_graph",
        sa.Column("checksum", sa.Text(), nullable=False, comment="of the artefact in the roads folder"),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("vintage", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="nodes, edges, components, dropped",
        ),
        sa.PrimaryKeyConstraint("checksum", name=op.f("road_graph_pkey")),
    )
    op.create_table(
        "scenario",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "edits",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what is opened, closed, moved, or open at other hours",
        ),
        sa.Column(
            "base_version", sa.BigInteger(), nullable=False, comment="the data's version when last saved"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("scenario_pkey")),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the secret, which is told once"),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("token_pkey")),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "indicator_value",
        sa.Column("indicator_code", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False, comment="IRIS or commune, by the indicator's level"),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column(
            "inhabitants",
            sa.Double(),
            nullable=True,
            comment="of the area, where the file tells them; null: not told",
        ),
        sa.ForeignKeyConstraint(
            ["indicator_code"],
            ["indicator.code"],
            name=op.f("indicator_value_indicator_code_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("indicator_code", "area", name=op.f("indicator_value_pkey")),
    )
    op.create_table(
        "population_cell",
        sa.Column("population_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column(
            "commune", sa.Text(), nullable=False, comment="the part of a cell that lies in one commune"
        ),
        sa.Column("point", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("inhabitants", sa.Double(), nullable=False),
        sa.Column("aged_65", sa.Double(), nullable=True, comment="of them, aged 65 or over; null: not told"),
        sa.CheckConstraint("aged_65 >= 0", name=op.f("population_cell_aged_65_check")),
        sa.CheckConstraint("inhabitants >= 0", name=op.f("population_cell_inhabitants_check")),
        sa.ForeignKeyConstraint(
            ["population_id"],
            ["population.id"],
            name=op.f("population_cell_population_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("population_id", "rank", name=op.f("population_cell_pkey")),
    )


def downgrade() -> None:
    op.drop_table("population_cell")
    op.drop_table("indicator_value")
    op.drop_table("token")
    op.drop_table("scenario")
    op.drop_table("road_graph")
    op.drop_table("population")
    op.drop_index(op.f("job_state_asked_at_idx"), table_name="job")
    op.drop_table("job")
    op.drop_table("indicator")
    op.drop_table("dated_snapshot")
