"""Arguments of gensim's Word2Vec: refuse unknown ones, expose settings as attributes."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar, overload

from fastw2v.errors import UsageError
from fastw2v.training.parameters import Parameters

# gensim 3's name -> gensim 4's name.
RENAMED = {"size": "vector_size", "iter": "epochs"}


def refuse_unknown(unknown: Mapping[str, Any], function: Callable[..., Any]) -> None:
    """Raise UsageError for an argument that a function does not accept, with what was meant."""
    for name in unknown:
        if name in RENAMED:
            new_name = RENAMED[name]
            raise UsageError(f"unknown setting {name!r}; gensim 4 renamed it to {new_name!r}")
        from fastw2v.base.spelling import did_you_mean

        parameters = inspect.signature(function).parameters.values()
        known = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name != "self"]
        hint = did_you_mean(name, known) or f"; accepted are {', '.join(sorted(known))}"
        raise UsageError(f"unknown setting {name!r}{hint}")


Value = TypeVar("Value")


class HasParameters(Protocol):
    """A class that can have a Setting."""

    parameters: Parameters


class Setting(Generic[Value]):
    """A field of the model's Parameters as an attribute; assigning a value checks it."""

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
