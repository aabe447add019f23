"""How a finished denoiser's motion is shaped: what the paper does without."""
