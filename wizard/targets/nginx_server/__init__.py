"""An nginx on this host: its program, its configuration and the servers in it, and what is written there."""
