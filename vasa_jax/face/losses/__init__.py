"""What the face model is compared by: distances, regions, and frozen networks."""
