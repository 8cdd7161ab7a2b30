"""Web chat, both ways."""
