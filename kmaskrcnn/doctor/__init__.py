"""What is installed here, whether it fits and works, and what to do where it does not."""

from kmaskrcnn.doctor.diagnosis import diagnose
from kmaskrcnn.doctor.text import lines

__all__ = ["diagnose", "lines"]
