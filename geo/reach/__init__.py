"""How far people are from sites."""
