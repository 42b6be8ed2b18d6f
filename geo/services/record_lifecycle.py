"""Undo imports, withdraw and restore datasets: set records to what the remaining imports say.

Every operation is a run of its own, with its changes in the history of records. Decisions and corrections
stay, since they are about places, not about imports.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from geo.errors import NotUndoable
from geo.services import demonstration
from geo.services.site_register import SiteChanges, rebuild
from geo.sites.difference import Difference, between, replay
from geo.sites.import_run import ImportRun
from geo.sites.model import SourceRecord
from geo.sites.place_change import basis, is_other_place, place_change
from geo.store import datasets, imports, record_pairs, records, sites, snapshots
from geo.store.database import Connection
from geo.store.sites import SiteEvent


@dataclass(frozen=True)
class Operation:
    """What an operation changed: records, then sites. `run_id` is None if it was only prepared.

    `fund_obstacle` says in French why the invented fund did not leave or come back; "" if it did or
    there is none.
    """

    difference: Difference
    run_id: int | None = None
    changes: SiteChanges | None = None
    fund_obstacle: str = ""


def apply_difference(
    connection: Connection,
    run_id: int,
    difference: Difference,
    *,
    epsg: int,
    author: str | None = None,
    exported: Mapping[str, str] = MappingProxyType({}),
) -> SiteChanges:
    """Store new, changed and vanished records of a run, and build the sites anew.

    A record whose identifier its source now uses for another place leaves its site; one whose source has
    a new name has the site and the decisions of the one before. For `exported`, see
    `geo.sites.clustering.assign`.
    """
    successors = renamed_sources(difference, epsg=epsg)
    decided = [
        pair
        for pair in (record_pairs.all_pairs(connection) if successors else ())
        if pair.same is not None and not successors.keys().isdisjoint((pair.a, pair.b))
    ]
    changes = records.apply(connection, run_id, difference)
    records.succeed(connection, successors)
    for pair in decided:
        keys = {key: successors.get(key, key) for key in (pair.a, pair.b)}
        facts = {keys[key]: fact for key, fact in (pair.basis or {}).items()}
        if facts:
            by = pair.decided_by or ""
            record_pairs.decide(
                connection, [(keys[pair.a], keys[pair.b])], same=bool(pair.same), by=by, basis=facts
            )
    reused = [
        change.after.key
        for change in changes
        if is_other_place(basis(change.before), basis(change.after), epsg=epsg)
    ]
    left = records.leave_sites(connection, reused)
    sites.record_events(
        connection, [SiteEvent(site_id, "reused", author, run_id, {"record": key}) for key, site_id in left]
    )
    return rebuild(connection, epsg=epsg, run_id=run_id, author=author, exported=exported)


def renamed_sources(difference: Difference, *, epsg: int) -> dict[str, str]:
    """Return the records that a source lists under a new name of its own: key that vanishes → new key.

    They have one dataset, identifier and place; of several with one identifier, none is taken for another.
    """

    def by_identifier(given: Iterable[SourceRecord]) -> dict[tuple[str, str], list[SourceRecord]]:
        found: dict[tuple[str, str], list[SourceRecord]] = {}
        for record in given:
            found.setdefault((record.jeu_de_donnees, record.local_id), []).append(record)
        return found

    arriving = by_identifier(difference.new)
    return {
        old[0].key: new[0].key
        for identifier, old in by_identifier(difference.vanished).items()
        if len(old) == 1
        and len(new := arriving.get(identifier, [])) == 1
        and place_change(basis(old[0]), basis(new[0]), epsg=epsg) is None
    }


def retired_records(connection: Connection, names: Collection[str]) -> dict[str, SourceRecord]:
    """Return the retired records of some datasets, as the imports that stand last had them.

    An import whose record comes back takes local facts over from these; what only an undone import said
    is no such fact.
    """
    runs = imports.replayed(connection, names)
    if not imports.has_undone(connection, names) or not all(run.has_content for run in runs):
        return records.retired(connection, datasets=names)
    return replay(records.contents(connection, [run.id for run in runs if run.id])).retired


def undo(connection: Connection, run_id: int, *, by: str, epsg: int, dry_run: bool = False) -> Operation:
    """Take an import back: its datasets become what their other imports say. Undone twice, it stands again.

    Parameters
    ----------
    run_id
        An import, or the undoing of one.
    by
        Who undoes it, for the history.
    epsg
        Metric projection in which distances are measured.
    dry_run
        Return what would change, and store nothing.

    Raises
    ------
    UnknownImport
        If no run has this number.
    NotUndoable
        If it is undone already, is neither an import nor an undoing, its content or that of an import
        before it is not stored, or one of its datasets is withdrawn.
    """
    imports.wait_for_turn(connection)
    run = imports.find(connection, run_id)
    _require_undoable(connection, run)
    undoing = run.kind == "import"
    undone = run if undoing else imports.find(connection, int(run.detail["undoes"]))
    invented = tuple(undone.detail.get("demonstration", ()))
    # The demonstration comes back with the last import of real sites only, and leaves with any.
    if not undoing:
        invented = demonstration.leaving_for(connection, int(undone.id or 0))
    heir = demonstration.other_real_import(connection, int(undone.id or 0)) if undoing and invented else None
    if heir is not None:
        invented = ()
    names = (*undone.datasets, *invented)
    others = {each.id: each for each in imports.replayed(connection, names) if each.id != run.id}
    if not undoing:
        others[undone.id] = undone
    difference = _difference(connection, names, list(others.values()), leaving=() if undoing else invented)
    if dry_run:
        return Operation(difference)
    title = f"{'annulation' if undoing else 'retour'} de l'import n° {undone.id}"
    detail = {"undoes": undone.id, "by": by}
    made = imports.record(connection, operation_run("undo", title, undone.datasets, difference, detail), ())
    imports.set_undone(connection, run_id, made)
    obstacle = ""
    if heir is not None:
        demonstration.hand_over(connection, int(undone.id or 0), heir)
    elif undoing and invented:
        obstacle = demonstration.come_back(connection, run_id, invented, by)
    elif not undoing:
        imports.set_undone(connection, int(undone.id or 0), None)
        if invented:
            imports.add_detail(connection, int(undone.id or 0), "demonstration", list(invented))
            obstacle = demonstration.leave(connection, int(undone.id or 0), invented, by)
    changes = apply_difference(connection, made, difference, epsg=epsg, author=by)
    snapshots.publish(connection)
    return Operation(difference, made, changes, obstacle)


def withdraw(connection: Connection, name: str, *, by: str, reason: str, epsg: int) -> Operation:
    """Retire all records of a dataset until it is restored.

    Raises
    ------
    UnknownDataset
        If no dataset has this name.
    NotUndoable
        If it is withdrawn already.
    """
    imports.wait_for_turn(connection)
    if datasets.find(connection, name).withdrawn_at is not None:
        raise NotUndoable(
            f"Le jeu de données « {name} » est déjà retiré.",
            f"Pour le remettre : portee datasets restore {name}",
        )
    difference = between(records.in_service(connection, datasets=[name]), {})
    detail = {"by": by, "reason": reason}
    run = operation_run("withdraw", f"retrait du jeu « {name} »", (name,), difference, detail)
    made = imports.record(connection, run, ())
    datasets.set_withdrawn(connection, name, by=by, reason=reason)
    changes = apply_difference(connection, made, difference, epsg=epsg, author=by)
    snapshots.publish(connection)
    return Operation(difference, made, changes)


def restore(connection: Connection, name: str, *, by: str, epsg: int) -> Operation:
    """Put a withdrawn dataset back in service, as its imports say.

    Raises
    ------
    UnknownDataset
        If no dataset has this name.
    NotUndoable
        If it is not withdrawn, or the content of its imports is not stored.
    """
    imports.wait_for_turn(connection)
    if datasets.find(connection, name).withdrawn_at is None:
        raise NotUndoable(f"Le jeu de données « {name} » n'est pas retiré.", "Il n'y a rien à remettre.")
    difference = _difference(connection, (name,), imports.replayed(connection, [name]))
    run = operation_run("restore", f"retour du jeu « {name} »", (name,), difference, {"by": by})
    made = imports.record(connection, run, ())
    datasets.set_restored(connection, name)
    changes = apply_difference(connection, made, difference, epsg=epsg, author=by)
    snapshots.publish(connection)
    return Operation(difference, made, changes)


def operation_run(
    kind: str, title: str, names: Collection[str], difference: Difference, detail: dict[str, Any]
) -> ImportRun:
    """Return the run of an operation that reads no file."""
    now = datetime.now(UTC)
    return ImportRun(
        file_name=title,
        sha256="",
        format="",
        datasets=tuple(sorted(names)),
        started_at=now,
        finished_at=now,
        read=0,
        accepted=0,
        rejected=0,
        flagged=0,
        repaired=0,
        new=len(difference.new),
        changed=len(difference.changed),
        unchanged=difference.unchanged,
        vanished=len(difference.vanished),
        kind=kind,
        detail=detail,
    )


def _difference(
    connection: Connection,
    names: Collection[str],
    runs: Collection[ImportRun],
    *,
    leaving: Collection[str] = (),
) -> Difference:
    """Return what turns the records of some datasets into what some imports say of them.

    A run that also brought other datasets is replayed whole, then only these are compared. Those of
    `leaving` are to have no record, whatever their imports say.
    """
    ordered = sorted(runs, key=lambda run: run.id or 0)
    # Of a database of an older version, the first import with content holds what stood before it.
    first = next((index for index, run in enumerate(ordered) if run.has_content), len(ordered))
    missing = [run for run in ordered[first:] if not run.has_content]
    if missing or (first and first == len(ordered)):
        number = (missing or ordered)[0].id
        raise _without_content(number)
    wanted_names = set(names) - set(leaving)
    state = replay(records.contents(connection, [run.id for run in ordered[first:] if run.id]))
    wanted = {
        key: record for key, record in state.in_service.items() if record.jeu_de_donnees in wanted_names
    }
    return between(records.in_service(connection, datasets=names), wanted)


def _require_undoable(connection: Connection, run: ImportRun) -> None:
    if run.kind not in ("import", "undo"):
        raise NotUndoable(
            f"L'opération n° {run.id} ({run.file_name}) n'est pas un import.",
            "Pour retirer ou remettre un jeu de données : portee datasets withdraw, portee datasets restore",
        )
    if run.undone_by is not None:
        raise NotUndoable(
            f"L'import n° {run.id} est déjà annulé, par l'opération n° {run.undone_by}.",
            f"Pour le remettre : portee imports undo {run.undone_by}",
        )
    if run.kind == "import" and not run.has_content:
        raise _without_content(run.id)
    datasets.require_in_service(connection, run.datasets)


def _without_content(number: int | None) -> NotUndoable:
    return NotUndoable(
        f"L'import n° {number} date d'une version de Portée qui ne gardait pas le contenu des fichiers.",
        "Importez de nouveau le bon fichier.",
    )
