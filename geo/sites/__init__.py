"""Mediation sites: the national standard, readers of source files, validation, duplicates, export."""
