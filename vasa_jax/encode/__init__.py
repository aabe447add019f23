"""Clips, seen or performed, as the motion and conditions that stage two learns."""
