"""One folder a channel, all of the same shape."""
