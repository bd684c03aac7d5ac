"""The terminal app: one screen a step. It knows no target; what it shows comes from the engine."""
