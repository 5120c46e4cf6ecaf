from dataclasses import replace

from pilotage.control.rollouts.identity import Party, spec_of, spec_text
from simulators.rollouts import ERRORS, IDENTITY, SPEC, identity


def test_the_same_wishes_are_the_same_rollout_wherever_they_stand():
    moved = identity(guards=(replace(ERRORS, line=17),))
    assert moved.key == IDENTITY.key


def test_another_endpoint_version_or_wish_is_another_rollout():
    other = Party("cccccccccccc", "c" * 64, "v2.onnx")
    keys = {
        IDENTITY.key,
        replace(IDENTITY, endpoint="loans").key,
        replace(IDENTITY, baseline=other).key,
        replace(IDENTITY, candidate=other).key,
        identity(confidence=0.99).key,
        identity(sticky_by="header:x-user-id").key,
        identity(guards=(replace(ERRORS, margin=0.01),)).key,
    }
    assert len(keys) == 7


def test_the_name_of_a_file_does_not_make_another_rollout():
    renamed = replace(IDENTITY.candidate, name="model-final.onnx")
    assert replace(IDENTITY, candidate=renamed).key == IDENTITY.key


def test_a_spec_is_read_back_as_it_was_written():
    assert spec_of(spec_text(SPEC)) == SPEC
