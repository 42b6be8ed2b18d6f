"""Steps from one form of the tables to the next, run by `geo.store.database.migrate`."""
