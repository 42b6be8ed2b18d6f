"""The cyclic garbage collector is disabled in the block and enabled again after it."""

from __future__ import annotations

import gc

import pytest

from geo import gc_pause


def test_the_collector_rests_meanwhile_and_works_again_whatever_happens():
    assert gc.isenabled()
    with pytest.raises(ValueError, match="spoilt"), gc_pause.gc_disabled():
        assert not gc.isenabled()
        with gc_pause.gc_disabled():
            pass
        assert not gc.isenabled()
        raise ValueError("spoilt")
    assert gc.isenabled()
