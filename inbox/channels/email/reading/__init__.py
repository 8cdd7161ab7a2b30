"""From the bytes of any mail to what it says: `message.read` is the entry, `parsed` what the judges are given."""
