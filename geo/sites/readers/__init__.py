"""Readers of source files, one module per format, recognised by content."""
