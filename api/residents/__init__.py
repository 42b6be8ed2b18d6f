"""Pages for residents and those who search for them: find, call, go; in plain words, with or without scripts."""
