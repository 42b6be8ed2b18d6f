"""Many rows at once, by COPY."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection as Driver
from psycopg import sql
from sqlalchemy import Connection


def copy_rows(
    connection: Connection, table: str, columns: Iterable[str], rows: Iterable[tuple[object, ...]]
) -> None:
    """Append rows to a table inside the connection's transaction, in bounded memory."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, Driver):
        raise TypeError("COPY needs the psycopg driver")
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
