"""Processes that there are."""
