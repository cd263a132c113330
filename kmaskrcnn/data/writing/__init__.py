"""A file a format: each writes any ``Dataset`` as one kind of annotation."""
