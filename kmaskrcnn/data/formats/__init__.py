"""A file a format: each reads one kind of annotation into a ``Dataset``."""
