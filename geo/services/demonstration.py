"""The demonstration leaves when real sites arrive, and comes back if that import is undone."""

from __future__ import annotations

from dataclasses import dataclass

from geo.sites.model import SourceRecord
from geo.store import datasets, fictitious_fund, imports, records
from geo.store.database import Connection


@dataclass(frozen=True)
class Demonstration:
    """Invented records in service, by the datasets that hold them."""

    records: dict[str, SourceRecord]

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets, sorted."""
        return tuple(sorted({record.jeu_de_donnees for record in self.records.values()}))


def in_service(connection: Connection) -> Demonstration:
    """Return the invented records in service."""
    return Demonstration(records.invented(connection))


def leave(connection: Connection, run_id: int, names: tuple[str, ...], by: str) -> str:
    """Withdraw the invented datasets, and remove the invented fund.

    The caller retires the records in the same run.

    Returns
    -------
    In French, why the invented fund stays; "" if none does.
    """
    for name in names:
        datasets.set_withdrawn(connection, name, by=by, reason="de vrais lieux sont arrivés")
    return fictitious_fund.remove(connection, run_id, by)


def come_back(connection: Connection, run_id: int, names: tuple[str, ...], by: str) -> str:
    """Put the invented datasets that an import withdrew back in service, and the invented fund.

    The caller brings the records back in the same operation.

    Returns
    -------
    In French, why the invented fund stays away; "" if it is back.
    """
    for name in names:
        datasets.set_restored(connection, name)
    return fictitious_fund.restore(connection, run_id, by)


def leaving_for(connection: Connection, run_id: int) -> tuple[str, ...]:
    """Return the invented datasets in service that leave when an import of real records stands again."""
    [content] = records.contents(connection, [run_id])
    if all(record.fictif for record in content.records):
        return ()
    return in_service(connection).datasets


def other_real_import(connection: Connection, run_id: int) -> int | None:
    """Return the first import that stands and brought real records, other than one; None if there is none."""
    return imports.first_real(connection, besides=run_id)


def hand_over(connection: Connection, run_id: int, to_run_id: int) -> None:
    """Make another import the one whose undoing brings the demonstration back."""
    imports.move_detail(connection, "demonstration", run_id, to_run_id)
    fictitious_fund.move(connection, run_id, to_run_id)
