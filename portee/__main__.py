"""Entry point of `portee` and of `python -m portee`."""

from __future__ import annotations

from portee.interrupt import end_at_once


def main() -> None:
    """Run the command line and exit with its code."""
    end_at_once()
    from portee.cli import app  # noqa: PLC0415 - the import can be interrupted too

    app(prog_name="portee")


if __name__ == "__main__":
    main()
