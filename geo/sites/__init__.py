"""Mediation sites: national standard, source file readers, validation, duplicate detection, export."""
