"""Calls that a telephone system reports, and calls, visits and letters that a colleague writes down."""
