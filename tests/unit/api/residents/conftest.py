"""The application whose site pages are tested."""

from __future__ import annotations

import pytest

from tests.support.serving import serving
from tests.support.site_pages import KEEPER, OPENED


@pytest.fixture(scope="module")
def application():
    """One application for the tests of a module; each test gives it its sites."""
    with serving(KEEPER, search_rate="", form_rate="") as opened:
        OPENED.append(opened)
        yield
    OPENED.clear()
