"""Tickets and what was promised."""
