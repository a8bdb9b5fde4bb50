"""The same questions in rational and finite-field arithmetic."""
