"""One line and its turns: bus, pacing, poller, and what the line's statistics give reason to suspect."""
