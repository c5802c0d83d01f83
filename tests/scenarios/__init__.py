"""Whole runs: the real command, real git, a scripted agent."""
