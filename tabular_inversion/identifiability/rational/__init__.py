"""The decisions of `identify` in rational arithmetic: every answer is a proof."""

from tabular_inversion.identifiability.rational.judgement import check_forward_exactly, identify_exactly, verify_exactly

__all__ = ["check_forward_exactly", "identify_exactly", "verify_exactly"]
