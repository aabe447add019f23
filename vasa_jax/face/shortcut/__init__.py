"""The portrait's own pixels, warped into the frame: all that `vasa1` leaves out."""
