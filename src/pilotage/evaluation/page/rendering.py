"""A report becomes one HTML file that needs nothing else: no network, no script, no font.

Every text of the report is escaped by the template; only drawings are placed as they are, and
those escape what they were given.
"""

from typing import Any, Final

from pilotage.errors import PilotageError
from pilotage.evaluation.page.drawing import Spec, drawn
from pilotage.evaluation.page.view import page
from pilotage.evaluation.report import Report
from pilotage.spec.words import printable

UNIT_SPACES: Final = "\u00a0\u202f"
"""They do not break, and `str.isprintable` does not count them as printable."""


def rendered(report: Report) -> str:
    """The whole file, to be written as UTF-8.

    Errors:
        PilotageError: when what makes pages or pictures is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise PilotageError(
            "the report cannot be written as a page",
            expected="Jinja2",
            fix="Install it: pip install 'pilotage[evaluate]'",
        ) from error

    def picture(spec: Spec) -> Any:
        return Markup(drawn(_harmless(spec)))

    environment = Environment(
        loader=PackageLoader("pilotage.evaluation.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters["picture"] = picture
    return environment.get_template("page.html.j2").render(page=page(report))


def _printable(value: Any) -> Any:
    """Texts without characters that turn the direction of reading or cannot be seen.

    A line break stays: the command may have several lines."""
    if type(value) is str:
        return "\n".join(_visible(line) for line in value.split("\n"))
    return value


def _visible(text: str) -> str:
    """Like `printable`, but the spaces between a number and its unit stay."""
    return "".join(each if each in UNIT_SPACES else printable(each) for each in text)


def _harmless(value: Any) -> Any:
    """A specification whose texts are printable too."""
    if isinstance(value, dict):
        return {key: _harmless(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_harmless(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return _visible(value) if isinstance(value, str) else value
