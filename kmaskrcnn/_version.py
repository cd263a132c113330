"""The version, where everything can read it: the front door, models that say who made them."""

__version__ = "0.1.0"
