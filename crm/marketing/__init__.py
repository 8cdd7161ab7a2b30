"""Whom we call on purpose, and what we say."""
