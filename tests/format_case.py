"""The formats of vectors files, as the tests part them."""

from fastw2v.formats import FORMATS

# Those that write one file and need no package more; and those of folders, pairs and packages.
ONE_FILE = [f.name for f in FORMATS.values() if f.files("v") == ["v"] and not f.needs]
OTHERS = [name for name in FORMATS if name not in ONE_FILE]
