"""Profiles of hypothesis: the same draws in every run, or new ones; no deadline, as machines that test are busy.

A shell's background job ignores Ctrl-C, and so would every command that the tests start and interrupt.
"""

import signal

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("repeatable")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
