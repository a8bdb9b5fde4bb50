"""The decisions of `identify` in rational arithmetic: every answer is a proof."""
