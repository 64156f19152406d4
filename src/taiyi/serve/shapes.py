"""What requests and answers of the typed addresses have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from taiyi.errors import Misfit
from taiyi.text import HALF_PAIR, half_pair


def _whole(text: str) -> str:
    if half_pair(text) is not None:
        raise Misfit(HALF_PAIR)
    return text


# JSON can say half of a surrogate pair, and pydantic lets it pass.
AnyText = Annotated[str, AfterValidator(_whole)]
"""A text that can be read and sent, or none at all."""
Text = Annotated[AnyText, Field(min_length=1)]
"""A text that says something."""


class Shape(BaseModel):
    """JSON with known fields and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


def example(**content: Any) -> ConfigDict:
    """Return the setting of a shape that shows it by an example."""
    return ConfigDict(json_schema_extra={"examples": [content]})


def num_chars(value: Any) -> int:
    """Return how many characters the texts of a request have, whatever holds them; words of ours do not count."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        value = [getattr(value, name) for name, field in fields if get_origin(field.annotation) is not Literal]
    if isinstance(value, dict):
        return sum(num_chars(key) + num_chars(one) for key, one in cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        return sum(map(num_chars, cast("list[Any]", value)))
    return len(value) if isinstance(value, str) else 0
