"""The JSON Schema of a file of gates, for editors: made from the tables that the reader follows.

It knows the shape of a file, and which keys go together. What a number means for its metric, and
what two gates are to each other, the reader alone tells. Source: JSON Schema, draft 2020-12.
"""

import json
from typing import Any, Final

from pilotage.spec import gate_keys
from pilotage.spec.gate_keys import ASKS, Form, Key
from pilotage.spec.gate_words import METRICS, REFUSED, MetricWord
from pilotage.spec.units import BYTES_PER_UNIT, NS_PER_UNIT

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_NUMBER: Final = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_UNITS: Final = "|".join(("%", "pp", *NS_PER_UNIT, *BYTES_PER_UNIT))
_COLUMNS: Final[Schema] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
    ]
}
_FUNCTIONS: Final[Schema] = {
    "type": "object",
    "propertyNames": {"pattern": r"^[a-z][a-z0-9_]{0,63}$", "not": {"enum": [*METRICS, *REFUSED]}},
    "additionalProperties": {"type": "string", "pattern": r"^[^:]+\.py:[A-Za-z_][A-Za-z0-9_]*$"},
}
_FORMS: Final[dict[Form, Schema]] = {
    "level": {"type": ["number", "string"], "pattern": f"^{_NUMBER} ?({_UNITS})?$"},
    "margin": {"type": ["number", "string"], "pattern": f"^{_NUMBER} ?({_UNITS})?$"},
    "ratio": {"type": ["number", "string"], "pattern": f"^{_NUMBER} ?%?$"},
    "share": {"type": ["number", "string"], "pattern": f"^{_NUMBER} ?(%|pp)?$"},
    "spread": {"type": "string", "pattern": f"^{_NUMBER} ?sd$"},
    "rate": {"type": "string", "pattern": f"^{_NUMBER} ?/s$"},
    "whole": {"type": "integer", "minimum": 1},
    "number": {"type": "number"},
    "text": {"type": ["string", "number", "boolean"]},
    "columns": _COLUMNS,
    "values": {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    },
    "baseline": {"const": "baseline"},
    "confidence": {"type": ["number", "string"], "pattern": f"^{_NUMBER} ?%$"},
    "undecided": {"enum": ["fail", "warn"]},
    "functions": _FUNCTIONS,
}


def gates_schema() -> Schema:
    """The schema as a JSON object."""
    return {
        "$schema": DIALECT,
        "title": "Gates of a model",
        "description": "What `pilotage evaluate --gates` reads.",
        **_object(gate_keys.FILE_KEYS),
        "required": ["gates"],
    }


def as_text() -> str:
    """The schema as it is printed."""
    return json.dumps(gates_schema(), indent=2, ensure_ascii=False) + "\n"


def _object(keys: tuple[Key, ...]) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _property(key) for key in keys},
    }


def _property(key: Key) -> Schema:
    return {"description": f"{key.meaning} (for example {key.example})", **_form(key.form)}


def _form(form: Form) -> Schema:
    match form:
        case "metric":
            return _metric()
        case "perturbation":
            return {**_object(gate_keys.UNDER_KEYS), "minProperties": 1}
        case "data":
            return _object(gate_keys.DATA_KEYS)
        case "gates":
            return {"type": "array", "minItems": 1, "items": _gate()}
        case _:
            return _FORMS[form]


def _metric() -> Schema:
    """A known metric, or a name of the user's own."""
    known = [{"const": word.name, "description": word.meaning} for word in METRICS.values()]
    own = {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,63}$", "not": {"enum": [*REFUSED]}}
    return {"anyOf": [*known, own]}


def _gate() -> Schema:
    names = [key.name for key in gate_keys.GATE_KEYS]
    ways = [
        {
            "title": asks.meaning,
            "required": [asks.head, *asks.requires],
            "properties": {name: False for name in names if name not in asks.keys},
        }
        for asks in ASKS
    ]
    return {
        **_object(gate_keys.GATE_KEYS),
        "required": ["metric"],
        "dependentRequired": {"groups_from": ["across"]},
        "anyOf": ways,
        "allOf": [_of_metric(word) for word in METRICS.values()],
    }


def _of_metric(word: MetricWord) -> Schema:
    """Which options a gate on one metric must have, and which it cannot have."""
    options = (*gate_keys.OPTIONS, "at")
    then: Schema = {"properties": {name: False for name in options if name not in word.options}}
    if word.required:
        then["required"] = list(word.required)
    return {
        "if": {"required": ["metric"], "properties": {"metric": {"const": word.name}}},
        "then": then,
    }
