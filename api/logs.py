"""The service's log: one line each, JSON for machines or text for a terminal, on standard error.

A request is told by its method, the template of its route, its status, time and size; never by its path,
query, headers or body, nor by who asked: these say where somebody is and whom they look for. For the same
reason a failure that happens while a request is answered is told by its kind and its place in the code;
its message, which may quote what was asked, is left out.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson

REQUEST_ID: ContextVar[str] = ContextVar("portee_request_id", default="")
"""The id of the request that is being answered, "" outside."""

ACCESS: Final = logging.getLogger("portee.access")
"""One record per request, its figures under `told`."""

LEFT_OUT: Final = "(message left out: it may quote the request)"


def failure_lines(kind: Any, failure: BaseException | None, trace: Any) -> str:
    """A failure as the log may hold it: whole outside of a request, without any message within one."""
    if not REQUEST_ID.get():
        return "".join(traceback.format_exception(kind, failure, trace)).rstrip()
    lines = []
    while failure is not None:
        name = type(failure).__qualname__
        lines.append("".join(traceback.format_tb(failure.__traceback__)) + f"{name}: {LEFT_OUT}")
        failure = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    # The first to fail comes first, as Python tells them.
    return "\n\nwhich led to\n\n".join(reversed(lines))


class Text(logging.Formatter):
    """Records as lines for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, and the request it belongs to."""
        told = getattr(record, "told", None)
        if told:
            record.msg = "{method} {route} {status} {duration_ms} ms {bytes} B".format_map(told)
        line = super().format(record)
        request_id = REQUEST_ID.get()
        return f"{line} [{request_id}]" if request_id else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """A failure as the log may hold it."""
        return failure_lines(*ei)


class Json(logging.Formatter):
    """Records as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record: `time` (UTC), `level`, `logger`, `request_id`, then what it tells."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        request_id = REQUEST_ID.get()
        if request_id:
            line["request_id"] = request_id
        told = getattr(record, "told", None)
        if told:
            line |= told
        else:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            line["exception"] = failure_lines(*record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return orjson.dumps(line, default=str).decode()


def configure(wanted: Literal["auto", "json", "text"]) -> None:
    """Send every log record and warning of this process to standard error, in one form.

    Called in each process that serves. What was set up before is replaced.
    """
    as_text = wanted == "text" or (wanted == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(Text() if as_text else Json())
    logging.basicConfig(handlers=[handler], force=True)
    logging.captureWarnings(True)
    # Who changed what is logged at this level, and nothing that tells where a reader is.
    for name in ("portee.api", ACCESS.name):
        logging.getLogger(name).setLevel(logging.INFO)
