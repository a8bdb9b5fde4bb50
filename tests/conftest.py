"""Profiles of hypothesis: the same draws in every run, or new ones; no deadline, as machines that test are busy."""

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("repeatable")
