"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "commune",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column(
            "own", sa.Boolean(), nullable=False, comment="of the territory; false: a neighbour's, as context"
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("departement_code", sa.Text(), nullable=False),
        sa.Column("departement_name", sa.Text(), nullable=False),
        sa.Column("postal_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("epci_code", sa.Text(), nullable=False),
        sa.Column("epci_name", sa.Text(), nullable=False),
        sa.Column("canton_code", sa.Text(), nullable=False),
        sa.Column("canton_name", sa.Text(), nullable=False),
        sa.Column("arrondissement_code", sa.Text(), nullable=False),
        sa.Column("arrondissement_name", sa.Text(), nullable=False),
        sa.Column("town_hall", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("boundary", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("commune_pkey")),
    )
    op.create_index(
        op.f("commune_boundary_idx"), "commune", ["boundary"], unique=False, postgresql_using="gist"
    )
    op.create_index(
        op.f("commune_town_hall_idx"), "commune", ["town_hall"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "data_version",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("data_version_singleton_check")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("data_version_pkey")),
    )
    op.create_table(
        "duplicate",
        sa.Column("a", sa.Text(), nullable=False),
        sa.Column("b", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=True, comment="the decision; null: none yet"),
        sa.Column(
            "hidden", sa.Text(), nullable=True, comment="the record not shown when both are the same place"
        ),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('a < b COLLATE "C"', name=op.f("duplicate_ordered_check")),
        sa.CheckConstraint("same IS NOT TRUE OR hidden IN (a, b)", name=op.f("duplicate_hidden_check")),
        sa.PrimaryKeyConstraint("a", "b", name=op.f("duplicate_pkey")),
    )
    op.create_index(op.f("duplicate_b_idx"), "duplicate", ["b"], unique=False)
    op.create_table(
        "grouping",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("communes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("boundary", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", name=op.f("grouping_pkey")),
    )
    op.create_index(
        op.f("grouping_boundary_idx"), "grouping", ["boundary"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("datasets", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.Column("repaired", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("vanished", sa.Integer(), nullable=False),
        sa.CheckConstraint("read = accepted + rejected", name=op.f("import_run_tally_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("import_run_pkey")),
    )
    op.create_table(
        "provenance",
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("vintage", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("retrieved", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("rank", name=op.f("provenance_pkey")),
    )
    op.create_table(
        "territory",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("territory_pkey")),
    )
    op.create_table(
        "import_issue",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("import_issue_import_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "rank", name=op.f("import_issue_pkey")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Text(), nullable=False, comment="public identifier: dataset--local identifier"),
        sa.Column("local_id", sa.Text(), nullable=False),
        sa.Column("pivot", sa.Text(), nullable=False),
        sa.Column("nom", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("code_postal", sa.Text(), nullable=False),
        sa.Column("adresse", sa.Text(), nullable=False),
        sa.Column("date_maj", sa.Date(), nullable=True),
        sa.Column("code_insee", sa.Text(), nullable=False),
        sa.Column("complement_adresse", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("typologie", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("telephone", sa.Text(), nullable=False),
        sa.Column("courriels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("site_web", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("horaires", sa.Text(), nullable=False),
        sa.Column("presentation_resume", sa.Text(), nullable=False),
        sa.Column("presentation_detail", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("itinerance", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("structure_parente", sa.Text(), nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("publics_specifiquement_adresses", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("prise_en_charge_specifique", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("frais_a_charge", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("dispositif_programmes_nationaux", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("formations_labels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("autres_formations_labels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("modalites_acces", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("modalites_accompagnement", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("fiche_acces_libre", sa.Text(), nullable=False),
        sa.Column("prise_rdv", sa.Text(), nullable=False),
        sa.Column("pass_numerique", sa.Boolean(), nullable=True),
        sa.Column("membre_reseau", sa.Boolean(), nullable=True),
        sa.Column("acces_fauteuil", sa.Boolean(), nullable=True),
        sa.Column(
            "arrets",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[place, day, hours], …]",
        ),
        sa.Column("jeu_de_donnees", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("signalements", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("fictif", sa.Boolean(), nullable=False),
        sa.Column(
            "geom",
            Geometry("POINT", srid=4326, spatial_index=False),
            sa.Computed("st_setsrid(st_makepoint(longitude, latitude), 4326)", persisted=True),
            nullable=True,
        ),
        sa.Column("first_import", sa.Integer(), nullable=False),
        sa.Column(
            "last_import",
            sa.Integer(),
            nullable=False,
            comment="the last that brought, changed, retired or returned it",
        ),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["first_import"], ["import_run.id"], name=op.f("site_first_import_fkey")),
        sa.ForeignKeyConstraint(["last_import"], ["import_run.id"], name=op.f("site_last_import_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("site_pkey")),
    )
    op.create_index(op.f("site_code_insee_idx"), "site", ["code_insee"], unique=False)
    op.create_index(op.f("site_geom_idx"), "site", ["geom"], unique=False, postgresql_using="gist")
    op.create_index(op.f("site_jeu_de_donnees_idx"), "site", ["jeu_de_donnees"], unique=False)
    op.create_table(
        "site_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True, comment="one of the record's when kind is 'changed'"),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'changed') = (field IS NOT NULL)", name=op.f("site_change_field_check")),
        sa.CheckConstraint(
            "kind IN ('new', 'changed', 'retired', 'returned')", name=op.f("site_change_kind_check")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import_run.id"], name=op.f("site_change_import_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("site_change_pkey")),
    )
    op.create_index(op.f("site_change_import_id_idx"), "site_change", ["import_id"], unique=False)
    op.create_index(op.f("site_change_site_id_id_idx"), "site_change", ["site_id", "id"], unique=False)

    op.execute("INSERT INTO data_version (version, changed_at) VALUES (0, now())")


def downgrade() -> None:
    op.drop_index(op.f("site_change_site_id_id_idx"), table_name="site_change")
    op.drop_index(op.f("site_change_import_id_idx"), table_name="site_change")
    op.drop_table("site_change")
    op.drop_index(op.f("site_jeu_de_donnees_idx"), table_name="site")
    op.drop_index(op.f("site_geom_idx"), table_name="site", postgresql_using="gist")
    op.drop_index(op.f("site_code_insee_idx"), table_name="site")
    op.drop_table("site")
    op.drop_table("import_issue")
    op.drop_table("territory")
    op.drop_table("provenance")
    op.drop_table("import_run")
    op.drop_index(op.f("grouping_boundary_idx"), table_name="grouping", postgresql_using="gist")
    op.drop_table("grouping")
    op.drop_index(op.f("duplicate_b_idx"), table_name="duplicate")
    op.drop_table("duplicate")
    op.drop_table("data_version")
    op.drop_index(op.f("commune_town_hall_idx"), table_name="commune", postgresql_using="gist")
    op.drop_index(op.f("commune_boundary_idx"), table_name="commune", postgresql_using="gist")
    op.drop_table("commune")
