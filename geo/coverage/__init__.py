"""Who is near help and who is not."""
