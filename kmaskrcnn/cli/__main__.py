"""``python -m kmaskrcnn.cli``."""

import sys

from kmaskrcnn.cli import main

sys.exit(main())
