"""What clients ask before they infer."""

import json

from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols import v2_metadata
from pilotage.serving.protocols.v2_metadata import ModelStatistics, Spent

SIGNATURE = Signature(
    (Tensor("x", "FP32", ("rows", 30)), Tensor("s", "BYTES", ("rows",))),
    (Tensor("y", "BF16", ("rows", "n")),),
)


def test_health_is_json_that_kserve_reads():
    assert json.loads(v2_metadata.live_body(live=True)) == {"live": True}
    assert json.loads(v2_metadata.ready_body(ready=False)) == {"ready": False}
    body = v2_metadata.model_ready_body("m", ready=True)
    assert json.loads(body) == {"name": "m", "ready": True}


def test_the_server_names_itself_and_its_extensions():
    server = json.loads(v2_metadata.server_metadata("1.2.3"))
    assert (server["name"], server["version"]) == ("pilotage", "1.2.3")
    assert {"binary_tensor_data", "generate"} <= set(server["extensions"])
    assert "statistics" not in server["extensions"]  # perf_analyzer would die of our versions


def test_axes_that_vary_are_minus_one():
    assert json.loads(v2_metadata.model_metadata("m", ["1", "2"], "onnx_onnxv1", SIGNATURE)) == {
        "name": "m",
        "versions": ["1", "2"],
        "platform": "onnx_onnxv1",
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [-1, 30]},
            {"name": "s", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [{"name": "y", "datatype": "BF16", "shape": [-1, -1]}],
    }


def test_the_configuration_gives_whole_shapes():
    config = json.loads(v2_metadata.model_config("m", "onnx_onnxv1", SIGNATURE))
    assert (config["name"], config["max_batch_size"], config["backend"]) == ("m", 0, "onnx")
    assert config["input"] == [
        {"name": "x", "data_type": "TYPE_FP32", "dims": [-1, 30]},
        {"name": "s", "data_type": "TYPE_STRING", "dims": [-1]},
    ]


def test_statistics_have_the_shape_that_perf_analyzer_reads():
    model = ModelStatistics("m", "1", 5, 40, 3, success=Spent(20, 9000), queue=Spent(20, 70))
    (stats,) = json.loads(v2_metadata.statistics([model]))["model_stats"]
    assert (stats["inference_count"], stats["execution_count"]) == (40, 3)
    assert stats["last_inference"] == 5
    assert stats["inference_stats"]["success"] == {"count": 20, "ns": 9000}
    assert set(stats["inference_stats"]) == {
        *("success", "fail", "queue", "compute_input", "compute_infer", "compute_output"),
        *("cache_hit", "cache_miss"),
    }


def test_the_index_says_what_is_ready():
    index = json.loads(v2_metadata.repository_index([("m", "1", True), ("m", "2", False)]))
    assert [entry["state"] for entry in index] == ["READY", "UNAVAILABLE"]
