"""Folium maps: results in, a map out; knows neither the database nor the API."""
