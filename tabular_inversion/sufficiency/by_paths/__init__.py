"""G1: structural rank by vertex-disjoint paths."""
