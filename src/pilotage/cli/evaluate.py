"""`pilotage evaluate`: is this model good enough, on these rows?"""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="The model file.")]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="SOURCE",
        help="Parquet, CSV, JSON lines, a folder of images, or a database's URL with --query.",
    ),
]
Query = Annotated[str | None, typer.Option("--query", metavar="SQL", help="The rows, in SQL.")]
Label = Annotated[
    str | None, typer.Option("--label", metavar="COLUMN", help="The column that tells the truth.")
]
Gates = Annotated[
    Path | None,
    typer.Option("--gates", metavar="FILE", help="What the model must show, as YAML."),
]
Baseline = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="MODEL", help="What it is compared with, row by row."),
]
Protected = Annotated[
    list[str] | None,
    typer.Option("--protected", metavar="COLUMN", help="A column whose groups are shown."),
]
Positive = Annotated[
    str | None,
    typer.Option("--positive", metavar="LABEL", help="Which of two labels counts as positive."),
]
Confidence = Annotated[
    str | None,
    typer.Option("--confidence", metavar="SHARE", help="Of each statement; 95% unless given."),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the report as one page with pictures."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")]
Plan = Annotated[
    bool,
    typer.Option("--plan", help="Only tell how many labelled rows each gate needs."),
]
Trust = Annotated[
    bool, typer.Option("--trust", help="A pickle may be opened, in a host without network.")
]


def evaluate(
    model: Model,
    data: Data = None,
    query: Query = None,
    label: Label = None,
    gates: Gates = None,
    baseline: Baseline = None,
    protected: Protected = None,
    positive: Positive = None,
    confidence: Confidence = None,
    html: Html = None,
    as_json: Json = False,
    plan: Plan = False,
    trust: Trust = False,
) -> None:
    """Tell whether a model is good enough, with the error rate of every answer.

    Exit code 0 when all gates passed, 1 when one failed or is undecided, 2 for wrong input.

    Examples:

        pilotage evaluate model.onnx --data test.parquet --label employed

        pilotage evaluate new.onnx --baseline old.onnx --gates gates.yaml --html report.html

        pilotage evaluate model.onnx --gates gates.yaml --plan
    """
    from pilotage.cli import evaluation

    words = evaluation.Words(
        model, data, query, label, gates, baseline, tuple(protected or ()), positive, confidence,
        html, as_json, trust,
    )  # fmt: skip
    raise typer.Exit(evaluation.plan(words) if plan else evaluation.evaluate(words))


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="The model that is there.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The model that may be better.")],
    data: Data = None,
    query: Query = None,
    label: Label = None,
    protected: Protected = None,
    positive: Positive = None,
    confidence: Confidence = None,
    html: Html = None,
    as_json: Json = False,
    trust: Trust = False,
) -> None:
    """Tell whether B is better than A, by how much, and where: paired on the same rows.

    Exit code 0 when it was told, 2 for wrong input.

    Examples:

        pilotage compare old.onnx new.onnx --data test.parquet --label employed

        pilotage compare old.onnx new.onnx --data test.csv --label y --protected sex --html it.html
    """
    from pilotage.cli import evaluation

    words = evaluation.Words(
        second, data, query, label, None, first, tuple(protected or ()), positive, confidence,
        html, as_json, trust,
    )  # fmt: skip
    raise typer.Exit(evaluation.compare(words))


def add_evaluate(app: typer.Typer) -> None:
    """Puts both commands into the tree."""
    app.command("evaluate")(evaluate)
    app.command("compare")(compare)
