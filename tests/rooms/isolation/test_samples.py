"""A user's sample: CSV, JSON lines, Parquet; by name or by position."""

import numpy as np
import pytest

from pilotage.errors import PilotageError
from pilotage.isolation.probes import Feature
from pilotage.isolation.samples import read_sample

FEATURES = [Feature("age"), Feature("city", text=True)]


def read(tmp_path, text, features=FEATURES):
    path = tmp_path / "sample"
    path.write_text(text)
    return read_sample(path, features)


def test_a_csv_is_read_by_its_column_names_and_empty_numbers_are_missing(tmp_path):
    age, city = read(tmp_path, "city,age,more\nBern,4,x\nOslo,,y\n")
    assert age.dtype == np.float32
    assert age[0] == 4.0
    assert np.isnan(age[1])
    assert list(city) == ["Bern", "Oslo"]


def test_json_lines_are_read_and_absent_members_are_missing(tmp_path):
    age, city = read(tmp_path, '{"age": 4, "city": "Bern"}\n{"city": "Oslo"}\n')
    assert np.isnan(age[1])
    assert list(city) == ["Bern", "Oslo"]


def test_columns_without_any_known_name_are_taken_in_their_order(tmp_path):
    one, two = read(tmp_path, "a,b\n1,2\n3,4\n", [Feature("column_0"), Feature("column_1")])
    assert (list(one), list(two)) == ([1.0, 3.0], [2.0, 4.0])


def test_a_parquet_file_is_read(tmp_path):
    polars = pytest.importorskip("polars")
    polars.DataFrame({"age": [1.5, None], "city": ["Bern", "Oslo"]}).write_parquet(tmp_path / "s")
    age, city = read_sample(tmp_path / "s", FEATURES)
    assert age[0] == 1.5
    assert np.isnan(age[1])
    assert list(city) == ["Bern", "Oslo"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("age,town\n4,Bern\n", "no column 'city'"),
        ("age,city\nfour,Bern\n", "'age' holds text"),
        ('{"age": 4,\n', "cannot be read"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused_and_told_why(tmp_path, text, said):
    with pytest.raises(PilotageError, match=said) as caught:
        read(tmp_path, text)
    assert "four" not in str(caught.value)
