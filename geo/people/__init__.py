"""Where people live, and what is known of their needs."""
