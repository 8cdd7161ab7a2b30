"""The agents’ screens."""
