from pilotage.serving.recording.identity import BOOT_BITS, NODE_BITS, chance, next_identity


def test_a_node_stays_and_boots_are_counted_up(tmp_path):
    folder = tmp_path / "records"
    first, second, third = (next_identity(folder) for _ in range(3))
    assert first.node == second.node == third.node < 1 << NODE_BITS
    assert second.boot == (first.boot + 1) % (1 << BOOT_BITS)
    assert third.boot == (second.boot + 1) % (1 << BOOT_BITS)


def test_boots_go_round(tmp_path):
    (tmp_path / "identity").write_text("abcdef ffff\n")
    identity = next_identity(tmp_path)
    assert (identity.node, identity.boot) == (0xABCDEF, 0)
    assert (tmp_path / "identity").read_text() == "abcdef 0000\n"


def test_a_file_that_cannot_be_read_is_made_anew(tmp_path):
    (tmp_path / "identity").write_text("what?")
    identity = next_identity(tmp_path)
    assert next_identity(tmp_path).node == identity.node


def test_a_folder_that_cannot_be_written_leaves_it_to_chance(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert next_identity(tmp_path / "file" / "records").node < 1 << NODE_BITS
    assert len({chance() for _ in range(8)}) > 1
