"""From a portrait and a voice, or a driving video, to frames of a talking face."""
