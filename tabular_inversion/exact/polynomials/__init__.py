"""Polynomials over the rationals: matrices, determinants and isolated real roots (X1, X2)."""
