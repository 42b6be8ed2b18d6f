"""Population by place, and indicators of need."""
