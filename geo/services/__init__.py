"""Use cases: one module for each thing a person asks for, called by HTTP and the command line."""
