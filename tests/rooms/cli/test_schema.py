import json

from typer.testing import CliRunner

from pilotage.cli.schema import app
from pilotage.spec.gate_schema import gates_schema


def test_the_schema_of_gates_is_printed_as_json():
    result = CliRunner().invoke(app, ["gates"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == gates_schema()
