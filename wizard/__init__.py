"""The engine of tls-wizard: look, ask, plan, apply, prove. It knows nothing of the screens."""

__version__ = "0.1.0"
