"""How far noise in the values of a goal set can move the rows: successors, conditioning, predicted errors."""
