"""Doors where messages come in by themselves: mailboxes that are fetched, and the SMTP and LMTP door."""
