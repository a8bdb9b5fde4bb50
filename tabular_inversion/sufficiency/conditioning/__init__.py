"""How far noise in the values of a goal set can move the rows: systems of successors, amplification, predicted errors."""
