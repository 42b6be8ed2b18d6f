"""The only SQL of Portée: embedded cluster, tables, migrations, queries, snapshot."""
