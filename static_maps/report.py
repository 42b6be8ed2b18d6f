"""The printable report: a coverage as a French PDF on A4, with maps, charts and the largest gaps.

Typst sets it (fonts it carries, no network, none of the machine's fonts). The template receives
everything as data and shows it as text. The same coverage gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any, Final

import numpy as np

from geo.coverage import equity
from geo.coverage.catchment import Decay, Step
from geo.coverage.compare import CoverageChange, compare
from geo.coverage.export import DEMONSTRATION, source_lines, uncertainty_sentences
from geo.coverage.gaps import Gap, question_text
from geo.coverage.measure import CAP_MIN, Coverage, TerritoryCoverage
from geo.people.model import AT_TOWN_HALL
from geo.reach import straight_line
from geo.reach.modes import Mode
from geo.territory.model import TerritoryKind
from geo.wording import dates, figures
from geo.wording.language import FRENCH, french_count, round_half_up
from static_maps import charts, svg_map
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


def report_pdf(
    coverage: Coverage, kind: TerritoryKind, *, gaps: Sequence[Gap], before: Coverage | None = None
) -> bytes:
    """Write a coverage as a report to print or to send.

    Parameters
    ----------
    kind
        Territories of the ranked table; their borders are drawn on the maps.
    gaps
        Gaps of communes, the largest first; the first `GAPS_SHOWN` are described.
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
    content = contents(coverage, kind, gaps=gaps, before=before)
    return typeset("report", content, day=coverage.frame.day)


def contents(
    coverage: Coverage, kind: TerritoryKind, *, gaps: Sequence[Gap], before: Coverage | None = None
) -> dict[str, Any]:
    """Return what the template shows: words, figures and drawings, by their place in the report."""
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
        "question": "Qui est à plus de "
        f"{figures.minutes(coverage.question.beyond_min)} d'un lieu d'aide numérique ?",
        "conditions": question_text(coverage),
        "subtitle": f"Calculé le {dates.long_date(frame.day)}, sur l'état des données n° {snapshot.version} "
        f"du {dates.long_date(snapshot.taken_at.date())}.",
        "footer": f"Portée · {dates.long_date(frame.day)} · {frame.travel.label}",
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
    notices = [DEMONSTRATION] if frame.snapshot.fictitious else []
    if frame.travel.method == straight_line.METHOD:
        factor = figures.exact(frame.travel.detour_factor)
        notices.append(
            "Temps : estimation à vol d'oiseau. Sans réseau routier chargé, les distances sont des lignes "
            f"droites × {factor} : rivières, ponts et relief n'y sont pas."
        )
    if frame.people.label == AT_TOWN_HALL:
        notices.append("Habitants comptés à la mairie de leur commune, faute de population plus fine.")
    return notices


def _figures(coverage: Coverage, before: Coverage | None) -> list[dict[str, str]]:
    """Headline figures; of a what-if, with what they were."""
    labels = _headline(coverage)
    were = _headline(before) if before else [("", "")] * len(labels)
    return [
        {"value": value, "label": label, "before": old}
        for (value, label), (old, _) in zip(labels, were, strict=True)
    ]


def _headline(coverage: Coverage) -> list[tuple[str, str]]:
    threshold = figures.minutes(coverage.question.beyond_min)
    people, seconds = coverage.people, coverage.seconds.astype(np.float64)
    beyond = float(people[coverage.beyond].sum())
    median = equity.quantile(seconds, people, 0.5)
    worst = equity.worst_served(seconds, people, worst_is_highest=True)
    gini = equity.gini(coverage.supply, people)
    return [
        (figures.count(beyond), f"personnes à plus de {threshold}"),
        (figures.percent(coverage.uncertainty.share), f"des personnes à {threshold} ou moins"),
        (figures.seconds(median), "temps médian"),
        (figures.seconds(worst), "temps moyen du dixième le plus éloigné"),
        (
            figures.decimal(gini),
            "indice de Gini de l'offre (0 : égale pour tous)",
        ),
    ]


def _summary(coverage: Coverage, gaps: Sequence[Gap]) -> list[str]:
    question, people = coverage.question, float(coverage.people.sum())
    beyond = float(coverage.people[coverage.beyond].sum())
    fitting = "qui répond à la question" if question.filter or question.slot else "d'aide numérique"
    threshold = figures.minutes(question.beyond_min)
    if people <= 0:
        return ["Personne n'est compté sur ce territoire."]
    if not beyond:
        return [
            f"Toutes les personnes comptées ({figures.count(people)}) sont à {threshold} ou moins "
            f"{question.mode.label} d'un lieu {fitting}."
        ]
    share = figures.percent(beyond / people)
    sentences = [
        f"Sur {figures.people(people)}, {figures.count(beyond)} ({share}) "
        f"{FRENCH.plural('est', 'sont', beyond)} à plus de {threshold} {question.mode.label} "
        f"d'un lieu {fitting}."
    ]
    if gaps:
        sentences.append(f"Les écarts les plus grands : {figures.listed([gap.name for gap in gaps[:3]])}.")
    return sentences


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
        f"c'est loin. Le seuil de la question est à {figures.minutes(coverage.question.beyond_min)}. "
        "Les lieux des départements voisins comptent aussi.",
    }


def _beyond_map(
    area: svg_map.Ground, frame: svg_map.SvgFrame, coverage: Coverage, communes: Sequence[TerritoryCoverage]
) -> dict[str, Any]:
    values = {row.code: row.people_beyond for row in communes}
    drawn, keys = svg_map.circles(area, frame, values)
    concerned = sum(round_half_up(value) > 0 for value in values.values())
    threshold = figures.minutes(coverage.question.beyond_min)
    communes_concerned = french_count("%(num)s commune", "%(num)s communes", concerned)
    return {
        "title": f"Personnes à plus de {threshold}",
        "svg": drawn,
        "width": frame.width,
        "alt": f"Carte : {figures.people(sum(values.values()))} à plus de {threshold}, "
        f"dans {communes_concerned}.",
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
        "note": f"Moyenne du territoire : {figures.decimal(mean)}. L'offre est partagée entre tous ceux qui "
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
    threshold = figures.minutes(after.question.beyond_min)
    return {
        "title": "Ce qui change",
        "summary": [
            f"Personnes qui passent à {threshold} ou moins : {figures.count(gaining)} ; "
            f"qui n'y sont plus : {figures.count(losing)}.",
            f"Rapprochées d'une minute ou plus : {figures.count(nearer)} ; "
            f"éloignées : {figures.count(farther)}.",
        ],
        "maps": maps,
        "heading": f"Les {_PLURALS[shown]} où l'écart change le plus",
        "head": (
            shown.label.capitalize(),
            *("Gagnent", "Perdent", "Rapprochées", "Éloignées", "Temps moyen"),
        ),
        "rows": [_change_row(c) for c in moved[:CHANGES_SHOWN]],
        "note": f"Gagnent, perdent : personnes qui passent à {threshold} ou moins, "
        "ou n'y sont plus. Rapprochées, éloignées : d'une minute ou plus. "
        "Temps moyen : de combien il change.",
    }


def _change_row(change: CoverageChange) -> tuple[str, ...]:
    return (
        change.name,
        figures.count(change.gaining),
        figures.count(change.losing),
        figures.count(change.nearer),
        figures.count(change.farther),
        figures.minutes_change(change.minutes),
    )


def _charts(coverage: Coverage) -> list[dict[str, Any]]:
    question = coverage.question
    classes = equity.by_time(coverage.seconds, coverage.people, question.minutes)
    colours = [key.colour for key in svg_map.time_keys(question.minutes)]
    whole = sum(each.people for each in classes)
    drawn = [
        {
            "title": "Personnes par temps de trajet",
            "svg": _on_paper(charts.histogram(classes, colours, identifier="h")),
            "width": _HISTOGRAM,
            "alt": " ; ".join(f"{c.label} : {figures.people(c.people)}" for c in classes) + ".",
            "note": f"{figures.people(whole)} en tout, {question.mode.label}.",
        }
    ]
    curve = coverage.lorenz()
    if curve is not None:
        half = charts.access_share(curve, 0.5)
        half_text = (
            f"La moitié la moins bien servie des habitants a {figures.percent(half)} de l'offre accessible"
        )
        tenth = f"le dixième le moins bien servi en a {figures.percent(charts.access_share(curve, 0.1))}."
        drawn.append(
            {
                "title": "Courbe de Lorenz de l'offre",
                "svg": _on_paper(charts.lorenz_curve(curve, identifier="l")),
                "width": _LORENZ,
                "alt": f"Courbe de Lorenz : {half_text[0].lower()}{half_text[1:]} ; {tenth}",
                "note": f"{half_text}.",
            }
        )
    return drawn


def _on_paper(drawing: str) -> str:
    """A chart in the type of the report."""
    return drawing.replace(escape(charts.FONT), svg_map.FONT)


def _gaps(coverage: Coverage, gaps: Sequence[Gap]) -> dict[str, Any]:
    question, shown = coverage.question, gaps[:GAPS_SHOWN]
    threshold = figures.minutes(question.beyond_min)
    title = french_count("Les écarts", "Les %(num)s écarts les plus grands", len(shown))
    if not shown:
        intro = f"Aucune commune n'a d'habitant à plus de {threshold} : il n'y a pas d'écart."
    else:
        intro = french_count(
            "Une seule commune a des habitants à plus de %(threshold)s.",
            "%(num)s communes ont des habitants à plus de %(threshold)s. Elles sont classées par "
            "personnes × besoin × minutes au-delà du seuil.",
            len(gaps),
            threshold=threshold,
        )
    return {
        "title": title,
        "intro": intro,
        "head": ("", "Commune", "Personnes", "Temps médian", "En une phrase"),
        "rows": [
            (
                str(rank),
                gap.name,
                figures.count(gap.people),
                figures.reach_minutes(gap.minutes),
                gap.sentence,
            )
            for rank, gap in enumerate(shown, start=1)
        ],
    }


def _territories(
    coverage: Coverage, kind: TerritoryKind, rows: Sequence[TerritoryCoverage]
) -> dict[str, Any]:
    ranked = sorted(rows, key=lambda r: (r.gap_rank is None, r.gap_rank or 0, r.code))
    return {
        "title": f"Les {_PLURALS[kind]}, de l'écart le plus grand au plus petit",
        "head": (
            kind.label.capitalize(),
            "Personnes",
            "Lieux",
            "Temps médian",
            f"À plus de {figures.minutes(coverage.question.beyond_min)}",
            "Part",
            "Offre accessible",
        ),
        "rows": [
            (
                row.name,
                figures.count(row.people),
                figures.count(row.site_count),
                figures.reach_minutes(row.median_min),
                figures.count(row.people_beyond),
                figures.percent(row.people_beyond / row.people if row.people > 0 else None),
                figures.decimal(row.supply),
            )
            for row in ranked
        ],
    }


def _method(coverage: Coverage) -> list[tuple[str, str]]:
    frame, question = coverage.frame, coverage.question
    names = {indicator.code: indicator.name for indicator in frame.snapshot.indicators}
    weights = ", ".join(f"{names[code]} ({figures.exact(weight)})" for code, weight in question.weights)
    return [
        ("Temps", f"{frame.travel.label}, {question.mode.label}{_speed(coverage)}."),
        ("Personnes", f"{frame.people.label}."),
        ("Besoin", f"pondéré par {weights}." if weights else "chaque personne compte pour une."),
        (
            "Écart",
            "personnes × besoin × minutes au-delà du seuil ; une personne qui ne peut rien atteindre est "
            f"comptée à {figures.minutes(CAP_MIN)}.",
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
        steps = ", ".join(
            f"pour {weight} jusqu'à {figures.minutes(float(minutes))}" for minutes, weight in decay.steps
        )
        return f"{steps}, puis plus du tout"
    return f"de moins en moins, jusqu'à {figures.minutes(float(decay.minutes))}"


def _speed(coverage: Coverage) -> str:
    if coverage.frame.travel.method != straight_line.METHOD:
        return ""
    mode: Mode = coverage.question.mode
    return f", à {figures.exact(straight_line.SPEED_KMH[mode])} km/h de porte à porte"


def _alt(what: str, colours: Mapping[str, str], keys: Sequence[SvgLegendEntry]) -> str:
    """A map in words: how many communes are in each class."""
    count = Counter(colours.values())
    classes = [
        f"{key.label} : {french_count('%(num)s commune', '%(num)s communes', count[key.colour])}"
        for key in keys
        if count[key.colour]
    ]
    return f"{what}. {' ; '.join(classes)}."


def _keys(keys: Sequence[SvgLegendEntry]) -> list[dict[str, Any]]:
    return [_key(key) for key in keys]


def _key(key: SvgLegendEntry) -> dict[str, Any]:
    return {**asdict(key), "dot": False}
