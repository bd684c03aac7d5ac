"""What to practise on: a sample Hub that behaves as the real one does towards TLS."""
