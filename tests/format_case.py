"""The formats of vectors files that can be written, as the tests part them."""

from fastw2v.formats.records import WRITTEN

# Those that write one file and need no package more; and those of folders, pairs and packages.
ONE_FILE = [f.name for f in WRITTEN.values() if f.files("v") == ["v"] and not f.needs]
OTHERS = [name for name in WRITTEN if name not in ONE_FILE]
