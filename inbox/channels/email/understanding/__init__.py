"""What a mail means: bounce or not, written by a machine or not, its own words, its language.

Pure functions over a parsed mail; no database, no network.
"""
