"""A file of people to call: read row by row, looked through, then taken in."""
