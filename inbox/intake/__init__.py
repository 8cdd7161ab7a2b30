"""The way of a message in: read, decide in steps, write once."""
