"""The `portee` command: the entry points that put domain, store, API and maps together."""
