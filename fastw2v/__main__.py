"""Run the `fastw2v` command as `python -m fastw2v`."""

import sys

from fastw2v.cli import main

sys.exit(main())
