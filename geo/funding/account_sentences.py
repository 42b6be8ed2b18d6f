"""The account of a territory in a few French sentences, from its figures only."""

from __future__ import annotations

from collections.abc import Iterator

from geo.funding.account_model import (
    DEMONSTRATION,
    UNKNOWN,
    Figure,
    TerritoryAccount,
    format_value,
)
from geo.wording import figures
from geo.wording.language import FRENCH


def summary_sentences(account: TerritoryAccount) -> Iterator[str]:
    """The account in a few sentences, made of its figures and of nothing else."""
    if account.fictif:
        yield f"{DEMONSTRATION}."
    year = account.year
    yield f"{account.name} ({account.kind.label}) compte {format_value(account.population, 'habitants')}."
    yield from _site_sentence(account)
    yield from _reach_sentence(account)
    for section in account.sections:
        if section.code == "fragility":
            yield from (f"{figures.capital(f.label)} : {_compared(f, year)}." for f in section.figures)
            if not section.figures:
                yield f"Fragilité numérique : {UNKNOWN}."
    paid, each = account.figure("paid_cents"), account.figure("paid_per_inhabitant")
    contributed, matched = account.figure("contributed_cents"), account.figure("matched_cents")
    if paid and each and contributed and matched:
        yield (
            f"En {year}, le fonds d'inclusion numérique y a payé {paid.text()}, soit {_compared(each, year)}."
        )
        yield (
            f"Les partenaires y ont apporté {contributed.text()} et le Département {matched.text()} ; "
            f"l'année d'avant, {contributed.text('before')} et {matched.text('before')}."
        )
    else:
        yield f"Argent reçu et versé en {year} : {UNKNOWN}."
    given, rate = account.figure("given"), account.figure("rate_of_use")
    if given and rate:
        yield f"Pass Numérique donnés aux habitants en {year} : {_compared(given, year)}."
        if given.value or "value" in given.withheld:
            yield f"Taux d'utilisation des pass : {_compared(rate, year)}."
    else:
        yield f"Pass Numérique donnés en {year} : {UNKNOWN}."
    yield from _action_sentence(account)


def _site_sentence(account: TerritoryAccount) -> Iterator[str]:
    sites, each = account.figure("sites"), account.figure("sites_per_10k")
    if not sites or not each:
        return
    if sites.value:
        verb = FRENCH.plural("y est recensé", "y sont recensés", sites.value)
        counted = figures.capital(sites.text())
        yield f"{counted} d'aide au numérique {verb}, soit {_compared(each, account.year)}."
    else:
        yield f"Aucun lieu d'aide au numérique n'y est recensé (l'année d'avant : {sites.text('before')})."


def _reach_sentence(account: TerritoryAccount) -> Iterator[str]:
    median, beyond, share = (account.figure(c) for c in ("median_min", "people_beyond", "share_beyond"))
    if not median or not beyond or not share:
        return
    if median.value is None:
        yield f"Temps de trajet de la moitié des habitants jusqu'à un lieu d'aide : {UNKNOWN}."
    else:
        beside = _beside(median, account.year)
        time = f"{median.text()} ou moins" if median.value >= 1 else median.text()
        yield f"La moitié des habitants atteignent un lieu d'aide en {time} {beside}."
    yield f"{figures.capital(beyond.label)} : {beyond.text()}, soit {_compared(share, account.year)}."


def _action_sentence(account: TerritoryAccount) -> Iterator[str]:
    section = next(s for s in account.sections if s.code == "actions")
    number, amount = account.figure("actions"), account.figure("actions_cents")
    if not number or not amount:
        yield f"Actions menées en {account.year} : {UNKNOWN}."
        return
    if not number.value:
        yield f"Aucune action n'y a été menée en {account.year} (l'année d'avant : {number.text('before')})."
        return
    verb = FRENCH.plural("y a été menée", "y ont été menées", number.value)
    yield (
        f"{figures.capital(number.text())} {verb} en {account.year}, pour {amount.text()} "
        f"(l'année d'avant : {number.text('before')}, pour {amount.text('before')})."
    )
    by_kind = [f for f in section.figures if "." in f.code and not f.code.endswith(".actions")]
    if by_kind:
        yield "Elles comptent : " + " ; ".join(f"{f.label}, {f.text()}" for f in by_kind) + "."


def _compared(figure: Figure, year: int) -> str:
    """A figure, then what it is compared with."""
    return f"{figure.text()} {_beside(figure, year)}"


def _beside(figure: Figure, year: int) -> str:
    """The département's mean, where there is one, and the year before."""
    parts = [f"{year - 1} : {figure.text('before')}"]
    if figure.departement is not None or "departement" in figure.withheld:
        parts.insert(0, f"département : {figure.text('departement')}")
    return f"({' ; '.join(parts)})"
