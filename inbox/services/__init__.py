"""What the inbox can do: one verb function a change."""
