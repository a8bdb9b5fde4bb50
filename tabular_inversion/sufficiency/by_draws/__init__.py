"""G2: generic rank by draws in a finite field."""
