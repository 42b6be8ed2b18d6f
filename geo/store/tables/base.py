"""The metadata that all tables share, and the column types they use most."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import Column, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY

from geo.crs import WGS84

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def geometry(kind: str) -> Geometry:
    """Return a geometry type in WGS 84."""
    # Indexes are declared with the tables, so that migrations see them.
    return Geometry(kind, srid=WGS84, spatial_index=False)


def text_column(name: str) -> Column[str]:
    """Return a text column that is never null."""
    return Column(name, Text, nullable=False)


def texts_column(name: str) -> Column[list[str]]:
    """Return a column of several texts that is never null."""
    return Column(name, ARRAY(Text), nullable=False)
