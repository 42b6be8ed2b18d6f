"""Steps from one form of the tables to the next, run by `geo.store.database.migrate`."""

from __future__ import annotations

from pathlib import Path

from alembic import op

SQL = Path(__file__).parents[1] / "sql"


def run_sql(name: str) -> None:
    """Run all statements of `geo/store/sql/<name>.sql` within the migration's transaction.

    By the driver's own cursor, without parameters: SQLAlchemy would run a single statement, and take
    `%` and `:name` in it for placeholders.
    """
    cursor = op.get_bind().connection.cursor()
    try:
        cursor.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    finally:
        cursor.close()
