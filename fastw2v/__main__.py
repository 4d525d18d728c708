"""`python -m fastw2v` is the command `fastw2v`."""

import sys

from fastw2v.cli import main

sys.exit(main())
