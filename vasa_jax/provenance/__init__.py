"""Says that a video is generated: a mark in its picture, a manifest in its file."""
