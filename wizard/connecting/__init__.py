"""The client's side: what a connector is given, and what it meets at the address of an API."""
