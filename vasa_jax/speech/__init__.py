"""Text in, a voice out: who speaks, what is typed, and when each sound is heard."""
