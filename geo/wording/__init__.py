"""Turn figures, dates, names and facts about a site into French or English text, one way for every output.

The rules stand in docs/wording.md. Nothing outside this package formats a figure for people.
"""
