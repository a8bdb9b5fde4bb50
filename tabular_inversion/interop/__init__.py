"""Other packages' environments."""
