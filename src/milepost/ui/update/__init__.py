"""Newer releases of this very program: how it was installed, which index knows of releases, and what to type."""
