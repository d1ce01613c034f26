"""Processes, and how they run."""
