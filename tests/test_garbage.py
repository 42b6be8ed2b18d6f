"""The collector of cycles is held back for a while, and back at work after."""

from __future__ import annotations

import gc

import pytest

from geo import garbage


def test_the_collector_rests_meanwhile_and_works_again_whatever_happens():
    assert gc.isenabled()
    with pytest.raises(ValueError, match="spoilt"), garbage.kept():
        assert not gc.isenabled()
        with garbage.kept():
            pass
        assert not gc.isenabled()
        raise ValueError("spoilt")
    assert gc.isenabled()
