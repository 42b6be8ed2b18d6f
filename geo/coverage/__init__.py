"""Coverage of people by sites: measures, gaps, equity, siting, tours and scenarios."""
