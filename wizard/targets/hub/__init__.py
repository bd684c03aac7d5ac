"""IOTA Hub, whichever API it serves: its start script, its process, and what is asked about both."""
