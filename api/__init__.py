"""HTTP over the frozen snapshot: one router per noun, no computing."""
