"""Who can help, near here, for this need: what a resident asks of the sites, and the answer."""
