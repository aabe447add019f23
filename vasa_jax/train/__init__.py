"""One training loop for every model: state, step, checkpoints and meshes."""
