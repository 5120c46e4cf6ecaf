"""The head of an ONNX file, and what a damaged or hostile one does to its reader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.errors import PilotageError
from pilotage.formats.onnx_file import GRAPH_DEPTH, NotProtobuf, looks_like_onnx, read_onnx

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402


def weights(location="w.bin", name="w"):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="length", value="8")
    return tensor


def model(initializers=(), nodes=None, shape=("n", 2)):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    nodes = nodes or [helper.make_node("Identity", ["x"], ["y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], initializer=list(initializers))
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, producer_name="tests")


def read(made):
    return read_onnx(memoryview(made.SerializeToString()))


def test_producer_and_opsets_are_read():
    head = read(model())
    assert head.producer == "tests"
    assert head.opsets == {"": 18, "ai.onnx.ml": 3}
    assert (head.external, head.unranked) == ((), ())


def test_files_of_weights_are_found_wherever_tensors_are():
    branch = helper.make_graph([], "branch", [], [], initializer=[weights("c.bin")])
    nodes = [
        helper.make_node("Constant", [], ["k"], value=weights("b.bin")),
        helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch),
    ]
    made = model([weights("a.bin"), weights("a.bin")], nodes)
    function = made.functions.add(name="f", domain="d")
    function.node.append(helper.make_node("Constant", [], ["z"], value=weights("d.bin")))
    assert read(made).external == ("a.bin", "b.bin", "c.bin", "d.bin")


def test_a_tensor_without_a_declared_shape_is_named():
    assert read(model(shape=None)).unranked == ("x", "y")
    assert read(model(shape=())).unranked == ()


def test_a_file_cut_anywhere_is_never_taken_for_a_whole_one_with_its_graph():
    data = model([weights()]).SerializeToString()
    whole = read_onnx(memoryview(data))
    for end in range(1, len(data)):
        try:
            assert read_onnx(memoryview(data[:end])) != whole
        except PilotageError:
            continue


def test_graphs_inside_graphs_are_read_to_a_depth_and_no_further():
    def nested(depth):
        graph = helper.make_graph([], "inner", [], [], initializer=[weights()])
        for _ in range(depth):
            graph = helper.make_graph([helper.make_node("Loop", [], [], body=graph)], "g", [], [])
        return helper.make_model(graph)

    assert read(nested(GRAPH_DEPTH)).external == ("w.bin",)
    with pytest.raises(PilotageError, match="nest deeper"):
        read(nested(GRAPH_DEPTH + 1))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_in_another_way(data):
    looks_like_onnx(memoryview(data))
    try:
        read_onnx(memoryview(data))
    except (PilotageError, NotProtobuf):
        return
