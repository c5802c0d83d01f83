"""The interactive session: `gsd` alone on a terminal."""
