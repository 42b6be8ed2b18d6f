"""Opening hours in OpenStreetMap's syntax: parsed, repaired, evaluated and described."""
