"""The fund and what it pays for: partners, money, the rule of the match, reports. No SQL here."""
