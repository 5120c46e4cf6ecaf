import io
import json
from pathlib import Path

from pilotage.cli.logs import Log
from pilotage.cli.serve_screen import Screen, signature_lines, url_of
from pilotage.contracts.signature import Signature, Tensor
from pilotage.formats.findings import Finding
from pilotage.formats.opening import OpenedModel
from pilotage.isolation.conversion import OutputProof, Proof
from pilotage.spec.secrets import CallerKey, Secret
from pilotage.spec.settings import ModelSettings, RecordSettings, ServeSettings, TlsSettings

SIGNATURE = Signature(
    (
        Tensor("petal", "FP32", ("batch", 1), low=0.5, high=7.0),
        Tensor("colour", "BYTES", ("batch", 1), categories=("red", "blue", "pink", "teal", "grey")),
    ),
    (Tensor("label", "INT64", ("batch",)),),
)
PROOF = Proof(
    "proven", 2100, 100, 1e-4, 1e-3, (OutputProof("label", 0.0003, 7, "1", "1.0003", 0.0011, 0),),
    (), {},
)  # fmt: skip
MODEL = OpenedModel(
    name="iris",
    format="skops",
    digest="ab" * 32,
    path=Path("artifact/model.onnx"),
    source=Path("models/iris.skops"),
    signature=SIGNATURE,
    memory_bytes=0,
    findings=(Finding("warning", "one \x1b[31mcolumn"),),
    proof=PROOF,
    missing=("no network namespace",),
)


def settings(**changes) -> ServeSettings:
    told = {"models": (ModelSettings("iris", "i"),), "data_folder": "d", "record": None}
    return ServeSettings(**(told | changes))


def told(form, *, config):
    err, out = io.StringIO(), io.StringIO()
    screen = Screen(Log(form, err, lambda: 0.0), out)
    screen.opened(MODEL)
    screen.serving(config, [("127.0.0.1", 8081)])
    return out.getvalue(), err.getvalue()


def test_people_read_model_proof_protections_and_access():
    out, err = told("text", config=settings(record=RecordSettings("records")))
    assert err == (
        "iris: scikit-learn saved by skops (iris.skops)\n"
        "  input    petal   FP32   [batch, 1]  0.5 to 7\n"
        "  input    colour  BYTES  [batch, 1]  red, blue, pink, teal and 1 more\n"
        "  output   label   INT64  [batch]\n"
        "  warning  one \\x1b[31mcolumn\n"
        "  proof    2000 probe rows and 100 of the sample, original and converted; "
        "label differs by at most 0.0003 (allowed there 0.0011)\n"
        "  missing  no network namespace\n"
        "callers  no key: bound to loopback only, open to every program of this machine\n"
        "records  records; look into them: pilotage record tail --record records\n"
    )
    assert out.startswith("http://127.0.0.1:8081\n\ncurl -s http://127.0.0.1:8081/v2/models/iris/")


def test_programs_read_an_event_a_line():
    _, err = told("json", config=settings())
    opened, ready = (json.loads(line) for line in err.splitlines())
    assert (opened["event"], ready["event"]) == ("model_opened", "ready")
    assert ready["url"] == "http://127.0.0.1:8081"
    assert ready["records"] is None
    assert opened["missing_protections"] == ["no network namespace"]


def test_a_secret_is_in_neither_form():
    keys = (CallerKey("bob", Secret("hunter2hunter2"), "$PILOTAGE_KEY"),)
    for form in ("text", "json"):
        out, err = told(form, config=settings(keys=keys))
        assert "hunter2" not in out + err
        assert '"Authorization: Bearer $PILOTAGE_KEY"' in out


def test_the_address_is_one_that_this_machine_can_use():
    tls = TlsSettings("cert.pem", "key.pem")
    at = [("0.0.0.0", 80)]
    assert url_of(settings(host="0.0.0.0"), at) == "http://127.0.0.1:80"
    assert url_of(settings(host="::"), at) == "http://[::1]:80"
    assert url_of(settings(host="0.0.0.0", tls=tls), at) == "https://localhost:80"


def test_a_model_with_many_inputs_lists_some_and_counts_the_rest():
    many = tuple(Tensor(f"x{index}", "FP32", ("batch",)) for index in range(100))
    lines = signature_lines(Signature(many, ()))
    assert len(lines) == 25
    assert lines[-1].strip() == "and 76 more inputs"


def test_a_candidate_is_told_without_its_tensors_and_gets_no_command():
    err, out = io.StringIO(), io.StringIO()
    screen = Screen(Log("text", err, lambda: 0.0), out)
    screen.opened(MODEL)
    screen.candidate_opened(MODEL)
    screen.serving(settings(), [("127.0.0.1", 8081)])
    candidate = err.getvalue().split("iris, candidate: ")[1]
    assert candidate.startswith("scikit-learn saved by skops (iris.skops)\n  warning  one ")
    assert "input" not in candidate
    assert out.getvalue().count("curl") == 1


def test_programs_read_a_candidate_as_an_event_of_its_own():
    err = io.StringIO()
    Screen(Log("json", err, lambda: 0.0), io.StringIO()).candidate_opened(MODEL)
    event = json.loads(err.getvalue())
    assert (event["event"], event["digest"]) == ("candidate_opened", MODEL.digest)
