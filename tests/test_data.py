"""Records, examples and batches: what is skipped, paired, and resumed."""

import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from vasa_jax import data
from vasa_jax.data import examples, pipeline, records
from vasa_jax.errors import UserError

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Numbers(tfds.core.GeneratorBasedBuilder):
    """Twelve records of four identities."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "clip_id": tfds.features.Text(),
                    "identity": tfds.features.Text(),
                    "video": tfds.features.Scalar(np.object_),
                    "value": tfds.features.Tensor(shape=(None,), dtype=np.float32),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        noise = np.random.default_rng(0)
        for i in range(12):
            yield (
                f"clip{i}",
                {
                    "clip_id": f"clip{i}",
                    "identity": f"person{i % 4}",
                    "video": noise.bytes(4000) + b"\0",
                    "value": np.full(3, i, np.float32),
                },
            )


@pytest.fixture(scope="module")
def tfds_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    Numbers(data_dir=folder, file_format="array_record").download_and_prepare()
    return folder


def _memory_records(count=12, identities=4):
    return records.ListRecords(
        {
            "clip_id": f"clip{i}",
            "identity": f"person{i % identities}",
            "performance": f"speech{i // identities}",
            "value": np.float32(i),
        }
        for i in range(count)
    )


def _value(rng, record):
    return {"value": record["value"], "noise": rng.normal(size=2).astype(np.float32)}


def _take(batches, count):
    return [next(batches) for _ in range(count)]


def _assert_equal(first, second):
    for a, b in zip(first, second, strict=True):
        assert sorted(a) == sorted(b)
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_a_tfds_folder_gives_texts_bytes_and_arrays(tfds_folder):
    found = records.open_folder(tfds_folder, "train")
    all_read = [found.read(i) for i in range(len(found))]
    assert sorted(r["clip_id"] for r in all_read) == sorted(
        f"clip{i}" for i in range(12)
    )
    first = all_read[0]
    number = int(first["clip_id"].removeprefix("clip"))
    np.testing.assert_array_equal(first["value"], np.full(3, number, np.float32))
    assert isinstance(first["video"], bytes) and len(first["video"]) == 4001
    assert found.read(0, ["identity"]) == {"identity": f"person{number % 4}"}


def test_a_tfds_folder_may_have_commas_and_glob_characters_in_its_name(
    tfds_folder, tmp_path
):
    odd = tmp_path / "a,b [1] *{2}?"
    shutil.copytree(tfds_folder, odd)
    found, expected = (records.open_folder(folder) for folder in (odd, tfds_folder))
    assert len(found) == len(expected)
    assert found.read(3)["clip_id"] == expected.read(3)["clip_id"]


def test_an_unknown_split_is_refused_with_those_that_there_are(tfds_folder):
    with pytest.raises(UserError, match=r"no split 'tets'; it has train"):
        records.open_folder(tfds_folder, "tets")


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(UserError, match="no data set"):
        records.open_folder(tmp_path / "missing")


def test_npz_records_return_what_was_written(tmp_path):
    record = {
        "clip_id": "a",
        "video": b"\x01\x00\x00",
        "value": np.arange(3.0),
        "count": 4,
    }
    (tmp_path / "train").mkdir()
    records.write_npz_record(tmp_path / "train" / "a.npz", record)
    found = records.open_folder(tmp_path, "train")
    read = found.read(0)
    np.testing.assert_array_equal(read.pop("value"), record.pop("value"))
    assert read == record


def test_corrupt_tfds_records_are_skipped_and_named(tfds_folder, tmp_path):
    folder = tmp_path / "1.0.0"
    folder.mkdir()
    for file in pathlib.Path(tfds_folder).glob("numbers/1.0.0/*"):
        content = bytearray(file.read_bytes())
        if "train" in file.name:
            content[9000:9040] = bytes(40)
        (folder / file.name).write_bytes(content)
    found = records.open_folder(folder)
    drawn = examples.RecordExamples(found, _value)
    rows = [drawn.draw(np.random.default_rng(i), i) for i in range(12)]
    skipped = [row[data.SKIPPED_FIELD] for row in rows if row[data.SKIPPED_FIELD]]
    assert len(skipped) == 1 and skipped[0].startswith("1.0.0/train[")


def test_broken_content_is_skipped_and_named(tmp_path):
    def refuse_three(rng, record):
        if record["value"] == 3:
            raise UserError("the video is broken.")
        return _value(rng, record)

    drawn = examples.RecordExamples(_memory_records(), refuse_three)
    row = drawn.draw(np.random.default_rng(0), 3)
    assert row[data.SKIPPED_FIELD] == "record 3"
    assert row["value"] != 3


def test_a_set_of_broken_records_stops_with_the_first_reason(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.npz").write_bytes(b"no zip")
    drawn = examples.RecordExamples(records.NpzRecords(tmp_path), _value)
    with pytest.raises(UserError, match="records in a row cannot be read"):
        drawn.draw(np.random.default_rng(0), 0)


def test_pairs_hold_one_identity_and_another():
    def names(rng, same, other):
        del rng
        return {
            "same": np.array([record["identity"] for record in same]),
            "clips": np.array([record["clip_id"] for record in same]),
            "other": np.array(other["identity"]),
        }

    drawn = examples.PairExamples(_memory_records(), names, num_same=3)
    for seed in range(40):
        row = drawn.draw(np.random.default_rng(seed), seed % 12)
        assert set(row["same"]) == {f"person{seed % 4}"}
        assert len(set(row["clips"])) == 3
        assert row["clips"][0] == f"clip{seed % 12}" == row[data.RECORD_FIELD]
        assert row["other"] not in row["same"]


def test_every_other_identity_is_met():
    drawn = examples.PairExamples(
        _memory_records(), lambda rng, same, other: {"other": other["identity"]}
    )
    rng = np.random.default_rng(0)
    met = {drawn.draw(rng, 3)["other"] for _ in range(60)}
    assert met == {"person0", "person1", "person2"}


def test_the_other_record_shares_the_performance_where_it_can():
    drawn = examples.PairExamples(
        _memory_records(),
        lambda rng, same, other: {
            "agree": same[0]["performance"] == other["performance"],
            "differ": same[0]["identity"] != other["identity"],
        },
        match_field="performance",
    )
    rows = [drawn.draw(np.random.default_rng(i), i) for i in range(12)]
    assert all(row["agree"] and row["differ"] for row in rows)


def test_pairs_of_a_single_identity_are_refused():
    with pytest.raises(UserError, match="at least 2"):
        examples.PairExamples(_memory_records(identities=1), lambda *_: {})


@pytest.mark.parametrize("num_threads", [0, 2])
def test_batches_do_not_depend_on_threads_and_resume_where_they_were(num_threads):
    drawn = examples.RecordExamples(_memory_records(), _value)

    def make(threads):
        return pipeline.training_batches(
            drawn,
            batch_size=5,
            seed=1,
            settings=pipeline.PipelineConfig(num_threads=threads),
        )

    expected = _take(make(0), 6)
    batches = make(num_threads)
    _assert_equal(_take(batches, 3), expected[:3])
    position = batches.get_state()
    resumed = make(num_threads)
    resumed.set_state(position)
    _assert_equal(_take(resumed, 3), expected[3:])
    resumed.close()
    batches.close()


def test_an_epoch_shows_each_record_once_and_the_next_in_another_order():
    drawn = examples.RecordExamples(_memory_records(), _value)
    batches = pipeline.training_batches(
        drawn, batch_size=6, seed=1, settings=pipeline.PipelineConfig()
    )
    values = np.concatenate([batch["value"] for batch in _take(batches, 4)])
    batches.close()
    assert sorted(values[:12]) == sorted(values[12:]) == list(range(12))
    assert values[:12].tolist() != values[12:].tolist()


def test_a_position_of_another_layout_is_refused():
    drawn = examples.RecordExamples(_memory_records(), _value)
    settings = pipeline.PipelineConfig(num_threads=0)
    batches = pipeline.training_batches(drawn, batch_size=4, seed=1, settings=settings)
    state = batches.get_state()
    state["layout"] = {**state["layout"], "num_workers": 2}
    with pytest.raises(UserError, match="num_workers"):
        batches.set_state(state)


@pytest.mark.slow
def test_worker_processes_give_the_same_batches_and_resume():
    drawn = examples.RecordExamples(_memory_records(), _value)

    def make(workers):
        return pipeline.training_batches(
            drawn,
            batch_size=5,
            seed=1,
            settings=pipeline.PipelineConfig(num_workers=workers),
        )

    expected = _take(make(0), 4)
    batches = make(2)
    _assert_equal(_take(batches, 2), expected[:2])
    position = batches.get_state()
    batches.close()
    resumed = make(2)
    resumed.set_state(position)
    _assert_equal(_take(resumed, 2), expected[2:])
    resumed.close()


PLAIN_SCRIPT = """
import numpy as np
from absl import flags

from vasa_jax.data import examples, pipeline, records

OWN_FLAG = flags.DEFINE_integer("own_flag", 1, "Of the user's script.", lower_bound=0)


def _value(rng, record):
    return {"value": record["value"] + rng.normal()}


def _sum_of_a_batch(num_workers):
    drawn = examples.RecordExamples(
        records.ListRecords({"value": np.float32(i)} for i in range(8)), _value
    )
    settings = pipeline.PipelineConfig(num_workers=num_workers)
    batches = pipeline.training_batches(drawn, batch_size=4, seed=0, settings=settings)
    batch = next(batches)
    batches.close()
    return batch["value"].sum()


if __name__ == "__main__":
    assert _sum_of_a_batch(num_workers=2) == _sum_of_a_batch(num_workers=0)
    assert not flags.FLAGS.is_parsed()
    try:
        print(OWN_FLAG.value)
    except flags.UnparsedFlagAccessError:
        print("not parsed yet")
    flags.FLAGS(["script", "--own_flag=3", "--grain_py_debug_mode"])
    print(OWN_FLAG.value, flags.FLAGS.grain_py_debug_mode)
    assert _sum_of_a_batch(num_workers=2) == _sum_of_a_batch(num_workers=0)
"""


@pytest.mark.slow
def test_workers_serve_a_script_that_parses_no_flags_or_parses_them_later(tmp_path):
    (tmp_path / "script.py").write_text(PLAIN_SCRIPT)
    run = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        env={**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["not parsed yet", "3 True"]


def test_evaluation_batches_are_the_same_each_time():
    drawn = examples.RecordExamples(_memory_records(), _value)
    first = list(pipeline.evaluation_batches(drawn, batch_size=5))
    second = list(pipeline.evaluation_batches(drawn, batch_size=5))
    assert len(first) == 2
    _assert_equal(first, second)
    with pytest.raises(UserError, match="fewer than the batch size"):
        pipeline.evaluation_batches(drawn, batch_size=13)


def test_an_npz_file_that_was_written_anew_is_read_anew(tmp_path):
    path = tmp_path / "clip.npz"
    records.write_npz_record(path, {"clip_id": "a", "values": np.arange(3)})
    opened = records.NpzRecords(tmp_path)
    first = opened.read(0)
    assert first["clip_id"] == "a" and not first["values"].flags.writeable
    records.write_npz_record(path, {"clip_id": "b", "values": np.arange(50)})
    assert opened.read(0)["clip_id"] == "b" and len(opened.read(0)["values"]) == 50
