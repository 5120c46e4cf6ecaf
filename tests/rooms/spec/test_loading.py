import pickle

import pytest

from pilotage.errors import PilotageErrors
from pilotage.spec.loading import load_serve_settings

SECRET = "0123456789abcdef0123456789abcdef"


class Disk:
    """Files in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str, at_most: int) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory")
        return self.files[path][: at_most + 1]

    def is_there(self, path: str) -> bool:
        return path in self.files


def load(words="m.onnx", variables=None, **files):
    on_disk = {"m.onnx": b"", "n.onnx": b"", "rows.csv": b""}
    on_disk |= {name.replace("_", "."): text.encode() for name, text in files.items()}
    environment = {"HOME": "/people/ann", **(variables or {})}
    return load_serve_settings(words.split(), environment, Disk(on_disk), platform="linux")


def errors(words="m.onnx", variables=None, **files):
    with pytest.raises(PilotageErrors) as found:
        load(words, variables, **files)
    return found.value.errors


def test_a_model_alone_is_enough():
    settings = load()
    assert [(model.name, model.path) for model in settings.models] == [("m", "m.onnx")]
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.record.folder == "/people/ann/.local/share/pilotage/records"
    assert settings.keys == ()


@pytest.mark.parametrize(
    ("flag", "variable", "file", "port"),
    [
        ("--port 1", "2", "port: 3", 1),
        ("", "2", "port: 3", 2),
        ("", None, "port: 3", 3),
        ("--port 1", None, "", 1),
        ("", None, "", 8080),
    ],
)
def test_flags_win_over_variables_over_the_file(flag, variable, file, port):
    variables = {"PILOTAGE_PORT": variable} if variable else {}
    assert load(f"m.onnx --config c.yaml {flag}", variables, c_yaml=file).port == port


def test_every_source_says_the_same():
    by_flag = load("m.onnx --deadline 50ms --limit body_bytes=1MiB --no-record --poll 200us")
    by_variable = load(
        "m.onnx",
        {
            "PILOTAGE_DEADLINE": "50ms",
            "PILOTAGE_LIMIT_BODY_BYTES": "1MiB",
            "PILOTAGE_NO_RECORD": "yes",
            "PILOTAGE_POLL": "200us",
        },
    )
    by_file = load(
        "m.onnx --config c.yaml",
        c_yaml="deadline: 50ms\nlimits:\n  body_bytes: 1MiB\nno_record: true\npoll: 200us",
    )
    for settings in (by_flag, by_variable, by_file):
        assert settings.models[0].deadline_ms == 50
        assert settings.limits.body_bytes == 2**20
        assert settings.record is None
        assert settings.poll_us == 200


def test_all_errors_are_told_at_once_with_place_and_fix():
    found = errors(
        "m.onnx gone.onnx --deadline 50 --workers 0 --config c.yaml",
        {"PILOTAGE_WORKRS": "2", "PILOTAGE_PORT": "eighty"},
        c_yaml="hots: 1\nlimits:\n  body_byte: 1\n",
    )
    told = {error.where: f"{error.what}; {error.fix}" for error in found}
    assert "50ms or 50s" in told["--deadline"]
    assert "such a number" in told["--workers"]
    assert "Did you mean PILOTAGE_WORKERS?" in told["environment"]
    assert '"eighty" is not a port' in told["PILOTAGE_PORT"]
    assert "Did you mean host?" in told["c.yaml:1:1"]
    assert "Did you mean body_bytes?" in told["c.yaml:3:14 (limits.body_byte)"]
    assert "gone.onnx" in told["MODEL"]
    assert len(found) == 7


def test_an_overridden_mistake_is_a_mistake():
    assert [error.where for error in errors("m.onnx --port 1", {"PILOTAGE_PORT": "x"})] == [
        "PILOTAGE_PORT"
    ]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("m.onnx --host 0.0.0.0", "no key is asked for"),
        ("m.onnx --host ::", "no key is asked for"),
        (f"m.onnx --host 0.0.0.0 --key {SECRET[:15]}", "15 characters"),
        ("m.onnx --tls-cert rows.csv", "--tls-cert without --tls-key"),
        ("m.onnx --tls-client-ca rows.csv", "without --tls-cert and --tls-key"),
        ("m.onnx --deadline 0", "is not such a time"),
        ("m.onnx --port 65536", "is not a port"),
        ("m.onnx --port", "has no value"),
        ("m.onnx --reload=yes", "takes no value"),
        ("m.onnx --port 1 --port 2", "given twice"),
        ("m.onnx n.onnx --name x", "one name for 2 models"),
        ("m.onnx m=n.onnx", "two models are called"),
        ("m.onnx --record a --no-record", "both given"),
        ("m.onnx --limit body_bytes=1GiB", "could never be received"),
        ("m.onnx --limit request_rows=8193", "could never be queued"),
        ("m.onnx --key @gone", "cannot be read"),
        ("m.onnx n.onnx --sample rows.csv", "one sample for 2 models"),
        ("--port 1", "no model is given"),
        ("m.onnx --config gone.yaml", "configuration file cannot be read"),
    ],
)
def test_settings_that_contradict_or_mean_nothing_are_refused(words, what):
    assert [what in error.what for error in errors(words)] == [True]


@pytest.mark.parametrize(
    "words",
    [
        f"m.onnx --host 0.0.0.0 --key {SECRET[:16]}",
        "m.onnx --port 65535",
        "m.onnx --tls-cert rows.csv --tls-key rows.csv --tls-client-ca rows.csv",
        "m.onnx --limit request_rows=8192 --limit queue_rows=8192",
        "a=m.onnx b=m.onnx --sample a=rows.csv",
        "-- m.onnx",
    ],
)
def test_the_other_side_of_each_rule_is_served(words):
    assert load(words).models


def test_an_entry_of_the_file_wins_over_the_file_and_a_flag_over_both():
    file = "deadline: 1s\nmodels:\n- path: m.onnx\n  deadline: 20ms\n- n.onnx\n"
    plain = load("--config c.yaml", c_yaml=file)
    assert [model.deadline_ms for model in plain.models] == [20, 1000]
    flagged = load("--config c.yaml --deadline none", c_yaml=file)
    assert [model.deadline_ms for model in flagged.models] == [None, None]


def test_no_record_by_flag_wins_over_a_folder_in_the_file_and_the_other_way_round():
    assert load("m.onnx --no-record --config c.yaml", c_yaml="record: a").record is None
    settings = load("m.onnx --record a --config c.yaml", c_yaml="no_record: true")
    assert settings.record.folder == "a"


def test_a_variable_that_kubernetes_sets_is_passed_over_with_a_hint():
    settings = load("m.onnx", {"PILOTAGE_PORT": "tcp://10.0.0.1:80", "PILOTAGE_SERVICE_HOST": "x"})
    assert settings.port == 8080
    assert "enableServiceLinks" in settings.hints[0]


@pytest.mark.parametrize(
    "words",
    [
        f"m.onnx --kye {SECRET}",
        f"m.onnx --kye={SECRET}",
        f"m.onnx --kee {SECRET} --port x",
        f"m.onnx --key {SECRET}é --port x",
        f"m.onnx --key {SECRET} --key {SECRET}",
        f"m.onnx --host 0.0.0.0 --key a={SECRET[:10]}",
    ],
)
def test_no_error_shows_a_secret(words):
    told = "\n".join(str(error) for error in errors(words))
    assert told
    assert SECRET[:10] not in told


def test_no_error_about_the_file_or_a_key_file_shows_a_secret():
    told = errors("m.onnx --config c.yaml", c_yaml=f"keys:\n- '{SECRET} x'\nkeys: {SECRET}\n")
    told += errors("m.onnx --key @k.txt", k_txt=f"{SECRET} and more\n")
    assert SECRET[:10] not in "\n".join(str(error) for error in told)


def test_settings_do_not_show_their_secrets():
    settings = load(f"m.onnx --key bob={SECRET}")
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.keys[0].secret)
    assert settings.keys[0].secret.reveal() == SECRET
    with pytest.raises(TypeError):
        pickle.dumps(settings.keys[0].secret)


def test_a_secret_on_the_command_line_gets_a_hint_and_one_in_a_variable_none():
    assert "--key @FILE" in load(f"m.onnx --key {SECRET}").hints[0]
    assert load("m.onnx", {"PILOTAGE_KEY": SECRET}).hints == ()


def test_a_name_before_the_secret_names_the_caller_and_padding_does_not():
    named = load(f"m.onnx --key bob={SECRET}").keys[0]
    padded = load("m.onnx --key c2VjcmV0c2VjcmV0==").keys[0]
    assert (named.principal, named.secret.reveal()) == ("bob", SECRET)
    assert padded.secret.reveal() == "c2VjcmV0c2VjcmV0=="
    assert padded.principal.startswith("key-")


def test_a_key_file_holds_a_key_a_line():
    settings = load("m.onnx --key @k.txt", k_txt=f"# callers\nann={SECRET}\n\n{SECRET[::-1]}\n")
    assert settings.keys[0].principal == "ann"
    assert settings.keys[1].secret.reveal() == SECRET[::-1]


def test_a_file_with_one_bare_key_can_be_used_in_a_command():
    assert load("m.onnx --key @k.txt", k_txt=SECRET + "\n").keys[0].shell == "$(cat k.txt)"
    assert load(f"m.onnx --key {SECRET}").keys[0].shell == "$PILOTAGE_KEY"


def test_paths_in_the_file_start_beside_the_file():
    files = {"d/c.yaml": b"models: [x.onnx]\nrecord: r\n", "d/x.onnx": b""}
    settings = load_serve_settings(["--config", "d/c.yaml"], {}, Disk(files), platform="linux")
    assert settings.models[0].path == "d/x.onnx"
    assert settings.record.folder == "d/r"
