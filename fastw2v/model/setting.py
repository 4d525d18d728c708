"""A setting of the model as an attribute, as gensim's scripts read and set it."""

from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar, overload

from fastw2v.training.parameters import Parameters

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
