"""The form on the portal as a channel."""
