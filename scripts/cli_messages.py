"""Extract the sentences of the command line for its catalogue: a Babel extractor.

Babel itself finds positional arguments only; help texts are keyword arguments, and those of top-level
commands stand in a table.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any, Final

FUNCTIONS: Final = frozenset({"_", "N_"})
PLURAL: Final = "many"
KEYWORDS: Final = frozenset({"help", "metavar"})
TABLE: Final = "COMMANDS"

Message = tuple[int, str, Any, list[str]]


def extract(
    fileobj: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[Message]:
    """Yield each sentence of a module as Babel wants it: line, function, message or messages, comments."""
    for node in ast.walk(ast.parse(fileobj.read())):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == TABLE and node.value:
            for found in ast.walk(node.value):
                if (text := _text(found)) and " " in text:
                    yield node.lineno, "gettext", text, []


def _of_call(node: ast.Call) -> Iterator[Message]:
    name = getattr(node.func, "id", "")
    texts = [_text(each) for each in node.args]
    if name in FUNCTIONS and texts and texts[0]:
        yield node.lineno, "gettext", texts[0], []
    if name == PLURAL and len(texts) > 1 and texts[0] and texts[1]:
        yield node.lineno, "ngettext", (texts[0], texts[1]), []
    for keyword in node.keywords:
        if keyword.arg in KEYWORDS and (text := _text(keyword.value)):
            yield node.lineno, "gettext", text, []


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
