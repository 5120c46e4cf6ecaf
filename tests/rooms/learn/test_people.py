"""What the package carries is what its script makes."""

import csv
import io

import numpy as np

from pilotage.learn import people

MOST_BYTES = 300_000


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode())))


def test_the_rows_of_a_learner_and_those_kept_back_are_different_people():
    own, other = rows_of(people.own_people()), rows_of(people.other_people())
    assert len(own) == len(other) == people.OWN_ROWS
    assert own[0].keys() == {*people.CODES, "sex", "race", "employed"}
    assert own[:100] != other[:100]
    assert all(int(row["age"]) >= 16 for row in own + other)


def test_what_is_carried_is_small():
    assert sum(file.stat().st_size for file in people.MATERIAL.iterdir()) < MOST_BYTES


def test_the_rows_are_those_of_the_survey():
    import learn_material as material

    judged = material.judged()
    rows = rows_of(people.own_people()) + rows_of(people.other_people())
    assert [int(row["employed"]) for row in rows] == judged.employed.tolist()
    assert [row["race"] for row in rows] == judged.race.tolist()
    assert [int(row["age"]) for row in rows] == judged.codes[:, 0].tolist()


def test_the_models_are_those_that_the_script_makes():
    import onnxruntime

    import learn_material as material

    rows = rows_of(people.other_people())
    judged = material.judged()
    for name, recipe in material.MODELS.items():
        session = onnxruntime.InferenceSession(people.model(name)())
        taken = {one.name for one in session.get_inputs()}
        feed = {
            column: np.array(
                [[row[column] if column == "sex" else int(row[column])] for row in rows]
            )
            for column in taken
        }
        (answers,) = session.run(["label"], feed)
        again = material.scores_of(material.weights_of(recipe), judged)[people.OWN_ROWS :] > 0
        assert (answers == again).mean() > 0.999, name
