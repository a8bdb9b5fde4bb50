"""G4: smallest sets of goals that suffice."""
