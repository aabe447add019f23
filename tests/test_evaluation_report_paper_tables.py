"""The paper's tables: their numbers, how ours are laid beside them, what is missing."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from vasa_jax import errors, media
from vasa_jax.animate.controls import Controls
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import paper_benchmark, video_generator
from vasa_jax.evaluation.metrics import definition, face_movement, registry
from vasa_jax.evaluation.networks import contrastive
from vasa_jax.evaluation.report import paper_comparison, paper_figures, score_report

ROOT = pathlib.Path(__file__).parent.parent


def report_of(**summaries):
    """A report whose lines are known."""
    known = registry.make(registry.Settings())
    rows = {key: row for metric in known for key, row in metric.rows.items()}
    rows["own"] = definition.Row(title="S_C (own)")
    lines = {
        key: score_report.Line(row=rows[key], summary=summary)
        for key, summary in summaries.items()
    }
    lines["fvd"] = score_report.Line(row=rows["fvd"], not_measured="needs a file")
    return score_report.Report(lines=lines, clips={}, about={})


def test_the_papers_rows_fill_the_papers_columns_and_agree_with_each_other():
    for number in (1, 2, 5):
        table = paper_figures.TABLES[number]
        symbols = {column.symbol for column in table.columns}
        values = [row for _, row in (*table.paper_values, *table.settings) if row]
        for row in values:
            assert set(row) <= symbols
            assert not any("own" in symbol for symbol in row)
    second = dict(paper_figures.TABLES[2].paper_values)["VASA-1"]
    fifth = {s.title: row for s, row in paper_figures.TABLES[5].settings}
    default = fifth["λ_A 0.5, λ_g 1, 50 steps"]
    assert {symbol: default[symbol] for symbol in second} == second
    assert (
        paper_figures.TABLES[3].paper_values[0]
        == paper_figures.TABLES[4].paper_values[1.0]
    )


def test_our_numbers_stand_below_the_papers_and_what_lacks_is_named():
    report = report_of(
        delta_pose=definition.Summary(
            mean=0.25, low=0.2, high=0.3, ceiling=0.4, num_clips=3
        ),
        own=definition.Summary(mean=5.0, num_clips=1),
    )
    filled = paper_comparison.fill(
        2, paper_figures.TABLES[2], {paper_figures.DEFAULT: report}, "3 clips of 4.0 s"
    )
    text = paper_comparison.to_markdown([filled], ["a note"], "a list")
    assert "| | S_C ↑ | S_C (own) ↑ | S_D ↓ | S_D (own) ↓ | CAPP ↑ |" in text
    assert "without zeros" not in text
    assert "| VASA-1 (paper) | 7.957 | - | 6.635 | - | 0.465 | - | 0.316 |" in text
    assert (
        "| **this checkpoint, default settings** | - | 5.000 | - | - | - | - | "
        "0.250 (0.200 to 0.300) | - |"
    ) in text
    row = "| **the benchmark's own video, measured alike** |" + " - |" * 6 + " 0.400 |"
    assert row in text
    assert "clips; rows in bold on a list, 3 clips of 4.0 s." in text
    assert "Rows of (paper) are measured on 32 clips of a minute" in text
    # The originals stand first.
    assert text.index(row) < text.index("| MakeItTalk (paper)")
    # Where an original has no score, that is said.
    assert "\n\nS_C (own): no original was given that can be scored" in text
    assert "- FVD25: needs a file" in text
    assert "- S_C, S_D, S_D (own), CAPP (own): there is no metric of this name" in text
    assert "- CAPP: needs the paper's network" in text
    assert "VGG16" not in text
    stored = json.loads(paper_comparison.to_json([filled], ["a note"], {"seed": 0}))
    row = stored["tables"][0]["rows"][-1]
    assert (row["origin"], row["cells"]["ΔP"]["num_clips"]) == ("ours", 3)


def test_each_setting_of_the_ablation_stands_below_the_papers_row_for_it():
    table = paper_figures.TABLES[5]
    reports = {
        setting: report_of(gaze=definition.Summary(mean=float(place), num_clips=1))
        for place, (setting, _) in enumerate(table.settings)
    }
    rows = paper_comparison.fill(5, table, reports).rows
    assert [row.origin for row in rows[:5]] == ["real", *["paper", "ours"] * 2]
    assert rows[1].name == "λ_A 0, λ_g 0, 50 steps (paper)"
    assert [row.cells["E_g"].value for row in rows[2::2]] == list(range(7))
    assert len(rows) == 2 * 7 + 1
    asked = [paper_benchmark.controls_of(setting, 4) for setting in reports]
    assert (asked[-1].num_steps, asked[-1].audio_guidance) == (10, 0.5)
    assert (asked[5].audio_guidance, asked[5].seed) == (2.0, 4)


def test_the_successor_stands_in_a_table_of_its_own_under_its_own_name():
    table = paper_figures.TABLES[6]
    about = "S_C by SyncNet averages zeros in."
    report = report_of(
        **{
            "sync/confidence": definition.Summary(mean=6.0, num_clips=1, about=about),
            "sync/confidence_inside": definition.Summary(mean=7.0, about=about),
        }
    )
    filled = paper_comparison.fill(6, table, {paper_figures.DEFAULT: report})
    text = paper_comparison.to_markdown([filled], [], "a list")
    assert text.count(about) == 1
    assert "Rows of (arXiv 2606.01620) are measured on HDTF" in text
    row = "| VASA-1's successor (arXiv 2606.01620) | 8.943 | - | - | 6.286 | - | 0.699 "
    assert row in text
    assert "| **this checkpoint, default settings** | 6.000 | 7.000 |" in text
    assert report.comparing == [about]


def test_capp_is_laid_beside_the_papers_by_shift_or_says_why_not():
    table = paper_figures.TABLES[3]
    favour = contrastive.favour(None)
    filled = paper_comparison.fill_sanity(
        3, table, {0: 0.5, 8: 0.1}, {0: 4, 8: 2}, None, favour
    )
    text = paper_comparison.to_markdown([filled], [], "a list")
    assert "| | 0 | ±1 | ±2 | ±3 | ±4 | ±8 |" in text
    assert "rows in bold on a list, 2 to 4 clips a column." in text
    own = (
        "| **the benchmark's own video, CAPP (own)** | 0.500 | - | - | - | - | 0.100 |"
    )
    assert text.index(own) < text.index("| real video, CAPP (paper) |")
    assert "- ±1, ±2, ±3, ±4: no clip is long enough" in text
    assert text.endswith(f"\n\n{favour}\n")
    without = paper_comparison.fill_sanity(3, table, {}, {}, "needs a network", favour)
    assert without.missing == {"CAPP (own)": "needs a network"}
    assert favour not in paper_comparison.to_markdown([without], [], "a list")


def test_every_table_with_an_own_score_says_whom_it_favours():
    favour = contrastive.favour(None)
    score = definition.Summary(mean=0.3, num_clips=1, about=favour)
    report = report_of(own=score)
    filled = [
        paper_comparison.fill(
            number, table, {setting: report for setting, _ in table.settings}
        )
        for number, table in paper_figures.TABLES.items()
        if isinstance(table, paper_figures.Table)
    ]
    assert len(filled) == 4
    text = paper_comparison.to_markdown(filled, [], "a list")
    for part in text.split("### ")[1:]:
        assert favour in part


def test_a_folder_of_persons_is_a_benchmark(tmp_path):
    for name in ("id1/a/00001.mp4", "id1/b/00001.mp4", "id0/a/00001.mp4", "notes.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    items = video_generator.find_items(str(tmp_path))
    assert [i.name for i in items] == ["id0-a-00001", "id1-a-00001", "id1-b-00001"]
    assert items[0].reference == tmp_path / "id0" / "a" / "00001.mp4"
    ends = [item.name for item in video_generator.spread_items(items, 2)]
    assert ends == ["id0-a-00001", "id1-b-00001"]
    (tmp_path / "id2").mkdir()
    with pytest.raises(errors.UserError, match="holds 0 videos"):
        video_generator.find_items(str(tmp_path / "id2"))


def test_records_become_videos_once(tmp_path, voice):
    frames = np.zeros((10, 32, 32, 3), np.uint8)
    record = {
        "clip_id": "clip",
        "video": media.encode_video(frames),
        "audio": np.int16(voice[: 10 * 640] * 32767),
    }
    opened = records.ListRecords([record])
    (item,) = video_generator.items_of_records(opened, tmp_path, None)
    assert item.name == "clip"
    assert media.probe_video(item.reference).has_sound
    before = item.reference.stat().st_mtime_ns
    assert video_generator.items_of_records(opened, tmp_path, 5) == [item]
    assert item.reference.stat().st_mtime_ns == before


def test_a_table_is_filled_from_files_and_a_clip_without_a_face_is_named(
    tmp_path, tiny_checkpoint, rendered_photo, voice
):
    photo = rendered_photo[:, 48:-48]
    for name, image in (("face", photo), ("nobody", 0 * photo)):
        path = tmp_path / f"{name}.mp4"
        with media.VideoWriter(path, 288, 288, waveform=voice[: 10 * 640]) as out:
            out.write(np.repeat(image[None], 10, axis=0))
    for name in ("videos", "clips"):
        (tmp_path / name).mkdir()
    items = video_generator.find_items(str(tmp_path / "*.mp4"))
    generator = video_generator.Generator(
        tiny_checkpoint, tmp_path / "videos", Controls()
    )
    assert generator.default_steps == 2
    result = paper_benchmark.fill(
        {n: paper_figures.TABLES[n] for n in (1, 3)},
        items,
        generator,
        [face_movement.PoseChange(), face_movement.Blinks()],
        paper_benchmark.Options(cache_dir=tmp_path / "clips", num_samples=2),
    )
    assert list(result.default.left_out) == ["nobody"]
    assert list(result.default.report.lines) == ["delta_pose", "delta_pose/spread"]
    assert len(list((tmp_path / "videos").glob("face.*.mp4"))) == 3
    first, third = result.tables
    # Nothing was taught to the tiny model, so it paints no face.
    assert "no frame shows a face" in first.missing["ΔP"]
    assert "CAPP (own)" in third.missing
    assert (first.clips, third.clips) == ("1 clips of 0.4 s on average", "")
    notes = " ".join(result.notes)
    assert "nobody was left out: No face was found" in notes
    assert "2 samples of each voice" in notes
    alone = [item for item in items if item.name == "nobody"]
    with pytest.raises(errors.UserError, match="None of the 1 lines"):
        paper_benchmark.fill(
            {1: paper_figures.TABLES[1]},
            alone,
            generator,
            [],
            paper_benchmark.Options(cache_dir=tmp_path / "clips"),
        )


def test_the_program_refuses_an_unknown_table_in_one_sentence(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "experiments.tables"),
            *(f"--output={tmp_path / 'out'}", "--benchmark=a", "--tables=7"),
        ],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: Unknown table '7';")
    assert not (tmp_path / "out").exists()
