"""The side of a driver that all systems share: a step and a job in, one JSON line out.

Steps: about (versions), train (corpus to saved file), export (saved file to word2vec's binary
format, outside the measured time).  A job is described in harness/settings.py.
"""

import json
import platform
import sys
from collections.abc import Callable
from importlib.metadata import packages_distributions, version
from typing import Any

Step = Callable[[dict[str, Any]], dict[str, Any]]


def installed(*modules: str) -> dict[str, str]:
    """Return the versions of the packages that hold these modules, and of the interpreter."""
    packages = [packages_distributions()[module][0] for module in modules]
    return {name: version(name) for name in packages} | {"python": platform.python_version()}


def nothing(job: dict[str, Any]) -> dict[str, Any]:
    """Do nothing; for systems that save word2vec's binary format themselves."""
    return {}


def main(about: Step, train: Step, export: Step = nothing) -> None:
    """Run the step that the command line names and print what it returns."""
    steps = {"about": about, "train": train, "export": export}
    print(json.dumps(steps[sys.argv[1]](json.loads(sys.argv[2]))))
