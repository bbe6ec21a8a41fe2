"""An OpenAPI 3.0.3 document from the 3.1 one that Litestar writes.

The document that customers were promised is 3.0: Swagger UI 4 and most client generators read nothing newer. What
differs, and occurs here, is how a schema says "or null", constants, exclusive bounds and examples (OpenAPI 3.0.3,
"Schema Object"; the differences are listed in the OpenAPI Initiative's migration guide from 3.0 to 3.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

if TYPE_CHECKING:
    from gateway.dialects import DialectSpec

VERSION = "3.0.3"
# What the dialects with tenants and tokens have.
BEARER = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description="The token, without 'Bearer'")


def document(dialect: DialectSpec) -> dict[str, Any]:
    """The OpenAPI 3.0.3 document of one dialect's routes, ready for JSON."""
    spec = dialect.document
    app = Litestar(
        list(dialect.routes),
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title=spec.title,
            version=spec.version,
            description=spec.description,
            components=Components(security_schemes=dict(spec.security_schemes)),
            use_handler_docstrings=True,
        ),
    )
    made: dict[str, Any] = {**_downgrade(app.openapi_schema.to_schema()), "openapi": VERSION}
    _require_what_answers_always_have(made)
    return made


def _require_what_answers_always_have(made: dict[str, Any]) -> None:
    """A field with a default may be left out of a request, but is there in every answer: so it is required there."""
    schemas: dict[str, dict[str, Any]] = made["components"]["schemas"]
    seen: set[str] = set()
    waiting = [op.get("responses") for path in made["paths"].values() for op in path.values()]
    while waiting:
        for name in re.findall(r"'#/components/schemas/([^']+)'", str(waiting.pop())):
            if name not in seen:
                seen.add(name)
                schema = schemas[name]
                always = [field for field, value in schema.get("properties", {}).items() if "default" in value]
                required = sorted({*schema.pop("required", ()), *always})
                if required:  # 3.0 knows no empty list here
                    schema["required"] = required
                waiting.append(schema)


def _downgrade(node: Any) -> Any:
    """One value of a 3.1 document as 3.0.3 has it."""
    if isinstance(node, list):
        return [_downgrade(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    made = {key: _downgrade(value) for key, value in cast("dict[str, Any]", node).items()}
    _null_to_nullable(made)
    if made.get("required") == []:  # 3.0 knows no empty list here
        del made["required"]
    if "const" in made and not isinstance(made["const"], dict):
        made["enum"] = [made.pop("const")]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(made.get(exclusive), int | float) and not isinstance(made[exclusive], bool):
            made[bound], made[exclusive] = made[exclusive], True
    examples = made.get("examples")
    if isinstance(examples, list):
        del made["examples"]
        if examples:
            made["example"] = examples[0]
    return made


def _null_to_nullable(schema: dict[str, Any]) -> None:
    """`type: [string, null]` and `oneOf: [X, {type: null}]` as `nullable: true`, in place."""
    types = schema.get("type")
    if isinstance(types, list):
        names = cast("list[str]", types)
        others = [name for name in names if name != "null"]
        if len(others) != len(names):
            schema["nullable"] = True
        schema["type"] = others[0]
    for key in ("oneOf", "anyOf"):
        options = cast("list[dict[str, Any]] | None", schema.get(key))
        if not options:
            continue
        others = [option for option in options if option.get("type") != "null"]
        if len(others) != len(options):
            schema["nullable"] = True
        if len(others) > 1:
            schema[key] = others
            continue
        del schema[key]
        # Beside a $ref 3.0 ignores everything else, so a nullable reference is wrapped.
        if "$ref" in others[0]:
            schema["allOf"] = others
        else:
            schema.update({name: value for name, value in others[0].items() if name not in schema})
