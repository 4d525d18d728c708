"""From the arguments of gensim's Word2Vec to Parameters."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastw2v.base.checks import check_flag
from fastw2v.errors import UsageError
from fastw2v.training.parameters import Parameters, choose_objective

SEED_BITS = 31
# What gensim 4 called otherwise before.
RENAMED = {"size": "vector_size", "iter": "epochs"}


def parameters_of_model(settings: Mapping[str, Any], **given: Any) -> Parameters:
    """Return the parameters that a model's arguments ask for.

    settings: fields of Parameters.  given: more of them, and hs, softmax, negative (None if not
    said), which choose the objective; seed may be None, for one that is drawn here.
    Raises UsageError for an impossible or contradictory argument.
    """
    for name, now in RENAMED.items():
        if name in settings:
            raise UsageError(f"unknown setting {name!r}; since gensim 4 it is called {now!r}")
    for name in ("sg", "hs", "softmax", "cbow_mean", "shrink_windows"):
        check_flag(name, given[name])
    objective, negative = choose_objective(given.pop("hs"), given["negative"], given.pop("softmax"))
    given |= {"objective": objective, "negative": negative}
    given |= {name: bool(given[name]) for name in ("sg", "cbow_mean", "shrink_windows")}
    if given["seed"] is None:
        given["seed"] = secrets.randbits(SEED_BITS)
    return Parameters.from_mapping({**settings, **given})


def parameters_of_run(
    parameters: Parameters,
    epochs: int | None,
    start_alpha: float | None,
    end_alpha: float | None,
) -> Parameters:
    """Return the parameters of one call of train; None leaves what the model has."""
    given: dict[str, Any] = {"epochs": epochs, "alpha": start_alpha, "min_alpha": end_alpha}
    return replace(parameters, **{name: v for name, v in given.items() if v is not None})
