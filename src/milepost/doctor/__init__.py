"""Looking for damage and leftovers; read-only unless asked to mend."""
