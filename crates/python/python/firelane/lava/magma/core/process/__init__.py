"""Processes, their variables and ports."""
