"""What somebody has to do, and when people meet or call."""
