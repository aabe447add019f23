"""Several sets of records as one: all are read, and nobody is mistaken for another."""

import numpy as np
import pytest

from vasa_jax.data import examples, mixed_sets, records
from vasa_jax.errors import UserError


def write_set(folder, values):
    (folder / "train").mkdir(parents=True)
    for number, value in enumerate(values):
        records.write_npz_record(
            folder / "train" / f"{number}.npz",
            {
                "clip_id": f"clip{number}",
                "identity": f"person{number // 2}",
                "value": np.float32(value),
            },
        )
    return folder


@pytest.fixture
def folders(tmp_path):
    return write_set(tmp_path / "a", range(4)), write_set(tmp_path / "b", range(10, 16))


def test_all_records_are_read_in_order_under_names_of_their_own(folders):
    opened = mixed_sets.open_folders(f"{folders[0]}, {folders[1]}")
    read = [opened.read(index) for index in range(len(opened))]
    assert [float(r["value"]) for r in read] == [*range(4), *range(10, 16)]
    assert len({r["clip_id"] for r in read}) == 10
    assert len({r["identity"] for r in read}) == 5
    assert opened.read(4, ["value"]) == {"value": 10}
    assert opened.place(4) == mixed_sets.parts_of(opened)[1].place(0)


def test_a_pair_is_of_one_person_in_one_set(folders):
    opened = mixed_sets.open_folders(",".join(map(str, folders)))

    def make(rng, same, other):
        assert len({record["identity"] for record in same}) == 1
        assert other["identity"] != same[0]["identity"]
        values = [float(record["value"]) // 10 for record in same]
        return {"value": np.float32(np.ptp(values))}

    drawn = examples.PairExamples(opened, make)
    rng = np.random.default_rng(0)
    assert all(drawn.draw(rng, i)["value"] == 0 for i in range(len(opened)))


def test_one_folder_is_opened_as_it_is(folders):
    opened = mixed_sets.open_folders(str(folders[0]))
    assert opened.read(0)["identity"] == "person0"
    assert mixed_sets.parts_of(opened) == (opened,)


@pytest.mark.parametrize("text", ["", "a,", "a,b,a"])
def test_folders_that_are_missing_or_given_twice_are_refused(text):
    with pytest.raises(UserError, match="with commas between"):
        mixed_sets.open_folders(text)


def test_a_set_of_training_people_joins_one_that_measures(folders):
    text = ",".join(map(str, folders))
    with pytest.raises(records.MissingSplitError, match="has no split 'validation'"):
        mixed_sets.open_folders(text, "validation")
    (folders[0] / "train").rename(folders[0] / "validation")
    opened = mixed_sets.open_folders(text, "validation")
    assert [float(opened.read(i)["value"]) for i in range(len(opened))] == [0, 1, 2, 3]
    with pytest.raises(records.MissingSplitError, match="it has validation"):
        mixed_sets.open_folders(text, "train")


def test_a_folder_whose_name_holds_commas_or_glob_characters_is_one_folder(tmp_path):
    odd, other = tmp_path / "a,b [1]*", tmp_path / "c"
    for number, folder in enumerate((odd, other)):
        (folder / "train").mkdir(parents=True)
        records.write_npz_record(folder / "train" / "x.npz", {"value": number})
    assert mixed_sets.split_folders(f"{odd},{other}") == [str(odd), str(other)]
    assert mixed_sets.split_folders(f"{other}, {odd}") == [str(other), str(odd)]
    opened = mixed_sets.open_folders(f"{odd},{other}")
    assert [opened.read(index)["value"] for index in range(2)] == [0, 1]
