"""Read, write, edit, list, search, shell: contained, capped, and under the unit's policy."""
