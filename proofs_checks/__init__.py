"""Checks of every statement."""
