"""`kmaskrcnn build-op`: compiles the RoIAlign op."""

from __future__ import annotations

from kmaskrcnn.ops import library
from kmaskrcnn.progress import console


def run(verbose: bool) -> None:
    """Compiles the RoIAlign op into the user's cache and says which implementation now runs."""
    with console.status("compiling: some seconds"):
        path = library.build(verbose=verbose)
    console.print(f"Built {path}\n{library.status()}")
