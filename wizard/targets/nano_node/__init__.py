"""What belongs to the Nano node: finding it, its configuration, and what must be true of it."""
