"""Convert values to JSON-compatible ones; JSON has no non-finite numbers."""

import math
from typing import Any


def jsonable(value: Any) -> Any:
    """Return a JSON-compatible value: None for non-finite floats, str(value) for other types."""
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return jsonable(value.item()) if hasattr(value, "item") else str(value)
