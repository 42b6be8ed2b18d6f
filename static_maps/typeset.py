"""Typst at work: a template and its data become a tagged PDF, with the fonts Typst carries and no network.

Data reach the template as JSON and are shown as text, never read as markup. The same data and day
give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

import orjson
import typst

from static_maps import svg_map

_TEMPLATES: Final = Path(__file__).parent / "templates"


def typeset(name: str, told: Mapping[str, Any], *, day: date) -> bytes:
    """Set a template.

    Parameters
    ----------
    name
        Of `templates/<name>.typ`, which finds its data in `sys.inputs.<name>`.
    told
        What it shows: texts, numbers, lists and mappings of them.
    day
        Date the document bears.

    Returns
    -------
    A tagged PDF. It claims PDF/UA-1 unless a text has a letter its fonts lack: that letter is a box,
    and cannot be claimed to be readable.
    """
    arguments: dict[str, Any] = {
        "sys_inputs": {name: orjson.dumps(_printable(told)).decode()},
        "ignore_system_fonts": True,
        "timestamp": datetime.combine(day, time(), UTC),
    }
    source = (_TEMPLATES / f"{name}.typ").read_bytes()
    try:
        pdf: bytes = typst.compile(source, pdf_standards=["ua-1"], **arguments)
    except typst.TypstError:
        pdf = typst.compile(source, **arguments)
    return pdf


def _printable(value: Any) -> Any:
    """Data whose every text is on one line, without characters that cannot be printed."""
    if isinstance(value, str):
        return svg_map.clean(value)
    if isinstance(value, Mapping):
        return {name: _printable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(each) for each in value]
    return value
