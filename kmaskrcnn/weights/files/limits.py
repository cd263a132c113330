"""How much a file of weights may ask for, and how one that asks for more is refused."""

import os

_ALWAYS = 64 << 20  # bytes: less than this is no bomb, however small the file
_FACTOR = 16  # a file of mostly zeros, compressed, holds arrays of about this many times its size
_STEPS = 500_000  # of an unpickler; a Mask R-CNN with its optimizer takes 70,000


class RefusedError(ValueError):
    """A file that will not be read. The message goes on from ``"weights.pth was not read: "``."""


class Allowance:
    """An amount that is used up: bytes of memory, steps of work.

    Args:
        total: how much there is.
        unit: what it is counted in.
    """

    def __init__(self, total: int, unit: str) -> None:
        self.total = total
        self.left = total
        self.unit = unit

    def check(self, count: int, what: str) -> None:
        """Raises ``RefusedError`` where ``what`` needs more than is left."""
        if count > self.left:
            raise RefusedError(
                f"{what}: more than the {self.total:,} {self.unit} that a file like this may need"
            )

    def take(self, count: int, what: str) -> None:
        """Uses ``count`` up, or raises ``RefusedError``."""
        self.check(count, what)
        self.left -= count


class Limits:
    """What one file may use: bytes of memory in proportion to its size, and steps of unpickling.

    They are asked before anything is allocated, so that a file that claims terabytes costs nothing.

    Args:
        path: the file, which exists.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.memory = Allowance(max(_ALWAYS, _FACTOR * os.path.getsize(path)), "bytes")
        self.steps = Allowance(_STEPS, "steps")
