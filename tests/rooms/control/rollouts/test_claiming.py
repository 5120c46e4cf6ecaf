"""One process decides on a rollout."""

import os
import threading

import pytest

from pilotage.control.rollouts.claiming import check_unclaimed, claim
from pilotage.errors import PilotageError


def test_a_rollout_that_another_process_has_is_refused_with_a_way_out(tmp_path):
    held = claim(tmp_path, "abc-1")
    with pytest.raises(PilotageError, match="another `pilotage serve` decides") as refused:
        claim(tmp_path, "abc-1")
    assert "--anew" in refused.value.fix
    os.close(held)
    os.close(claim(tmp_path, "abc-1"))


def test_two_rollouts_of_one_folder_do_not_stand_in_each_others_way(tmp_path):
    first, second = claim(tmp_path, "abc-1"), claim(tmp_path, "abc-2")
    os.close(first)
    os.close(second)


def test_a_start_waits_for_a_decider_that_is_about_to_end(tmp_path):
    held = claim(tmp_path, "abc-1")
    ends = threading.Timer(0.2, os.close, (held,))
    ends.start()
    check_unclaimed(tmp_path, "abc-1", patience_s=20.0)
    ends.join()


def test_a_start_beside_a_decider_that_stays_is_refused(tmp_path):
    held = claim(tmp_path, "abc-1")
    with pytest.raises(PilotageError, match="another `pilotage serve` decides"):
        check_unclaimed(tmp_path, "abc-1", patience_s=0.0)
    os.close(held)


def test_a_folder_that_cannot_hold_the_lock_is_told(tmp_path):
    (tmp_path / "rollouts").write_text("in the way")
    with pytest.raises(PilotageError, match="cannot be made"):
        check_unclaimed(tmp_path, "abc-1", patience_s=0.0)
