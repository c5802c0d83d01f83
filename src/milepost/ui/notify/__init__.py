"""Telling a person who is not looking, and asking one who is elsewhere."""
