"""Stage two: from a voice to head poses and facial dynamics, by diffusion."""
