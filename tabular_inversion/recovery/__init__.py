"""Recovery of transition rows from values: one file for each kernel class."""
