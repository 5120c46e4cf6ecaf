"""A rollout in flags, variables and the file, and everything that does not fit together."""

import pytest

from pilotage.errors import PilotageErrors
from pilotage.spec.loading import load_serve_settings
from pilotage.spec.rollout_consistency import GUARDS_HIGH, STAGES_HIGH
from pilotage.spec.rollouts import StageSpec

HOUR_S = 3600.0


class Disk:
    """A configuration file and two models."""

    def __init__(self, config: str) -> None:
        self.config = config

    def read(self, path: str, at_most: int) -> bytes:
        if path != "c.yaml":
            raise FileNotFoundError(2, "No such file or directory")
        return self.config.encode()[: at_most + 1]

    def is_there(self, path: str) -> bool:
        return path in ("v1.onnx", "v2.onnx", "c.yaml")


def load(words: list[str], variables=None, config: str = ""):
    words = ["v1.onnx", *words, *(["--config", "c.yaml"] if config else [])]
    environment = {"HOME": "/people/ann", **(variables or {})}
    return load_serve_settings(words, environment, Disk(config), platform="linux")


def tried(*words: str, **more):
    return load(["--candidate", "v2.onnx", *words], **more)


def told(words: list[str], **more) -> list[str]:
    with pytest.raises(PilotageErrors) as caught:
        load(words, **more)
    assert all(error.where for error in caught.value.errors)
    return [str(error) for error in caught.value.errors]


def test_a_candidate_alone_is_enough():
    settings = tried()
    rollout = settings.rollout
    assert settings.candidate.path == "v2.onnx"
    assert rollout.stages == (
        StageSpec("canary", 50_000, 600.0, 500),
        StageSpec("canary", 250_000, 600.0, 500),
    )
    assert [guard.text for guard in rollout.guards] == ["error_rate not_worse_by 0.5pp"]
    assert (rollout.confidence, rollout.promote_on) == (0.95, "guards")
    assert (rollout.patience_s, rollout.then) == (24 * HOUR_S, "hold")
    assert (rollout.block_s, rollout.window_s, rollout.window_requests) == (10.0, 600.0, 50)
    assert (rollout.sticky_by, rollout.streams) == ("", "drain")
    assert (settings.anew, settings.live, settings.control_port) == (False, None, 8090)
    assert settings.hints == ()


def test_without_a_candidate_there_is_no_rollout():
    assert (load([]).candidate, load([]).rollout) == (None, None)


def test_a_candidate_has_the_settings_of_the_model_beside_it():
    settings = tried("--name", "iris", "--deadline", "50ms", "--max-batch-rows", "7", "--trust")
    (model,) = settings.models
    assert settings.candidate.path == "v2.onnx"
    assert (settings.candidate.name, settings.candidate.trust) == ("iris", True)
    assert settings.candidate.deadline_ms == model.deadline_ms == 50
    assert settings.candidate.max_batch_rows == model.max_batch_rows == 7


FLAGS = [
    *("--candidate", "v2.onnx", "--shadow", "30m", "--canary", "1%, 10%", "--canary", "50%"),
    *("--sticky-by", "header:X-User-Id", "--guard", "disagreement at_most 5%"),
    *("--guard", "error_rate not_worse_by 1pp optional", "--confidence", "99%"),
    *("--exposure", "1h", "--exposure-units", "2000", "--promote-on", "exposure"),
    *("--patience", "72h", "--then", "rollback", "--streams", "cut", "--block", "1s"),
    *("--window", "20m", "--window-requests", "20", "--anew", "--no-live"),
    *("--control-port", "8091"),
]
VARIABLES = {
    "PILOTAGE_CANDIDATE": "v2.onnx",
    "PILOTAGE_SHADOW": "30m",
    "PILOTAGE_CANARY": "1%,10%,50%",
    "PILOTAGE_STICKY_BY": "header:x-user-id",
    "PILOTAGE_GUARD": "disagreement at_most 5%, error_rate not_worse_by 1pp optional",
    "PILOTAGE_CONFIDENCE": "0.99",
    "PILOTAGE_EXPOSURE": "60m",
    "PILOTAGE_EXPOSURE_UNITS": "2000",
    "PILOTAGE_PROMOTE_ON": "exposure",
    "PILOTAGE_PATIENCE": "72h",
    "PILOTAGE_THEN": "rollback",
    "PILOTAGE_STREAMS": "cut",
    "PILOTAGE_BLOCK": "1s",
    "PILOTAGE_WINDOW": "20m",
    "PILOTAGE_WINDOW_REQUESTS": "20",
    "PILOTAGE_ANEW": "yes",
    "PILOTAGE_LIVE": "no",
    "PILOTAGE_CONTROL_PORT": "8091",
}
FILE = """\
rollout:
  candidate: v2.onnx
  shadow: 30m
  canary: [1%, 10%, 50%]
  sticky_by: header:x-user-id
  guards:
    - disagreement at_most 5%
    - {guard: error_rate not_worse_by 1pp, required: no}
  confidence: 99%
  exposure: 1h
  exposure_units: 2000
  promote_on: exposure
  patience: 72h
  then: rollback
  streams: cut
  block: 1s
  window: 20m
  window_requests: 20
  anew: true
  live: false
  control_port: 8091
"""


def test_flags_variables_and_the_file_say_the_same():
    by_flag, by_variable, by_file = (
        load(FLAGS),
        load([], variables=VARIABLES),
        load([], config=FILE),
    )
    for settings in (by_flag, by_variable, by_file):
        rollout = settings.rollout
        assert [stage.name for stage in rollout.stages] == [
            *("shadow", "canary 1 %", "canary 10 %", "canary 50 %")
        ]
        assert [stage.lasts_s for stage in rollout.stages] == [1800.0, *(3 * [HOUR_S])]
        assert {stage.units for stage in rollout.stages} == {2000}
        assert [(guard.text, guard.required) for guard in rollout.guards] == [
            ("disagreement at_most 5%", True),
            ("error_rate not_worse_by 1pp optional", False),
        ]
        assert rollout.sticky_by == "header:x-user-id"
        assert (rollout.confidence, rollout.promote_on) == (0.99, "exposure")
        assert (rollout.patience_s, rollout.then) == (72 * HOUR_S, "rollback")
        assert (rollout.streams, rollout.block_s) == ("cut", 1.0)
        assert (rollout.window_s, rollout.window_requests) == (1200.0, 20)
        assert (settings.anew, settings.live, settings.control_port) == (True, False, 8091)
    assert [guard.line for guard in by_file.rollout.guards] == [7, 8]
    assert [guard.line for guard in by_flag.rollout.guards] == [0, 0]


def test_a_flag_takes_back_what_the_file_asks_for():
    settings = load(
        ["--shadow", "none", "--sticky-by", "none", "--guard", "error_rate not_worse_by 1pp"],
        config=FILE,
    )
    assert settings.rollout.stages[0].kind == "canary"
    assert settings.rollout.sticky_by == ""
    assert [guard.text for guard in settings.rollout.guards] == ["error_rate not_worse_by 1pp"]


@pytest.mark.parametrize(
    "guards",
    ["guards: error_rate not_worse_by 1pp", "guards: {guard: error_rate not_worse_by 1pp}"],
)
def test_one_guard_needs_no_list(guards):
    rollout = load([], config=f"rollout:\n  candidate: v2.onnx\n  {guards}\n").rollout
    assert [(guard.text, guard.line) for guard in rollout.guards] == [
        ("error_rate not_worse_by 1pp", 3)
    ]


BAD = """\
candidate: v2.onnx
rollout:
  candidate: v2.onnx
  canray: 5%
  port: 1
  canary: [5%, 150%]
  guards:
    - error_rate not_worse_by 1%
    - {guard: accuracy not_worse_by 1pp, required: maybe}
    - {guard: accuracy not_worse_by 2pp optional, required: yes}
    - {required: no}
    - {gard: error_rate not_worse_by 2pp}
    - [error_rate]
  sticky_by: x-user-id
  confidence: 100%
  then: wait
  shadow: 5
  exposure_units: 0
"""


def test_every_error_of_the_file_is_told_at_once_with_line_and_fix():
    errors = told([], config=BAD)
    by_line = {int(error.split(":")[1]): error for error in errors}
    assert "It belongs under `rollout:`." in by_line[1]
    assert "Did you mean canary?" in by_line[4]
    assert "It belongs at the top of the file." in by_line[5]
    assert '"150%" is not such a list of shares' in by_line[6]
    assert "Write 1pp" in by_line[8]
    assert '"maybe" is not yes or no' in by_line[9]
    assert "optional and required" in by_line[10]
    assert "the guard says nothing" in by_line[11]
    assert any("Did you mean guard?" in error for error in errors)
    assert "sequence where a value belongs" in by_line[13]
    assert "Write header:x-user-id." in by_line[14]
    assert "99.99%" in by_line[15]
    assert "hold or promote or rollback" in by_line[16]
    assert "5ms or 5s" in by_line[17]
    assert "such a number" in by_line[18]
    assert len(errors) == 16


@pytest.mark.parametrize("block", ["rollout:", "rollout: v2.onnx", "rollout: [v2.onnx]"])
def test_a_rollout_in_the_file_is_a_mapping(block):
    (error,) = told([], config=block)
    assert "c.yaml:1:" in error
    assert "candidate: v2.onnx" in error


def test_a_mistake_in_an_overridden_guard_is_a_mistake():
    variables = {"PILOTAGE_GUARD": "errors not_worse_by 1pp"}
    flags = ["--candidate", "v2.onnx", "--guard", "error_rate not_worse_by 1pp"]
    (error,) = told(flags, variables=variables)
    assert error.startswith("PILOTAGE_GUARD")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--candidate", "gone.onnx"], ["--candidate", "no file or folder"]),
        (["--candidate", "m=v2.onnx"], ["Write v2.onnx alone"]),
        (["v2.onnx", "--candidate", "v2.onnx"], ["a candidate beside 2 models", "one model"]),
        (["--candidate", "v2.onnx", "--no-record"], ["--no-record", "Leave --no-record out"]),
        (["--canary", "5%"], ["--canary", "canary is given", "--candidate"]),
        (["--guard", "error_rate not_worse_by 1pp"], ["guard is given"]),
        (["--shadow", "1m", "--then", "hold", "--anew"], ["shadow, then and anew are given"]),
        (
            ["--candidate", "v2.onnx", "--canary", "25%,5%"],
            ["after canary 25 %", "--canary 5%,25%"],
        ),
        (["--candidate", "v2.onnx", "--canary", "5%,5%"], ["two stages are canary 5 %"]),
        (["--candidate", "v2.onnx", "--canary", "none"], ["has no stage", "--shadow 10m"]),
        (["--candidate", "v2.onnx", "--canary", "100%"], ["below 100%"]),
        (["--candidate", "v2.onnx", "--canary", "0%"], ["above 0%"]),
        (["--candidate", "v2.onnx", "--canary", "5"], ["Write 5%"]),
        (["--candidate", "v2.onnx", "--canary", "0.00001%"], ["parts per million"]),
        (
            ["--candidate", "v2.onnx", "--guard", "disagreement at_most 5%"],
            ["judged in the shadow", "Add --shadow 10m."],
        ),
        (
            ["--candidate", "v2.onnx", "--guard", "difference beyond 1 at_most 5%"],
            ["judged in the shadow"],
        ),
        (
            [
                *("--candidate", "v2.onnx", "--shadow", "1h", "--canary", "none"),
                *("--guard", "rate of converted not_worse_by 1pp"),
            ],
            ["rate is judged by outcomes in a canary", "--canary 5%,25%"],
        ),
        (
            [
                *("--candidate", "v2.onnx", "--guard", "accuracy not_worse_by 1pp"),
                *("--record-outputs", "digest"),
            ],
            ["--guard", "accuracy is judged by recorded outputs", "record_outputs auto"],
        ),
        (
            [
                *("--candidate", "v2.onnx", "--guard", "accuracy not_worse_by 1pp"),
                *("--record-outputs", "none"),
            ],
            ["record_outputs none keeps none"],
        ),
        (
            [
                *("--candidate", "v2.onnx", "--guard", "accuracy not_worse_by 1pp"),
                *("--record-inline", "0"),
            ],
            ["record_inline 0 keeps none"],
        ),
        (
            [
                *("--candidate", "v2.onnx", "--guard", "error_rate not_worse_by 1pp"),
                *("--guard", "error_rate optional not_worse_by 0.01"),
            ],
            ["the same guard twice: error_rate not_worse_by 1pp", "Keep one"],
        ),
        (
            ["--candidate", "v2.onnx", "--guard", "error_rate not_worse_by 1pp optional"],
            ["every guard is optional", "--promote-on exposure"],
        ),
        (["--candidate", "v2.onnx", "--sticky-by", "cookie:id"], ["header:NAME"]),
        (["--candidate", "v2.onnx", "--sticky-by", "header:a b"], ["header:NAME"]),
        (["--candidate", "v2.onnx", "--confidence", "49%"], ["from 50% to 99.99%"]),
        (["--candidate", "v2.onnx", "--confidence", "99.995%"], ["from 50% to 99.99%"]),
        (["--candidate", "v2.onnx", "--confidence", "95"], ["Write 95%"]),
        (["--candidate", "v2.onnx", "--block", "99ms"], ["from 100ms to 1h"]),
        (["--candidate", "v2.onnx", "--patience", "2161h"], ["to 2160h"]),
        (["--candidate", "v2.onnx", "--port", "8090"], ["both to listen", "--control-port 8091"]),
    ],
)
def test_what_does_not_fit_together_is_one_error_with_place_and_fix(words, parts):
    (error,) = told(words)
    assert [part for part in parts if part not in error] == []


@pytest.mark.parametrize(
    "words",
    [
        ["--canary", "0.0001%,99.9999%"],
        ["--canary", "50%,75%"],
        ["--canary", "none", "--shadow", "1s"],
        ["--shadow", "1m", "--guard", "disagreement at_most 5%"],
        ["--guard", "engine_time not_worse_by 20%", "--canary", "none", "--shadow", "1m"],
        ["--guard", "accuracy not_worse_by 1pp", "--record-inline", "1"],
        ["--guard", "rate of right not_worse_by 1pp", "--record-outputs", "none"],
        ["--guard", "error_rate not_worse_by 1pp optional", "--promote-on", "exposure"],
        ["--confidence", "50%"],
        ["--confidence", "99.99%"],
        ["--block", "100ms"],
        ["--patience", "2160h"],
        ["--control-port", "0", "--port", "0"],
        ["--sticky-by", "header:authorization"],
    ],
)
def test_the_other_side_of_each_rule_is_served(words):
    assert tried(*words).rollout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--patience", "15m"], "The stages last 20m at least, and the patience is 15m"),
        (["--exposure", "15h"], "The stages last 30h at least"),
        (["--exposure", "5s", "--block", "6s"], "A look every 6s is rarer"),
        (["--window", "1h"], "window is about the values of --sticky-by"),
        (["--window-requests", "20"], "window_requests is about"),
        (["--guard", "engine_time not_worse_by 20%"], "No guard is about errors"),
    ],
)
def test_what_is_allowed_and_may_surprise_is_a_hint(words, said):
    (hint,) = tried(*words).hints
    assert said in hint


def test_anew_in_a_variable_is_read_at_every_start_and_gets_a_hint():
    (hint,) = tried(variables={"PILOTAGE_ANEW": "yes"}).hints
    assert "anew (PILOTAGE_ANEW) starts the rollout again at every start" in hint


@pytest.mark.parametrize(
    "words",
    [
        ["--anew"],
        ["--patience", "20m"],
        ["--exposure", "6s", "--block", "6s"],
        ["--window", "1h", "--sticky-by", "header:x-user-id"],
    ],
)
def test_what_surprises_nobody_gets_no_hint(words):
    assert tried(*words).hints == ()


@pytest.mark.parametrize("over", [0, 1])
def test_a_rollout_has_a_number_of_stages_at_most(over):
    shares = ",".join(f"{share}%" for share in range(1, STAGES_HIGH + over + 1))
    if over:
        (error,) = told(["--candidate", "v2.onnx", "--canary", shares])
        assert f"at most {STAGES_HIGH}" in error
    else:
        assert len(tried("--canary", shares).rollout.stages) == STAGES_HIGH


@pytest.mark.parametrize("over", [0, 1])
def test_a_rollout_has_a_number_of_guards_at_most(over):
    words = [
        word
        for margin in range(1, GUARDS_HIGH + over + 1)
        for word in ("--guard", f"error_rate not_worse_by {margin}pp")
    ]
    if over:
        (error,) = told(["--candidate", "v2.onnx", *words])
        assert f"at most {GUARDS_HIGH}" in error
    else:
        assert len(tried(*words).rollout.guards) == GUARDS_HIGH
