"""One profile of hypothesis for all tests: no deadline, because machines that run tests are busy ones."""

from hypothesis import settings

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
