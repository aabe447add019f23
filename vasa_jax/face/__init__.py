"""The face latent model: encoders, warping, decoder and how stage one trains them."""
