"""The printable report: a coverage as a French PDF on A4, with maps, charts and the largest gaps.

Typst sets it (fonts it carries, no network, none of the machine's fonts). The template receives
everything as data and shows it as text. The same coverage gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from math import isfinite
from typing import Any, Final

import numpy as np

from geo.coverage import equity
from geo.coverage.catchment import Decay, Step
from geo.coverage.compare import CoverageChange, compare
from geo.coverage.export import DEMONSTRATION, source_lines, uncertainty_sentences
from geo.coverage.gaps import Gap, question_text
from geo.coverage.measure import CAP_MIN, Coverage, Supply, TerritoryCoverage
from geo.people.model import AT_TOWN_HALL
from geo.reach import straight_line
from geo.reach.modes import Mode
from geo.territory.model import TerritoryKind
from static_maps import charts, svg_map
from static_maps.map_phrases import day, integer
from static_maps.svg_map import SvgLegendEntry
from static_maps.typeset import typeset

TITLE: Final = "Accès à l'aide numérique"
GAPS_SHOWN: Final = 20
CHANGES_SHOWN: Final = 12

_MAIN: Final = (350.0, 400.0)
_SIDE: Final = (240.0, 300.0)
_HISTOGRAM: Final = 250.0
_LORENZ: Final = 205.0
_PLURALS: Final = {
    TerritoryKind.COMMUNE: "communes",
    TerritoryKind.CANTON: "cantons",
    TerritoryKind.EPCI: "intercommunalités",
    TerritoryKind.ARRONDISSEMENT: "arrondissements",
    TerritoryKind.DEPARTEMENT: "départements",
}
_UNREACHED: Final = "hors d'atteinte"
_NO_FIGURE: Final = "–"


def report_pdf(
    coverage: Coverage, kind: TerritoryKind, *, gaps: Sequence[Gap], before: Coverage | None = None
) -> bytes:
    """Write a coverage as a report to print or to send.

    Parameters
    ----------
    kind
        Territories of the ranked table; their borders are drawn on the maps.
    gaps
        Gaps of communes, the largest first; the first `GAPS_SHOWN` are told.
    before
        The state a what-if starts from: the report then shows what changes.

    Returns
    -------
    A tagged PDF on A4 in French. It claims PDF/UA-1 unless a name has a letter its fonts lack.

    Raises
    ------
    ValueError
        If `before` does not answer the same question over the same places.
    """
    told = contents(coverage, kind, gaps=gaps, before=before)
    return typeset("report", told, day=coverage.frame.day)


def contents(
    coverage: Coverage, kind: TerritoryKind, *, gaps: Sequence[Gap], before: Coverage | None = None
) -> dict[str, Any]:
    """What the template shows: words, figures and drawings, by their place in the report."""
    frame = coverage.frame
    snapshot = frame.snapshot
    territory = snapshot.territory
    area = svg_map.ground(territory, kind)
    communes = coverage.by_territory(TerritoryKind.COMMUNE)
    main, side = (svg_map.svg_frame(area, *size) for size in (_MAIN, _SIDE))
    rows = (
        coverage.by_territory(kind) if kind not in (TerritoryKind.COMMUNE, TerritoryKind.DEPARTEMENT) else ()
    )
    return {
        "title": TITLE if before is None else f"{TITLE} : avant et après",
        "territory": f"{territory.name} ({territory.code})",
        "created": {"year": frame.day.year, "month": frame.day.month, "day": frame.day.day},
        "question": f"Qui est à plus de {coverage.question.beyond_min} min d'un lieu d'aide numérique ?",
        "conditions": question_text(coverage),
        "subtitle": f"Calculé le {day(frame.day)}, sur l'état des données n° {snapshot.version} "
        f"du {day(snapshot.taken_at.date())}.",
        "footer": f"Portée · {day(frame.day)} · {frame.travel.label}",
        "notice": "Données de démonstration" if snapshot.fictitious else None,
        "notices": _notices(coverage),
        "figures": _figures(coverage, before),
        "summary": _summary(coverage, gaps),
        "maps": {
            "time": _time_map(area, main, coverage, communes, "Temps médian par commune"),
            "beyond": _beyond_map(area, side, coverage, communes),
            "supply": _supply_map(area, side, coverage, communes),
        },
        "change": None if before is None else _change(area, side, before, coverage, kind),
        "charts": _charts(coverage),
        "gaps": _gaps(coverage, gaps),
        "territories": _territories(coverage, kind, rows) if rows else None,
        "uncertainty": uncertainty_sentences(coverage),
        "method": _method(coverage),
        "sources": source_lines(coverage) or ("Aucune source n'est indiquée.",),
    }


def _notices(coverage: Coverage) -> list[str]:
    frame = coverage.frame
    said = [DEMONSTRATION] if frame.snapshot.fictitious else []
    if frame.travel.method == straight_line.METHOD:
        factor = f"{frame.travel.detour_factor:g}".replace(".", ",")
        said.append(
            "Temps : estimation à vol d'oiseau. Sans réseau routier chargé, les distances sont des lignes "
            f"droites × {factor} : rivières, ponts et relief n'y sont pas."
        )
    if frame.people.label == AT_TOWN_HALL:
        said.append("Habitants comptés à la mairie de leur commune, faute de population plus fine.")
    return said


def _figures(coverage: Coverage, before: Coverage | None) -> list[dict[str, str]]:
    """Headline figures; of a what-if, with what they were."""
    labels = _headline(coverage)
    were = _headline(before) if before else [("", "")] * len(labels)
    return [
        {"value": value, "label": label, "before": old}
        for (value, label), (old, _) in zip(labels, were, strict=True)
    ]


def _headline(coverage: Coverage) -> list[tuple[str, str]]:
    beyond_min = coverage.question.beyond_min
    people, seconds = coverage.people, coverage.seconds.astype(np.float64)
    beyond = float(people[coverage.beyond].sum())
    median = equity.quantile(seconds, people, 0.5)
    worst = equity.worst_served(seconds, people, worst_is_highest=True)
    gini = equity.gini(coverage.supply, people)
    return [
        (integer(beyond), f"personnes à plus de {beyond_min} min"),
        (_percent(coverage.uncertainty.share), f"des personnes à {beyond_min} min ou moins"),
        (_minutes(median), "temps médian"),
        (_minutes(worst), "temps moyen du dixième le plus éloigné"),
        (
            _NO_FIGURE if gini is None else _decimal(gini, 2),
            "indice de Gini de l'offre (0 : égale pour tous)",
        ),
    ]


def _summary(coverage: Coverage, gaps: Sequence[Gap]) -> list[str]:
    question, people = coverage.question, float(coverage.people.sum())
    beyond = float(coverage.people[coverage.beyond].sum())
    fitting = "qui répond à la question" if question.filter or question.slot else "d'aide numérique"
    if people <= 0:
        return ["Personne n'est compté sur ce territoire."]
    if not beyond:
        return [
            f"Toutes les personnes comptées ({integer(people)}) sont à {question.beyond_min} min ou moins "
            f"{question.mode.label} d'un lieu {fitting}."
        ]
    said = [
        f"Sur {integer(people)} personnes, {integer(beyond)} ({_percent(beyond / people)}) sont à plus de "
        f"{question.beyond_min} min {question.mode.label} d'un lieu {fitting}."
    ]
    if gaps:
        names = [gap.name for gap in gaps[:3]]
        listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" et {names[-1]}"
        said.append(f"Les écarts les plus grands : {listed}.")
    return said


def _time_map(
    area: svg_map.Ground,
    frame: svg_map.SvgFrame,
    coverage: Coverage,
    communes: Sequence[TerritoryCoverage],
    title: str,
) -> dict[str, Any]:
    edges = coverage.question.minutes
    colours = {row.code: svg_map.time_colour(row.median_min, edges) for row in communes}
    keys = svg_map.time_keys(edges)
    sites = coverage.frame.snapshot.site_xy[coverage.counted]
    asked = coverage.question.filter or coverage.question.slot
    shown = SvgLegendEntry("lieu qui répond à la question" if asked else "lieu", svg_map.SITE_COLOUR)
    return {
        "title": title,
        "svg": svg_map.choropleth(area, frame, colours, sites=sites),
        "width": frame.width,
        "alt": _alt(f"Carte : {title.lower()}", colours, keys),
        "legend": {
            "title": f"Temps {coverage.question.mode.label} jusqu'au lieu le plus proche",
            "keys": [*_keys(keys), {**_key(shown), "dot": True}],
        },
        "note": "Temps que la moitié des habitants de la commune ne dépasse pas. Plus c'est foncé, plus "
        f"c'est loin. Le seuil de la question est à {coverage.question.beyond_min} min. "
        "Les lieux des départements voisins comptent aussi.",
    }


def _beyond_map(
    area: svg_map.Ground, frame: svg_map.SvgFrame, coverage: Coverage, communes: Sequence[TerritoryCoverage]
) -> dict[str, Any]:
    values = {row.code: row.people_beyond for row in communes}
    drawn, keys = svg_map.circles(area, frame, values)
    concerned = sum(round(value) > 0 for value in values.values())
    beyond_min = coverage.question.beyond_min
    return {
        "title": f"Personnes à plus de {beyond_min} min",
        "svg": drawn,
        "width": frame.width,
        "alt": f"Carte : {integer(sum(values.values()))} personnes à plus de {beyond_min} min, "
        f"dans {concerned} communes.",
        "legend": {"title": "Personnes dans la commune" if keys else "", "keys": _keys(keys)},
        "note": "La surface du cercle est proportionnelle au nombre de personnes."
        if keys
        else "Personne n'est au-delà du seuil.",
    }


def _supply_map(
    area: svg_map.Ground, frame: svg_map.SvgFrame, coverage: Coverage, communes: Sequence[TerritoryCoverage]
) -> dict[str, Any]:
    whole = coverage.people.sum()
    mean = float(coverage.supply @ coverage.people / whole) if whole > 0 else 0.0
    colours = {row.code: svg_map.supply_colour(row.supply, mean) for row in communes}
    keys = svg_map.supply_keys(mean) if mean else svg_map.supply_keys(1.0)[:1]
    return {
        "title": "Offre accessible par commune",
        "svg": svg_map.choropleth(area, frame, colours),
        "width": frame.width,
        "alt": _alt("Carte : offre accessible par commune", colours, keys),
        "legend": {"title": coverage.question.supply.label.capitalize(), "keys": _keys(keys)},
        "note": f"Moyenne du territoire : {svg_map.decimal(mean)}. L'offre est partagée entre tous ceux qui "
        "peuvent l'atteindre, et compte moins quand elle est plus loin.",
    }


def _change(
    area: svg_map.Ground, frame: svg_map.SvgFrame, before: Coverage, after: Coverage, kind: TerritoryKind
) -> dict[str, Any]:
    maps = [
        _time_map(area, frame, each, each.by_territory(TerritoryKind.COMMUNE), f"Temps médian, {when}")
        for each, when in ((before, "avant"), (after, "après"))
    ]
    for each in maps:
        each["note"] = ""
    communes = compare(before, after, TerritoryKind.COMMUNE)
    changes = compare(before, after, kind) if kind is not TerritoryKind.DEPARTEMENT else communes
    shown = kind if kind is not TerritoryKind.DEPARTEMENT else TerritoryKind.COMMUNE
    gaining, losing = (sum(getattr(c, name) for c in communes) for name in ("gaining", "losing"))
    nearer, farther = (sum(getattr(c, name) for c in communes) for name in ("nearer", "farther"))
    moved = sorted(
        (c for c in changes if max(c.gaining, c.losing, c.nearer, c.farther) > 0.5),
        key=lambda c: (-abs(c.gap), c.code),
    )
    return {
        "title": "Ce qui change",
        "summary": [
            f"Personnes qui passent à {after.question.beyond_min} min ou moins : {integer(gaining)} ; "
            f"qui n'y sont plus : {integer(losing)}.",
            f"Rapprochées d'une minute ou plus : {integer(nearer)} ; éloignées : {integer(farther)}.",
        ],
        "maps": maps,
        "heading": f"Les {_PLURALS[shown]} où l'écart change le plus",
        "head": (
            shown.label.capitalize(),
            *("Gagnent", "Perdent", "Rapprochées", "Éloignées", "Temps moyen"),
        ),
        "rows": [_change_row(c) for c in moved[:CHANGES_SHOWN]],
        "note": f"Gagnent, perdent : personnes qui passent à {after.question.beyond_min} min ou moins, "
        "ou n'y sont plus. Rapprochées, éloignées : d'une minute ou plus. "
        "Temps moyen : de combien il change.",
    }


def _change_row(change: CoverageChange) -> tuple[str, ...]:
    minutes = _NO_FIGURE if change.minutes is None else f"{_signed(change.minutes)} min"
    return (
        change.name,
        integer(change.gaining),
        integer(change.losing),
        integer(change.nearer),
        integer(change.farther),
        minutes,
    )


def _charts(coverage: Coverage) -> list[dict[str, Any]]:
    question = coverage.question
    classes = equity.by_time(coverage.seconds, coverage.people, question.minutes)
    colours = [key.colour for key in svg_map.time_keys(question.minutes)]
    whole = sum(each.people for each in classes)
    told = [
        {
            "title": "Personnes par temps de trajet",
            "svg": _on_paper(charts.histogram(classes, colours, identifier="h")),
            "width": _HISTOGRAM,
            "alt": " ; ".join(f"{c.label} : {integer(c.people)} personnes" for c in classes) + ".",
            "note": f"{integer(whole)} personnes en tout, {question.mode.label}.",
        }
    ]
    curve = coverage.lorenz()
    if curve is not None:
        half = charts.access_share(curve, 0.5)
        said = f"La moitié la moins bien servie des habitants a {_percent(half)} de l'offre accessible"
        tenth = f"le dixième le moins bien servi en a {_percent(charts.access_share(curve, 0.1))}."
        told.append(
            {
                "title": "Courbe de Lorenz de l'offre",
                "svg": _on_paper(charts.lorenz_curve(curve, identifier="l")),
                "width": _LORENZ,
                "alt": f"Courbe de Lorenz : {said.lower()} ; {tenth}",
                "note": f"{said}.",
            }
        )
    return told


def _on_paper(drawing: str) -> str:
    """A chart in the type of the report."""
    return drawing.replace(escape(charts.FONT), svg_map.FONT)


def _gaps(coverage: Coverage, gaps: Sequence[Gap]) -> dict[str, Any]:
    question, shown = coverage.question, gaps[:GAPS_SHOWN]
    title = f"Les {len(shown)} écarts les plus grands" if len(shown) > 1 else "Les écarts"
    if not shown:
        intro = f"Aucune commune n'a d'habitant à plus de {question.beyond_min} min : il n'y a pas d'écart."
    else:
        intro = (
            f"{len(gaps)} communes ont des habitants à plus de {question.beyond_min} min. Elles sont "
            "classées par personnes × besoin × minutes au-delà du seuil."
            if len(gaps) > 1
            else f"Une seule commune a des habitants à plus de {question.beyond_min} min."
        )
    return {
        "title": title,
        "intro": intro,
        "head": ("", "Commune", "Personnes", "Temps médian", "En une phrase"),
        "rows": [
            (
                str(rank),
                gap.name,
                integer(gap.people),
                _UNREACHED if gap.minutes is None else f"{gap.minutes:.0f} min",
                gap.sentence,
            )
            for rank, gap in enumerate(shown, start=1)
        ],
    }


def _territories(
    coverage: Coverage, kind: TerritoryKind, rows: Sequence[TerritoryCoverage]
) -> dict[str, Any]:
    ranked = sorted(rows, key=lambda r: (r.gap_rank is None, r.gap_rank or 0, r.code))
    beyond_min = coverage.question.beyond_min
    return {
        "title": f"Les {_PLURALS[kind]}, de l'écart le plus grand au plus petit",
        "head": (
            kind.label.capitalize(),
            "Personnes",
            "Lieux",
            "Temps médian",
            f"À plus de {beyond_min} min",
            "Part",
            "Offre accessible",
        ),
        "rows": [
            (
                row.name,
                integer(row.people),
                str(row.site_count),
                _UNREACHED if row.median_min is None else f"{row.median_min:.0f} min",
                integer(row.people_beyond),
                _percent(row.people_beyond / row.people if row.people > 0 else None),
                _decimal(row.supply, 1 if coverage.question.supply is Supply.HOURS else 3),
            )
            for row in ranked
        ],
    }


def _method(coverage: Coverage) -> list[tuple[str, str]]:
    frame, question = coverage.frame, coverage.question
    names = {indicator.code: indicator.name for indicator in frame.snapshot.indicators}
    weights = ", ".join(f"{names[code]} ({weight:g})".replace(".", ",") for code, weight in question.weights)
    return [
        ("Temps", f"{frame.travel.label}, {question.mode.label}{_speed(coverage)}."),
        ("Personnes", f"{frame.people.label}."),
        ("Besoin", f"pondéré par {weights}." if weights else "chaque personne compte pour une."),
        (
            "Écart",
            "personnes × besoin × minutes au-delà du seuil ; une personne qui ne peut rien atteindre est "
            f"comptée à {CAP_MIN} min.",
        ),
        (
            "Offre accessible",
            f"{question.supply.label}, par bassins flottants (E2SFCA, comme l'APL de la DREES) : un lieu "
            f"compte {_fading(question.decay)}.",
        ),
        (
            "Indice de Gini",
            "0 quand chacun a la même offre accessible, proche de 1 quand quelques-uns ont tout.",
        ),
    ]


def _fading(decay: Decay) -> str:
    if isinstance(decay, Step):
        steps = ", ".join(f"pour {weight} jusqu'à {minutes} min" for minutes, weight in decay.steps)
        return f"{steps}, puis plus du tout"
    return f"de moins en moins, jusqu'à {decay.minutes} min"


def _speed(coverage: Coverage) -> str:
    if coverage.frame.travel.method != straight_line.METHOD:
        return ""
    mode: Mode = coverage.question.mode
    return f", à {_decimal(straight_line.SPEED_KMH[mode], 1)} km/h de porte à porte"


def _alt(what: str, colours: Mapping[str, str], keys: Sequence[SvgLegendEntry]) -> str:
    """A map in words: how many communes are in each class."""
    count = Counter(colours.values())
    told = [f"{key.label} : {count[key.colour]} communes" for key in keys if count[key.colour]]
    return f"{what}. {' ; '.join(told)}."


def _keys(keys: Sequence[SvgLegendEntry]) -> list[dict[str, Any]]:
    return [_key(key) for key in keys]


def _key(key: SvgLegendEntry) -> dict[str, Any]:
    return {**asdict(key), "dot": False}


def _minutes(seconds: float | None) -> str:
    if seconds is None:
        return _NO_FIGURE
    return f"{seconds / 60:.0f}\u00a0min" if isfinite(seconds) else _UNREACHED


def _percent(share: float | None) -> str:
    return _NO_FIGURE if share is None else f"{_decimal(share * 100, 1)}\u202f%"


def _decimal(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".replace(".", ",")


def _signed(number: float) -> str:
    return f"{number:+.1f}".replace(".", ",").replace("-", "\u2212")
