"""Pages for residents and who searches for them: find, call, go, in plain words, without scripts too."""
