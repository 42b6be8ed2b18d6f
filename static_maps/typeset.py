"""Compile Typst templates to tagged PDF, with the fonts built into Typst and without network.

Data are passed as JSON and shown as text, never parsed as markup. The same data and day give the
same bytes.
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


def typeset(name: str, data: Mapping[str, Any], *, day: date) -> bytes:
    """Compile a template with its data.

    Parameters
    ----------
    name
        Name of `templates/<name>.typ`, which reads its data from `sys.inputs.<name>`.
    data
        Texts, numbers, and lists and mappings of them.
    day
        Date of the document's metadata.

    Returns
    -------
    A tagged PDF. It declares PDF/UA-1 unless a text has a character that the fonts lack: that
    character is printed as a box, which the standard does not accept.
    """
    arguments: dict[str, Any] = {
        "sys_inputs": {name: orjson.dumps(_printable(data)).decode()},
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
    """Return the data with each text on one line, without unprintable characters."""
    if isinstance(value, str):
        return svg_map.clean(value)
    if isinstance(value, Mapping):
        return {name: _printable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(each) for each in value]
    return value
