import os

from pilotage.cli.watching import Watch, watch_settings
from pilotage.spec.settings import ModelSettings, ServeSettings


def looks(*stamps):
    seen = iter(stamps)
    return Watch(lambda: {"m": (next(seen), 0, 0)})


def test_a_change_is_told_once_and_only_when_it_has_settled():
    watch = looks(1, 1, 2, 3, 3, 3, 4, 4)
    assert [watch.changed() for _ in range(7)] == [
        False,
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_what_changes_back_before_it_settles_is_no_change():
    watch = looks(1, 2, 1, 1)
    assert [watch.changed() for _ in range(3)] == [False, False, False]


def test_a_replaced_model_and_a_model_new_in_the_file_are_seen(tmp_path):
    model, config, other = (tmp_path / name for name in ("m.onnx", "c.yaml", "n.onnx"))
    for path in (model, config):
        path.write_bytes(b"1")
    settings = ServeSettings(
        (ModelSettings("m", str(model)),), str(tmp_path), None, config=str(config)
    )
    wider = ServeSettings(
        (ModelSettings("n", str(other)),), str(tmp_path), None, config=str(config)
    )
    watch = watch_settings(settings, lambda: wider)
    assert not watch.changed()
    model.write_bytes(b"22")
    assert [watch.changed(), watch.changed()] == [False, True]
    config.write_bytes(b"models: [n.onnx]")
    assert [watch.changed(), watch.changed()] == [False, True]
    other.write_bytes(b"new")
    assert [watch.changed(), watch.changed()] == [False, True]
    os.utime(other, ns=(1, 1))
    assert [watch.changed(), watch.changed()] == [False, True]


def test_a_replaced_candidate_is_seen(tmp_path):
    model, candidate = (tmp_path / name for name in ("m.onnx", "v2.onnx"))
    for path in (model, candidate):
        path.write_bytes(b"1")
    settings = ServeSettings(
        (ModelSettings("m", str(model)),),
        str(tmp_path),
        None,
        candidate=ModelSettings("m", str(candidate)),
    )
    watch = watch_settings(settings, lambda: settings)
    assert not watch.changed()
    candidate.write_bytes(b"22")
    assert [watch.changed(), watch.changed()] == [False, True]
