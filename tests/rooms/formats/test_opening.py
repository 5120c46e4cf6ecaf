"""ONNX models of every shape: their signature, their rows, their weights beside them."""

import numpy as np
import pytest

from pilotage.contracts.datatypes import DATATYPES
from pilotage.errors import PilotageError
from pilotage.formats import opening
from pilotage.formats.opening import open_model

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

FLOAT = TensorProto.FLOAT


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def save(folder, nodes, inputs, outputs, initializers=(), name="model.onnx"):
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializer=list(initializers))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def unary(folder, operator, shape, out=None, kind=FLOAT, **attributes):
    node = helper.make_node(operator, ["x"], ["y"], **attributes)
    return save(
        folder, [node], [value("x", shape, kind)], [value("y", out or shape, kind)], name="m.onnx"
    )


def opened(tmp_path, path, **named):
    return open_model(path, artifacts=tmp_path / "store", **named)


def warnings_of(model):
    return [finding.what for finding in model.findings if finding.severity == "warning"]


def test_rows_that_are_independent_make_a_row_axis(tmp_path):
    model = opened(tmp_path, unary(tmp_path, "Relu", (None, 3)))
    assert model.signature.batch_axis == "batch"
    assert model.signature.inputs[0].shape == ("batch", 3)
    assert warnings_of(model) == []
    assert model.path.read_bytes() == (tmp_path / "m.onnx").read_bytes()
    assert (model.name, model.format, model.proof) == ("m", "onnx", None)
    assert model.memory_bytes > 0


def test_the_models_own_axis_name_is_kept(tmp_path):
    assert opened(tmp_path, unary(tmp_path, "Relu", ("N", 3))).signature.batch_axis == "N"


@pytest.mark.parametrize(
    ("operator", "shape", "out", "attributes", "said"),
    [
        ("Softmax", (None, 3), None, {"axis": 0}, "depends on the rows beside it"),
        ("ReduceMean", (None, 3), (1, 3), {}, "does not have one row for each row"),
        ("Transpose", (None, None), None, {"perm": [1, 0]}, "does not have one row for each row"),
        ("NonZero", (None, 3), (2, None), {}, "type"),
    ],
)
def test_rows_that_depend_on_each_other_are_run_one_request_at_a_time(
    tmp_path, operator, shape, out, attributes, said
):
    if operator == "NonZero":
        node = helper.make_node("NonZero", ["x"], ["y"])
        outputs = [value("y", (2, None), TensorProto.INT64)]
        path = save(tmp_path, [node], [value("x", (None, 3))], outputs)
        said = "does not have one row for each row"
    else:
        path = unary(tmp_path, operator, shape, out, **attributes)
    model = opened(tmp_path, path)
    assert model.signature.batch_axis is None
    assert any(said in what for what in warnings_of(model))


def test_a_quantized_model_whose_scale_spans_the_batch_has_no_row_axis(tmp_path):
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    path = save(tmp_path, nodes, [value("x", (None, 8))], [value("y", (None, 8))])
    assert opened(tmp_path, path).signature.batch_axis is None


def test_a_fixed_first_axis_is_no_row_axis(tmp_path):
    model = opened(tmp_path, unary(tmp_path, "Relu", (1, 3)))
    assert model.signature.batch_axis is None
    assert model.signature.inputs[0].shape == (1, 3)


def test_a_model_of_scalars_is_opened(tmp_path):
    model = opened(tmp_path, unary(tmp_path, "Relu", ()))
    assert model.signature.inputs[0].shape == ()
    assert model.signature.batch_axis is None


def test_inputs_of_two_lengths_share_their_rows(tmp_path):
    node = helper.make_node("Concat", ["a", "b"], ["y"], axis=1)
    inputs = [value("a", ("n", "left")), value("b", ("m", 2))]
    model = opened(tmp_path, save(tmp_path, [node], inputs, [value("y", ("k", "both"))]))
    assert model.signature.batch_axis == "n"
    assert model.signature.inputs[0].shape == ("n", "left")
    assert model.signature.outputs[0].shape == ("n", "both")


def test_an_output_without_a_declared_shape_gets_the_one_it_has(tmp_path):
    shape = numpy_helper.from_array(np.array([0, -1], np.int64), "shape")
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    path = save(tmp_path, [node], [value("x", (None, 2, 3))], [value("y", None)], [shape])
    model = opened(tmp_path, path)
    assert len(model.signature.outputs[0].shape) == 2
    assert model.signature.batch_axis == "batch"


def test_an_input_without_a_declared_shape_is_refused(tmp_path):
    node = helper.make_node("Relu", ["x"], ["y"])
    path = save(tmp_path, [node], [value("x", None)], [value("y", (None,))])
    with pytest.raises(PilotageError, match="'x' does not declare its number of axes"):
        opened(tmp_path, path)


KINDS = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BF16": TensorProto.BFLOAT16,
    "BYTES": TensorProto.STRING,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_datatype_is_opened_with_its_rows(tmp_path, name):
    assert set(KINDS) == set(DATATYPES)
    model = opened(tmp_path, unary(tmp_path, "Identity", (None, 2), kind=KINDS[name]))
    assert [tensor.datatype for tensor in model.signature.inputs] == [name]
    assert model.signature.batch_axis == "batch"


def test_a_sequence_of_dictionaries_is_refused_with_the_option_to_change(tmp_path):
    node = helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, None))
    )
    output = helper.make_value_info("y", kind)
    graph = helper.make_graph([node], "g", [value("x", (None, 2))], [output])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(PilotageError, match=r"seq\(map") as caught:
        opened(tmp_path, tmp_path / "m.onnx")
    assert "zipmap=False" in caught.value.fix


def test_a_model_with_an_unknown_operator_is_refused_with_the_runtimes_words(tmp_path):
    file = unary(tmp_path, "Unheard", (None, 2))
    with pytest.raises(PilotageError, match=r"does not load the model.*Unheard") as caught:
        opened(tmp_path, file)
    assert caught.value.where == str(file)
    assert "artifacts" not in str(caught.value)


def with_weights(folder, location, file=None):
    weights = numpy_helper.from_array(np.ones(2, np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(np.ones(2, np.float32).tobytes())
    node = helper.make_node("Add", ["x", "w"], ["y"])
    return save(folder, [node], [value("x", (None, 2))], [value("y", (None, 2))], [weights])


def test_weights_beside_the_model_are_kept_with_it_and_are_part_of_its_digest(tmp_path):
    path = with_weights(tmp_path, "data/w.bin", tmp_path / "data" / "w.bin")
    first = opened(tmp_path, path)
    assert (first.path.parent / "data" / "w.bin").read_bytes() == bytes.fromhex("0000803f" * 2)
    (tmp_path / "data" / "w.bin").write_bytes(np.zeros(2, np.float32).tobytes())
    assert opened(tmp_path, path).digest != first.digest


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "a/../../secret.bin"])
def test_weights_outside_the_models_folder_are_refused(tmp_path, location):
    folder = tmp_path / "model"
    folder.mkdir()
    path = with_weights(folder, location, tmp_path / "secret.bin" if "secret" in location else None)
    with pytest.raises(PilotageError, match="outside its own folder"):
        opened(tmp_path, path)


def test_weights_behind_a_link_that_leads_outside_are_refused(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    path = with_weights(folder, "w.bin", tmp_path / "secret.bin")
    (folder / "w.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(PilotageError, match="outside its own folder"):
        opened(tmp_path, path)


def test_missing_weights_are_told_by_their_name(tmp_path):
    path = with_weights(tmp_path, "w.bin")
    with pytest.raises(PilotageError, match="missing") as caught:
        opened(tmp_path, path)
    assert caught.value.where.endswith("w.bin")


def test_a_second_opening_does_not_load_the_model_again(tmp_path, monkeypatch):
    path = unary(tmp_path, "Relu", (None, 3))
    first = opened(tmp_path, path)
    monkeypatch.setattr(opening, "call_in_fork", None)
    assert opened(tmp_path, path) == first


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("fraud v2 (final).onnx", "fraud-v2-final"),
        ("model.onnx", "parent"),
        ("ünï.onnx", "n"),
        ("...onnx", "model"),
    ],
)
def test_a_name_is_made_from_the_files_name(tmp_path, file, name):
    assert opening.name_from(tmp_path / "parent" / file) == name


def test_a_given_name_is_taken(tmp_path):
    path = unary(tmp_path, "Relu", (None, 3))
    assert opened(tmp_path, path, name="other").name == "other"


def test_magikas_classifier_is_opened(tmp_path):
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("magika")
    if spec is None or spec.origin is None:
        pytest.skip("magika is not installed")
    path = Path(spec.origin).parent / "models" / "standard_v3_3" / "model.onnx"
    signature = opened(tmp_path, path).signature
    assert signature.batch_axis == "batch"
    assert signature.inputs[0].shape == ("batch", 2048)
    assert signature.outputs[0].shape == ("batch", 214)
