"""Measurements of speed and size. `make bench` runs them all; nothing here is a test and nothing asserts a time."""
