"""How commands ask about some of the sites: `--where field=value`, as often as needed."""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches

import typer

from geo.sites import standard
from geo.sites.filters import BOOLEAN_FIELDS, FILTERABLE, SiteFilter

WHERE_HELP = (
    "Keep sites whose FIELD has this value, e.g. --where frais_a_charge=Gratuit. "
    "Repeat for several: one field's values are alternatives, different fields must all hold."
)


def site_filter(where: list[str]) -> SiteFilter:
    """Build a filter from `field=value` texts.

    Raises
    ------
    typer.BadParameter
        If a text has no `=`, names no filterable field, or gives a value outside a closed list.
    """
    conditions: dict[str, list[str]] = defaultdict(list)
    for text in where:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not value:
            raise typer.BadParameter(f"“{text}” is not FIELD=VALUE.")
        if name not in FILTERABLE:
            near = get_close_matches(name, FILTERABLE) or FILTERABLE
            raise typer.BadParameter(f"No field “{name}”. Fields: {', '.join(near)}.")
        allowed = ("true", "false") if name in BOOLEAN_FIELDS else standard.ENUMERATIONS.get(name)
        if allowed and value not in allowed:
            raise typer.BadParameter(f"“{value}” is no value of {name}. Values: {' · '.join(allowed)}.")
        conditions[name].append(value)
    return SiteFilter.of(conditions)
