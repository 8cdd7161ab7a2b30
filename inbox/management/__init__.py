"""Commands of the inbox."""
