"""Log of the service: one record a line, JSON or text, on standard error.

Privacy: a request is logged by its method, route template, status, duration and size, never by its path,
query, headers, body or client, which reveal where people are and what help they look for. For the same
reason, an exception raised during a request is logged with its type and traceback, without its message,
which may quote the request.
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
"""Id of the current request; "" outside of requests."""

ACCESS: Final = logging.getLogger("portee.access")
"""One record per request, with its figures under `figures`."""

LEFT_OUT: Final = "(message left out: it may quote the request)"


def failure_lines(kind: Any, failure: BaseException | None, trace: Any) -> str:
    """Format an exception: whole outside of a request, without messages inside one."""
    if not REQUEST_ID.get():
        return "".join(traceback.format_exception(kind, failure, trace)).rstrip()
    lines = []
    while failure is not None:
        name = type(failure).__qualname__
        lines.append("".join(traceback.format_tb(failure.__traceback__)) + f"{name}: {LEFT_OUT}")
        failure = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    # The root cause comes first, as in Python's tracebacks.
    return "\n\nwhich led to\n\n".join(reversed(lines))


class Text(logging.Formatter):
    """Formats records as text."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record with its request id."""
        figures = getattr(record, "figures", None)
        if figures:
            record.msg = "{method} {route} {status} {duration_ms} ms {bytes} B".format_map(figures)
        line = super().format(record)
        request_id = REQUEST_ID.get()
        return f"{line} [{request_id}]" if request_id else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Format an exception without quoting the request."""
        return failure_lines(*ei)


class Json(logging.Formatter):
    """Formats records as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON: `time` (UTC), `level`, `logger`, `request_id`, then message or figures."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        request_id = REQUEST_ID.get()
        if request_id:
            line["request_id"] = request_id
        figures = getattr(record, "figures", None)
        if figures:
            line |= figures
        else:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            line["exception"] = failure_lines(*record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return orjson.dumps(line, default=str).decode()


def configure(wanted: Literal["auto", "json", "text"]) -> None:
    """Send every log record and warning of this process to standard error, in one form.

    Called in each process that serves; replaces any previous configuration.
    """
    as_text = wanted == "text" or (wanted == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(Text() if as_text else Json())
    logging.basicConfig(handlers=[handler], force=True)
    logging.captureWarnings(True)
    # Writes are logged at this level; nothing that locates a resident is.
    for name in ("portee.api", ACCESS.name):
        logging.getLogger(name).setLevel(logging.INFO)
