"""Whose weights these are: names and layouts of each project, into ours and back."""
