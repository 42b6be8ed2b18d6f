"""Portée's domain: territories, sites, distances and coverage, and the store behind them.

Nothing here knows HTTP or HTML: `api` and `static_maps` import `geo`, never the other way.
"""

__version__ = "0.1.0"
