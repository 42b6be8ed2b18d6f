"""Measurements, each with its peer in one run; never part of the tests."""
