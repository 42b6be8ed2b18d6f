"""Correct sites: set values over the sources, end corrections, close sites and open them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from geo.errors import InvalidCorrection, UnknownSite
from geo.sites.correction_values import (
    ParsedValues,
    WantedCorrection,
    WantedValues,
    field_named,
    issue,
    parse_values,
)
from geo.sites.corrections import (
    FIELDS,
    GROUPS,
    STATUS_FIELD,
    Correction,
    SourceChange,
    State,
    Status,
    active_by_site,
    companions,
    corrected,
    source_changes,
    states,
)
from geo.sites.location_evidence import AddressLocator
from geo.sites.model import Issue, Site
from geo.sites.record_json import encode
from geo.store import audit, imports, snapshots
from geo.store import corrections as stored
from geo.store import sites as stored_sites
from geo.store.database import Connection
from geo.store.sites import SiteEvent
from geo.territory.former_communes import FormerCommunes
from geo.territory.model import Territory

REASON_MAX: Final = 500
"""Longest reason, in characters."""

VALUE_MAX: Final = 5_000
"""Longest text of a value, in characters."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where corrected communes and addresses are looked up; see `geo.sites.validate.validate`."""

    territory: Territory
    addresses: AddressLocator | None = None
    former: FormerCommunes = field(default_factory=FormerCommunes)


@dataclass(frozen=True, slots=True)
class ListedCorrection:
    """A correction with what has become of it, and what the sources now say if they changed since.

    `site_name` is that of the site that it applies to; "" if no source lists it any more.
    """

    correction: Correction
    state: State
    site_id: str
    site_name: str
    change: SourceChange | None = None


def correct(
    connection: Connection,
    wanted: Sequence[WantedCorrection],
    *,
    author: str,
    today: date,
    places: Places,
    dry_run: bool = False,
    known_issues: Sequence[Issue] = (),
    skip_shown: bool = False,
) -> list[Correction]:
    """Set values over those of the sources, inside the caller's transaction: all of them, or none.

    A value that a correction already sets in the same way is left as it is. One without an end replaces the
    earlier correction of the same field; one with an end stands over it until then.

    Parameters
    ----------
    author
        Who corrects, for the history.
    known_issues
        What is wrong with the file of the corrections; they are refused together with the others.
    skip_shown
        Leave out values that are shown already; else they are set, and stay when the sources change.
    dry_run
        Return what would be set, and store nothing.

    Returns
    -------
    The corrections made, each with its number (0 if `dry_run`).

    Raises
    ------
    InvalidCorrection
        If anything is wrong with any of them: `issues` has all problems, with their lines.
    """
    imports.wait_for_turn(connection)
    redirects = stored_sites.redirects(connection)
    pooled = stored_sites.stored(connection, {redirects.get(e.site_id, e.site_id) for e in wanted})
    active = active_by_site(_redirected(stored.standing(connection), redirects), today)
    issues = list(known_issues)
    usable: list[tuple[WantedCorrection, WantedValues]] = []
    for each in wanted:
        site = pooled.get(redirects.get(each.site_id, each.site_id))
        values, problems = _fields(each)
        problems += _circumstances(each, today)
        if site is None:
            problems.insert(0, _unknown(each))
        issues += problems
        if site is not None and values and not problems:
            shown = corrected(site, active.get(site.id, {}))
            lines = {name: each.line_of(given) for name, given in zip(values, each.values, strict=True)}
            usable.append((each, WantedValues(shown, values, lines)))
    parsed = parse_values(
        [values for _, values in usable],
        territory=places.territory,
        today=today,
        addresses=places.addresses,
        former=places.former,
    )
    issues += [found for each in parsed for found in each.issues]
    issues += _twice(usable)
    if issues:
        raise _refusal(sorted(issues, key=lambda each: each.line))
    made = [
        _made(each, values.site.id, name, value, author, today, source=getattr(pooled[values.site.id], name))
        for (each, values), read in zip(usable, parsed, strict=True)
        for name, value in _new_values(
            each, read, active.get(values.site.id, {}), today, shown=values.site if skip_shown else None
        )
    ]
    return made if dry_run else _store(connection, made, today, active)


def uncorrect(connection: Connection, number: int, *, author: str) -> list[Correction]:
    """End a correction, with those that were made with it: the sources' values are shown again.

    Returns
    -------
    The corrections that end.

    Raises
    ------
    UnknownCorrection
        If none has this number.
    InvalidCorrection
        If it has ended already.
    """
    imports.wait_for_turn(connection)
    found = stored.find(connection, number)
    if found.ended_at is not None:
        raise InvalidCorrection(
            f"La correction n° {number} est déjà terminée.", "La liste : portee sites corrections."
        )
    ending = [found, *companions(found, stored.of_sites(connection, [found.site_id]))]
    _end(connection, ending, author)
    snapshots.publish(connection)
    return ending


def set_status(
    connection: Connection,
    site_id: str,
    status: Status,
    *,
    author: str,
    reason: str,
    today: date,
    day: date | None = None,
    until: date | None = None,
) -> Correction:
    """Close a site, or take it out of the list, inside the caller's transaction.

    Parameters
    ----------
    day
        First day on which it is closed; None: today.
    until
        Last one; None: until it is opened again.

    Raises
    ------
    UnknownSite
        If no site in service has this identifier.
    InvalidCorrection
        If the reason or the days cannot be, or it is so already.
    """
    imports.wait_for_turn(connection)
    redirects = stored_sites.redirects(connection)
    wanted = WantedCorrection(site_id, {}, reason, day, until)
    site = _require_site(connection, redirects.get(site_id, site_id), site_id)
    if problems := _circumstances(wanted, today):
        raise _refusal(problems)
    active = active_by_site(_redirected(stored.standing(connection), redirects), today)
    made = _made(wanted, site.id, STATUS_FIELD, status.value, author, today, source=None)
    standing = active.get(site.id, {}).get(STATUS_FIELD)
    if standing and (standing.value, standing.until) == (made.value, made.until):
        word = "fermé" if status is Status.CLOSED else "retiré"
        raise InvalidCorrection(
            f"« {site.nom} » est déjà {word} : {standing.reason}",
            f"Pour l'ouvrir de nouveau : portee sites reopen {site.id}.",
        )
    return _store(connection, [made], today, active)[0]


def reopen(connection: Connection, site_id: str, *, author: str) -> list[Correction]:
    """End what closes a site, or takes it out of the list, now or later.

    Raises
    ------
    UnknownSite
        If no site in service has this identifier.
    InvalidCorrection
        If nothing closes it.
    """
    imports.wait_for_turn(connection)
    redirects = stored_sites.redirects(connection)
    site = _require_site(connection, redirects.get(site_id, site_id), site_id)
    ending = [
        each
        for each in _redirected(stored.standing(connection), redirects)
        if each.site_id == site.id and each.field == STATUS_FIELD
    ]
    if not ending:
        raise InvalidCorrection(f"« {site.nom} » n'est ni fermé ni retiré.", "Il n'y a rien à faire.")
    _end(connection, ending, author)
    snapshots.publish(connection)
    return ending


def listed(connection: Connection, today: date, *, site_id: str | None = None) -> list[ListedCorrection]:
    """Return all corrections, or those of one site and of the sites merged into it, oldest first.

    Raises
    ------
    UnknownSite
        If no site ever had the identifier.
    """
    redirects = stored_sites.redirects(connection)
    found = stored.everything(connection)
    if site_id is not None:
        if site_id not in stored_sites.known(connection):
            raise _unknown_site(site_id)
        wanted = redirects.get(site_id, site_id)
        found = [each for each in found if redirects.get(each.site_id, each.site_id) == wanted]
    if not found:
        return []
    final = _redirected(found, redirects)
    pooled = stored_sites.stored(connection, [each.site_id for each in final])
    state_of = states(final, today)
    changes = {each.correction.id: each for each in source_changes(final, pooled, today)}
    shown = {site_id: corrected(site, by_field) for site_id, site, by_field in _with(pooled, final, today)}
    return [
        ListedCorrection(
            each,
            state_of[each.id],
            now.site_id,
            shown[now.site_id].nom if now.site_id in shown else "",
            changes.get(each.id),
        )
        for each, now in zip(found, final, strict=True)
    ]


def changed_by_sources(connection: Connection, today: date) -> list[SourceChange]:
    """Return the corrections in force of whose field the sources now say something else than before them."""
    standing = stored.standing(connection)
    if not standing:
        return []
    final = _redirected(standing, stored_sites.redirects(connection))
    return source_changes(final, stored_sites.stored(connection, [each.site_id for each in final]), today)


def _with(
    pooled: Mapping[str, Site], corrections: Iterable[Correction], today: date
) -> list[tuple[str, Site, Mapping[str, Correction]]]:
    active = active_by_site(corrections, today)
    return [(site_id, site, active.get(site_id, {})) for site_id, site in pooled.items()]


def _redirected(corrections: Iterable[Correction], redirects: Mapping[str, str]) -> list[Correction]:
    return [replace(each, site_id=redirects.get(each.site_id, each.site_id)) for each in corrections]


def _fields(wanted: WantedCorrection) -> tuple[dict[str, str], list[Issue]]:
    """Return the values by field, and the names that are none, or come twice."""
    values: dict[str, str] = {}
    problems = []
    for name, text in wanted.values.items():
        named = field_named(name)
        if named is None:
            reason = "Ce champ n'existe pas, ou ne se corrige pas."
            advice = f"Les champs sont {', '.join(sorted(FIELDS - {'position'}))}."
            problems.append(issue(wanted.line_of(name), name, text, "champ_inconnu", reason, advice))
        elif named in values:
            reason, advice = "Ce champ est donné deux fois.", "Gardez une seule valeur."
            problems.append(issue(wanted.line_of(name), named, text, "champ_en_double", reason, advice))
        elif len(text) > VALUE_MAX:
            reason = f"Cette valeur dépasse {VALUE_MAX} caractères."
            problems.append(
                issue(wanted.line_of(name), named, text, "trop_long", reason, "Raccourcissez-la.")
            )
        else:
            values[named] = text.strip()
    if not wanted.values:
        reason, advice = "Cette correction ne donne aucune valeur.", "Donnez au moins un champ et sa valeur."
        problems.append(issue(wanted.line, "", "", "rien_a_corriger", reason, advice))
    return values, problems


def _circumstances(wanted: WantedCorrection, today: date) -> list[Issue]:
    """Return what is wrong with the reason and the days."""
    found = []
    day = wanted.day or today
    if not wanted.reason.strip():
        reason, advice = (
            "La raison manque.",
            "Dites pourquoi, en quelques mots : elle reste dans l'historique.",
        )
        found.append(issue(wanted.line, "raison", "", "raison_absente", reason, advice))
    elif len(wanted.reason) > REASON_MAX:
        reason = f"La raison dépasse {REASON_MAX} caractères."
        found.append(issue(wanted.line, "raison", wanted.reason, "trop_long", reason, "Raccourcissez-la."))
    if wanted.until is not None and wanted.until < max(day, today):
        reason = "Ce dernier jour est déjà passé, ou avant le premier."
        text = wanted.until.isoformat()
        advice = f"Donnez un jour à partir du {max(day, today).isoformat()}, ou aucun."
        found.append(issue(wanted.line, "jusqu_au", text, "jour_impossible", reason, advice))
    return found


def _twice(usable: Iterable[tuple[WantedCorrection, WantedValues]]) -> list[Issue]:
    """Return the values of a field that another line of the file sets too, for the same days."""
    seen: dict[tuple[str, str, date | None, date | None], int] = {}
    found = []
    for each, values in usable:
        for name, text in values.values.items():
            key = (values.site.id, name, each.day, each.until)
            if key in seen:
                reason = f"La ligne {seen[key]} corrige déjà ce champ du même lieu."
                found.append(
                    issue(
                        values.line_of(name), name, text, "champ_en_double", reason, "Gardez une seule ligne."
                    )
                )
            seen.setdefault(key, values.line_of(name))
    return found


def _new_values(
    wanted: WantedCorrection,
    parsed: ParsedValues,
    active: Mapping[str, Correction],
    today: date,
    *,
    shown: Site | None,
) -> list[tuple[str, Any]]:
    """Return the values to set, without those that corrections set for the same days already.

    Without those of `shown` either, if it is given. Fields that are corrected together are all set if one
    of them is new.
    """
    if (wanted.day or today) > today:
        return list(parsed.values.items())

    def is_new(name: str, value: Any) -> bool:
        if (known := active.get(name)) is not None:
            return (known.value, known.until) != (value, wanted.until)
        return shown is None or getattr(shown, name) != value

    new = {name for name, value in parsed.values.items() if is_new(name, value)}
    for group in GROUPS:
        if not new.isdisjoint(group):
            new |= parsed.values.keys() & set(group)
    return [(name, value) for name, value in parsed.values.items() if name in new]


def _made(
    wanted: WantedCorrection, site_id: str, name: str, value: Any, author: str, today: date, *, source: Any
) -> Correction:
    return Correction(
        site_id, name, value, author, wanted.day or today, wanted.reason.strip(), wanted.until, source
    )


def _store(
    connection: Connection,
    made: Sequence[Correction],
    today: date,
    active: Mapping[str, Mapping[str, Correction]],
) -> list[Correction]:
    """Store corrections, end those that they replace, and publish the snapshot."""
    numbered = []
    for each in made:
        before = active.get(each.site_id, {}).get(each.field)
        if before is not None and each.until is None and each.day <= today:
            stored.end(connection, before.id, each.author)
        number = stored.add(connection, each)
        numbered.append(replace(each, id=number))
    stored_sites.record_events(connection, [_event(each) for each in numbered])
    audit.record_all(
        connection,
        made[0].author if made else "",
        [("site.correct", f"site/{each.site_id}", None, _as_audited(each)) for each in numbered],
    )
    if numbered:
        snapshots.publish(connection)
    return numbered


def _end(connection: Connection, ending: Sequence[Correction], author: str) -> None:
    for each in ending:
        stored.end(connection, each.id, author)
    kinds = {True: "opened", False: "correction_ended"}
    stored_sites.record_events(
        connection,
        [
            SiteEvent(each.site_id, kinds[each.field == STATUS_FIELD], author, None, _detail(each))
            for each in ending
        ],
    )
    audit.record_all(
        connection,
        author,
        [("site.uncorrect", f"site/{each.site_id}", _as_audited(each), None) for each in ending],
    )


def _event(made: Correction) -> SiteEvent:
    kinds = {Status.CLOSED.value: "closed", Status.RETIRED.value: "removed"}
    kind = kinds[made.value] if made.field == STATUS_FIELD else "corrected"
    return SiteEvent(made.site_id, kind, made.author, None, _detail(made))


def _detail(made: Correction) -> dict[str, Any]:
    return {
        "correction": made.id,
        "field": made.field,
        "value": encode(made.value),
        "day": encode(made.day),
        "until": encode(made.until),
        "reason": made.reason,
    }


def _as_audited(made: Correction) -> dict[str, Any]:
    return {**_detail(made), "source_value": encode(made.source_value)}


def _require_site(connection: Connection, site_id: str, asked: str) -> Site:
    site = stored_sites.stored(connection, [site_id]).get(site_id)
    if site is None:
        raise _unknown_site(asked)
    return site


def _unknown_site(site_id: str) -> UnknownSite:
    return UnknownSite(
        f"Aucun lieu en service ne porte l'identifiant « {site_id} ».",
        "L'identifiant est donné par portee sites list.",
    )


def _unknown(wanted: WantedCorrection) -> Issue:
    problem = _unknown_site(wanted.site_id)
    return issue(wanted.line, "id", wanted.site_id, "lieu_inconnu", problem.message, problem.advice)


def _refusal(issues: Sequence[Issue]) -> InvalidCorrection:
    """Return the error that says what is wrong: with one correction, all of it; with a file, how much."""
    first = issues[0]
    if not first.line:
        said = [f"« {each.field} » : {each.reason}" if each.field else each.reason for each in issues]
        values = [f" Reçu : « {each.value} »." if each.value else "" for each in issues]
        message = " ".join(text + value for text, value in zip(said, values, strict=True))
        return InvalidCorrection(message, " ".join(dict.fromkeys(i.advice for i in issues)), issues=issues)
    lines = len({each.line for each in issues})
    return InvalidCorrection(
        f"Rien n'a été enregistré. Lignes à corriger : {lines}, problèmes : {len(issues)}.",
        "Corrigez ces lignes, puis recommencez.",
        issues=issues,
    )
