"""The wires: channels, messages, the agents’ workspace."""
