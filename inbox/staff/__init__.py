"""Staff screens of the wires: channels, templates, the journal of received messages, deliveries, the start page."""
