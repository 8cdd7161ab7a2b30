"""Policy: told facts, it answers decisions. It knows no ticket and no customer."""
