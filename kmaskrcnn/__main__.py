"""``python -m kmaskrcnn``: the command line where no script of that name is on the path."""

import sys

from kmaskrcnn.cli import main

sys.exit(main())
