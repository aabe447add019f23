"""Faces in pictures: detection, landmarks, head pose, the one crop and paste-back."""
