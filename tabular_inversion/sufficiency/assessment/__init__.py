"""One question, one object: what a goal set determines, how well, why not, and what to add."""
