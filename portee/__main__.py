"""`python -m portee`: the same command."""

from portee.cli import app

app()
