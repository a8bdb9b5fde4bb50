"""Worlds that were watched: counts of transitions, and environments that are stepped."""
