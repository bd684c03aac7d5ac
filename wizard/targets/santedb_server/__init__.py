"""What belongs to SanteDB alone: its products, its configuration, its endpoints, Mono and Windows."""
