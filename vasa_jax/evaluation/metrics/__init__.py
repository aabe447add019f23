"""Figures of talking faces: what each needs, measures in a clip, and sums up."""
