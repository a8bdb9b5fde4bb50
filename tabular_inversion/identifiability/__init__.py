"""Whether values determine the world: verdicts with proofs and witnesses."""
