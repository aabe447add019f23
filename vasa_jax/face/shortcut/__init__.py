"""The portrait's own pixels, warped into the frame; `vasa1` does without."""
