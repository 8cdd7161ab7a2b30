"""What a customer sees and does: his tickets, new requests, his account."""
