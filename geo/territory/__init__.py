"""Territories: communes and what groups them (EPCI, canton, arrondissement, département)."""
