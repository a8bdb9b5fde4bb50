"""Worlds to try things on, and the texts that name them."""
