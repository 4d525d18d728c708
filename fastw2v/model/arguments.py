"""From the arguments of gensim's Word2Vec to Parameters, and back as attributes."""

import inspect
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar, overload

from fastw2v.base.checks import check_flag
from fastw2v.errors import UsageError
from fastw2v.training.objectives import choose_objective
from fastw2v.training.parameters import Parameters

SEED_BITS = 31
# What gensim 4 called otherwise before.
RENAMED = {"size": "vector_size", "iter": "epochs"}


def refuse_unknown(unknown: Mapping[str, Any], function: Callable[..., Any]) -> None:
    """Raise UsageError for an argument that a function does not have, and name those it has."""
    for name in unknown:
        if name in RENAMED:
            now = RENAMED[name]
            raise UsageError(f"unknown setting {name!r}; since gensim 4 it is called {now!r}")
        parameters = inspect.signature(function).parameters.values()
        known = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name != "self"]
        raise UsageError(f"unknown setting {name!r}; accepted are {', '.join(sorted(known))}")


def parameters_of_model(
    flags: Mapping[str, int | bool], negative: int | None, seed: int | None, **settings: Any
) -> Parameters:
    """Return the parameters that a model's arguments ask for.

    flags: FLAGS, which choose the objective with negative, None if not given.  seed: None for one
    that is drawn here.  settings: all other fields of Parameters.
    Raises UsageError for an impossible or contradictory argument.
    """
    switches = {name: settings[name] for name in ("sg", "cbow_mean", "shrink_windows")}
    for name, value in {**flags, **switches}.items():
        check_flag(name, value)
    objective, negative = choose_objective(flags, negative)
    settings |= {name: bool(value) for name, value in switches.items()}
    seed = secrets.randbits(SEED_BITS) if seed is None else seed
    return Parameters(objective=objective, negative=negative, seed=seed, **settings)


def parameters_of_run(
    parameters: Parameters,
    epochs: int | None,
    start_alpha: float | None,
    end_alpha: float | None,
) -> Parameters:
    """Return the parameters of one call of train; None leaves what the model has."""
    given: dict[str, Any] = {"epochs": epochs, "alpha": start_alpha, "min_alpha": end_alpha}
    return replace(parameters, **{name: v for name, v in given.items() if v is not None})


Value = TypeVar("Value")


class HasParameters(Protocol):
    """What a Setting may stand in."""

    parameters: Parameters


class Setting(Generic[Value]):
    """A field of the model's Parameters as an attribute: checked where it is set."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, model: None, owner: type) -> "Setting[Value]": ...
    @overload
    def __get__(self, model: HasParameters, owner: type) -> Value: ...
    def __get__(self, model: Any, owner: type) -> Any:
        return self if model is None else getattr(model.parameters, self.name)

    def __set__(self, model: HasParameters, value: Value) -> None:
        changed: dict[str, Any] = {self.name: value}
        model.parameters = replace(model.parameters, **changed)
