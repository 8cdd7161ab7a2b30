"""Customers, contacts and their addresses."""
