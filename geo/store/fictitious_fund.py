"""The invented fund of the demonstration: its removal when real sites arrive, and its return."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text, update

from geo.store.tables import fictitious_archive

OBSTACLES: Final = {
    "closed": "un exercice du fonds est clos",
    "ledger": "de vraies écritures s'appuient sur des écritures fictives",
    "action": "de vraies actions citent un partenaire fictif",
    "pass": "de vrais pass s'appuient sur un partenaire ou un paiement fictif",
    "real": "de vraies écritures sont enregistrées",
}
"""Code of what keeps the invented fund from being removed, or from coming back → in French."""


def remove(connection: Connection, run_id: int, by: str) -> str:
    """Remove the invented ledger, passes, actions and partners; return in French why not, or "".

    What is removed is archived under the import that causes it, for `restore`.
    """
    return _call(connection, "remove_fictitious", run_id, by)


def restore(connection: Connection, run_id: int, by: str) -> str:
    """Bring back what an import removed; return in French why not, or ""."""
    return _call(connection, "restore_fictitious", run_id, by)


def move(connection: Connection, run_id: int, to_run_id: int) -> None:
    """Archive under another import what one removed."""
    moved = update(fictitious_archive).where(fictitious_archive.c.import_id == run_id)
    connection.execute(moved.values(import_id=to_run_id))


def _call(connection: Connection, function: str, run_id: int, by: str) -> str:
    found = connection.scalar(text(f"SELECT {function}(:run, :by)"), {"run": run_id, "by": by})
    return OBSTACLES[found] if found else ""
