"""One module per group of commands; each reads its input, calls the domain, and prints."""
