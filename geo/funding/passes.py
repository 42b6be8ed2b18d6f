"""Orders and events of the Pass Numérique, and the rules that need no database.

No pass or holder is ever tracked: orders and events have counts and days only. All passes of one order
have the same face value and expire on the same day. Rules of the database and definitions:
docs/passes.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

from geo.errors import RefusedPasses, UnreadableFile
from geo.people.tables import open_table, quoted
from geo.sites.model import Issue, Severity
from geo.wording import dates

FACE_VALUE_CENTS: Final = 1_000
COUNT_MAX: Final = 2**31 - 1
REFERENCE_MAX: Final = 100
"""Longest reference of an order or an event, in characters."""

COLUMNS: Final = ("reference", "order", "kind", "day", "count", "commune", "partner", "site")
"""Columns a file of events must have; `corrects` may come besides."""

_PROGRESS_EVERY = 4_096
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FRENCH = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)
_COUNT = re.compile(r"[+-]?\d{1,10}", re.ASCII)


class EventKind(StrEnum):
    """Kind of an event of passes."""

    GIVEN = "given"
    """By a prescriber to inhabitants of a commune."""
    USED = "used"
    """At an accepting site."""
    EXPIRED = "expired"
    """Given, never used, and expired."""
    REIMBURSED = "reimbursed"
    """Paid to the site they were used at."""

    @property
    def label(self) -> str:
        """The French word shown to readers, for several passes."""
        return _LABELS[self]


_LABELS = {
    EventKind.GIVEN: "donnés",
    EventKind.USED: "utilisés",
    EventKind.EXPIRED: "expirés",
    EventKind.REIMBURSED: "remboursés",
}
_KIND_BY_WORD = {word: kind for kind in EventKind for word in (kind.value, kind.label[:-1], kind.label)}


@dataclass(frozen=True, slots=True)
class Order:
    """Passes ordered together.

    `funders` are codes of partners, each with the passes it pays for; they sum to `count`. Passes
    can be given and used from `day` to `expires_on`, that day included.
    """

    reference: str
    day: date
    count: int
    expires_on: date
    funders: tuple[tuple[str, int], ...]
    face_value_cents: int = FACE_VALUE_CENTS
    note: str = ""
    fictif: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An event of passes of an order on one day.

    Attributes
    ----------
    count
        Passes; negative in a correction of an earlier event.
    commune
        INSEE code of the commune whose inhabitants they were given to, or used by; "" if
        unknown.
    partner
        Code of the prescriber that gave them; "" if unknown.
    site
        Public identifier of the site they were used at, or that is paid.
    corrects
        Reference of the event that it corrects, of the same order, kind, day, commune, partner and site;
        "" if it is not a correction.
    """

    reference: str
    order: str
    kind: EventKind
    day: date
    count: int
    commune: str = ""
    partner: str = ""
    site: str = ""
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Totals of an order over all days."""

    order: str
    ordered: int
    given: int
    used: int
    expired: int
    reimbursed: int

    @property
    def to_give(self) -> int:
        """Passes not given yet."""
        return self.ordered - self.given

    @property
    def unused(self) -> int:
        """Passes given, neither used nor expired."""
        return self.given - self.used - self.expired


@dataclass(frozen=True)
class PassReferences:
    """What events of a file may refer to."""

    orders: Mapping[str, Order]
    communes: Collection[str]
    partners: Collection[str]
    sites: Collection[str]


@dataclass(slots=True)
class ReadEvents:
    """Accepted and rejected events of a file; `read == len(events) + rejected`.

    `lines` are those of the accepted events, in the same order.
    """

    read: int = 0
    rejected: int = 0
    events: list[Event] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def require_order(order: Order) -> None:
    """Require a valid order.

    Raises
    ------
    RefusedPasses
        If a reference is missing or too long, a count or value is not positive, it expires before it
        begins, or its funders do not pay for each of its passes exactly once.
    """
    funded = sum(passes for _, passes in order.funders)
    codes = [code for code, _ in order.funders]
    if not 0 < len(order.reference.strip()) <= REFERENCE_MAX:
        raise RefusedPasses(
            f"La référence d'une commande a de 1 à {REFERENCE_MAX} caractères.",
            "Donnez-en une qui dise la commande, par exemple « 2026-A ».",
        )
    if not 0 < order.count <= COUNT_MAX or not 0 < order.face_value_cents <= COUNT_MAX:
        raise RefusedPasses(
            f"La commande {order.reference} est de {order.count} pass à {order.face_value_cents} centimes.",
            "Donnez un nombre et une valeur au-dessus de zéro.",
        )
    if order.expires_on < order.day:
        raise RefusedPasses(
            f"La commande {order.reference} du {dates.long_date(order.day)} expirerait le "
            f"{dates.long_date(order.expires_on)}, avant d'être passée.",
            "Vérifiez les deux dates.",
        )
    if funded != order.count or min((passes for _, passes in order.funders), default=0) <= 0:
        raise RefusedPasses(
            f"Les financeurs de la commande {order.reference} paient {funded} pass ; "
            f"elle en compte {order.count}.",
            "Donnez à chaque financeur un nombre de pass au-dessus de zéro, dont la somme est la commande.",
        )
    if len(set(codes)) < len(codes):
        raise RefusedPasses(
            f"Un financeur est nommé deux fois dans la commande {order.reference}.",
            "Additionnez ses pass.",
        )


def delays(given: Mapping[date, int], used: Mapping[date, int]) -> Counter[tuple[int, int]]:
    """Return days from gift to use, first in, first out: the k-th pass used is the k-th given.

    Counts do not reveal which pass is used. First in, first out is the convention of stock accounting;
    the mean does not depend on it when all passes are used.

    Parameters
    ----------
    given, used
        Passes by day, not negative.

    Returns
    -------
    Passes by year of use and delay in days. Uses beyond the gifts, or before them, are left out.
    """
    gifts = [(day, passes) for day, passes in sorted(given.items()) if passes]
    found: Counter[tuple[int, int]] = Counter()
    first = taken = 0  # gifts all used, and passes used of the next
    for day, passes in sorted(used.items()):
        left = passes
        while left and first < len(gifts):
            given_on, count = gifts[first]
            now = min(left, count - taken)
            if given_on <= day:
                found[day.year, (day - given_on).days] += now
            left -= now
            taken += now
            if taken == count:
                first, taken = first + 1, 0
    return found


def expiries(given: Mapping[str, int], used: Mapping[str, int], expired: Mapping[str, int]) -> dict[str, int]:
    """Return the unused passes of an expired order by commune; "" where the commune cannot be inferred.

    If every use has a commune, what expires in a commune is given less used. Uses without a commune (or
    beyond the gifts of theirs) may be of any: as many fewer have certainly expired in each commune, and
    the rest is returned without one.

    Parameters
    ----------
    given, used, expired
        Passes so far, by commune; "" if unknown.

    Returns
    -------
    Passes to expire, above 0, that sum to given − used − expired.
    """
    communes = {*given, *used, *expired} - {""}
    left = {c: given.get(c, 0) - used.get(c, 0) - expired.get(c, 0) for c in communes}
    total = sum(left.values()) + given.get("", 0) - used.get("", 0) - expired.get("", 0)
    doubt = sum(max(each, 0) for each in left.values()) - total
    sure = {c: each - doubt for c, each in sorted(left.items()) if each > doubt}
    untold = total - sum(sure.values())
    return sure | ({"": untold} if untold else {})


def read_events(
    path: Path,
    known: PassReferences,
    *,
    today: date,
    max_bytes: int,
    progress: Callable[[int], None] | None = None,
) -> ReadEvents:
    """Read a CSV or XLSX file of events; each row is accepted, or rejected with the reason.

    Days are written 2026-03-12 or 12/03/2026, kinds given, used, expired, reimbursed or donné,
    utilisé, expiré, remboursé. The store checks that there are enough passes.

    Parameters
    ----------
    today
        The day after which an event is in the future.
    max_bytes
        Largest size read; a larger file is refused unread.

    Raises
    ------
    UnreadableFile
        If the file cannot be read, or lacks a column.
    """
    table = open_table(path, max_bytes=max_bytes, announced=lambda names: set(COLUMNS) <= set(names))
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise UnreadableFile(
            f"« {path.name} » n'a pas de colonne {', '.join(f'« {name} »' for name in missing)}. "
            f"Ses colonnes sont {quoted(table.columns)}.",
            f"Un fichier d'événements a les colonnes {', '.join(COLUMNS)}.",
        )
    rank = [table.columns.index(name) for name in COLUMNS]
    corrects = table.columns.index("corrects") if "corrects" in table.columns else None
    reading = _EventReader(known, today)
    result = ReadEvents()
    width = len(table.columns)
    for line, cells in table.rows():
        result.read += 1
        if len(cells) != width:
            found: Event | Issue = _issue(
                line,
                "",
                str(len(cells)),
                "colonnes",
                f"La ligne a {len(cells)} cellules ; l'en-tête annonce {width} colonnes.",
                "Vérifiez les séparateurs et les guillemets de cette ligne.",
            )
        else:
            found = reading.event(
                line,
                [cells[r].strip() for r in rank],
                cells[corrects].strip() if corrects is not None else "",
            )
        if isinstance(found, Event):
            result.events.append(found)
            result.lines.append(line)
        else:
            result.rejected += 1
            result.issues.append(found)
        if progress and result.read % _PROGRESS_EVERY == 0:
            progress(result.read)
    if progress:
        progress(result.read)
    return result


@dataclass(slots=True)
class _EventReader:
    """Parses rows of one file into events; parsed days are cached."""

    known: PassReferences
    today: date
    days: dict[str, date | None] = field(default_factory=dict)

    def event(self, line: int, cells: list[str], corrects: str) -> Event | Issue:
        """Return the event of a row, or its first fault."""
        reference, order, word, when, number, commune, partner, site = cells

        if not 0 < len(reference) <= REFERENCE_MAX:
            return _issue(
                line,
                "reference",
                reference,
                "reference_absente" if not reference else "reference_trop_longue",
                f"Un événement porte une référence de 1 à {REFERENCE_MAX} caractères.",
                "Donnez-en une qui ne serve qu'à lui : elle évite de le compter deux fois.",
            )
        kind = _KIND_BY_WORD.get(word.lower())
        if kind is None:
            return _issue(
                line,
                "kind",
                word,
                "nature_inconnue",
                "La nature n'est pas une de celles d'un événement.",
                f"Écrivez {', '.join(EventKind)}.",
            )
        found = self.known.orders.get(order)
        if found is None:
            return _issue(
                line,
                "order",
                order,
                "commande_inconnue",
                "Aucune commande ne porte cette référence.",
                "Enregistrez d'abord la commande : portee passes order.",
            )
        if when not in self.days:
            self.days[when] = _day(when)
        day = self.days[when]
        if day is None:
            return _issue(
                line,
                "day",
                when,
                "date_illisible",
                "La date ne peut être lue.",
                "Écrivez-la comme 2026-03-12.",
            )
        if trouble := _out_of_time(kind, day, found, self.today):
            return _issue(line, "day", when, "date_impossible", *trouble)
        count = int(number) if _COUNT.fullmatch(number) else 0
        if not 0 < abs(count) <= COUNT_MAX:
            return _issue(
                line,
                "count",
                number,
                "nombre_illisible",
                "Le nombre de pass n'est pas un nombre entier autre que zéro.",
                "Écrivez par exemple 12.",
            )
        if (count < 0) != bool(corrects):
            return _issue(
                line,
                "corrects",
                corrects,
                "correction_incomplete",
                "Un nombre négatif corrige un événement, et lui seul le fait.",
                "Nommez l'événement corrigé dans la colonne corrects, avec un nombre négatif.",
            )
        if (kind is EventKind.GIVEN or commune) and commune not in self.known.communes:
            return _issue(
                line,
                "commune",
                commune,
                "commune_inconnue" if commune else "commune_absente",
                "La commune n'est pas de celles du territoire ou de ses voisins.",
                "Donnez son code INSEE, par exemple 47001.",
            )
        if partner and partner not in self.known.partners:
            return _issue(
                line,
                "partner",
                partner,
                "partenaire_inconnu",
                "Aucun partenaire ne porte ce code.",
                "Enregistrez d'abord le partenaire, ou corrigez son code.",
            )
        if (kind in (EventKind.USED, EventKind.REIMBURSED) or site) and site not in self.known.sites:
            return _issue(
                line,
                "site",
                site,
                "lieu_inconnu" if site else "lieu_absent",
                "Aucun lieu connu, en service ou retiré, ne porte cet identifiant.",
                "Donnez l'identifiant public du lieu : portee sites list --json.",
            )
        return Event(reference, order, kind, day, count, commune, partner, site, corrects)


def _out_of_time(kind: EventKind, day: date, order: Order, today: date) -> tuple[str, str] | None:
    """Return why passes of an order cannot be given, used… on a day, and advice; None if they can."""
    if day > today:
        return "Ce jour n'est pas encore venu.", "Corrigez la date."
    if day < order.day:
        return (
            f"La commande n'a été passée que le {dates.long_date(order.day)}.",
            "Corrigez la date ou la commande.",
        )
    if kind in (EventKind.GIVEN, EventKind.USED) and day > order.expires_on:
        return (
            f"Les pass ont expiré le {dates.long_date(order.expires_on)}.",
            "Corrigez la date ou la commande.",
        )
    if kind is EventKind.EXPIRED and day <= order.expires_on:
        return (
            f"Les pass sont encore valables le {dates.long_date(order.expires_on)}.",
            "Un pass expire le lendemain.",
        )
    return None


def _day(text: str) -> date | None:
    try:
        if _ISO.fullmatch(text):
            return date.fromisoformat(text)
        if french := _FRENCH.fullmatch(text):
            return date(int(french[3]), int(french[2]), int(french[1]))
    except ValueError:
        return None
    return None


def _issue(line: int, field_: str, value: str, code: str, reason: str, advice: str) -> Issue:
    return Issue(line, field_, value, Severity.REJECTED, code, reason, advice)
