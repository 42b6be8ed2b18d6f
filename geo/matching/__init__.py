"""Match sites to the criteria of residents: text search, ranking, upcoming itinerant visits."""
