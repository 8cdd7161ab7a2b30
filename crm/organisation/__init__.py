"""People with a login, roles and access."""
