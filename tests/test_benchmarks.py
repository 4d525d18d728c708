"""What the benchmarks compute, on small numbers: the work counted, medians, ratios, charts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import reference
from kernel_case import EPOCH_KEY, Case, make_chunk

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
if not BENCHMARKS.exists():
    pytest.skip("the benchmarks are not part of this copy", allow_module_level=True)
sys.path.insert(0, str(BENCHMARKS))

import charts  # noqa: E402
from harness import results  # noqa: E402
from harness.limits import LANES, vectors_of  # noqa: E402
from harness.multiply_adds import Kept, multiply_adds  # noqa: E402

import fastw2v  # noqa: E402
from fastw2v.errors import MissingPackageError  # noqa: E402
from fastw2v.training.parameters import Parameters  # noqa: E402

DIM = 20


@pytest.mark.parametrize("program", sorted(path.name for path in BENCHMARKS.glob("*.py")))
def test_every_program_starts(program):
    command = [sys.executable, str(BENCHMARKS / program), "--help"]
    assert "usage" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def reference_multiply_adds(case, block):
    """The definition: three times dim for each pair of an input and an output it meets."""
    s = case.settings
    met = block.p + block.q > 0
    if s.objective == "ns":
        wanted, paired = block.p > 0, (block.p > 0).any(axis=1)
        pairs = wanted.sum() + paired.sum() * s.block_noise
    else:
        pairs = met.sum()
    sums = sum(len(bag) for bag in block.bags) if s.is_cbow else 0
    return 3 * DIM * pairs + 2 * DIM * sums


@pytest.mark.parametrize("arch", ["sg", "cbow"])
@pytest.mark.parametrize("objective", ["ns", "hs"])
def test_multiply_adds_are_those_of_the_reference_blocks(arch, objective):
    case = Case(arch, objective, DIM, bias=False)
    chunk = make_chunk(case.rng, case.n_words, margin=0)
    kept = reference.keep(chunk, case.settings, case.tables(), EPOCH_KEY)
    s = case.settings
    parameters = Parameters(
        vector_size=DIM,
        sg=arch == "sg",
        objective=objective,
        window=s.window,
        negative=s.negative,
        block_centres=s.block_centres,
        block_noise=s.block_noise,
    )
    lengths = None if case.paths is None else case.paths.code_lengths
    arrays = Kept(np.array(kept.ids), np.array(kept.begin), np.array(kept.end))
    n_predictions, n_multiply_adds = multiply_adds(arrays, parameters, lengths)
    blocks = case.blocks(chunk)
    assert n_predictions == sum(block.n_predictions for block in blocks)
    assert n_multiply_adds == sum(reference_multiply_adds(case, block) for block in blocks)


def run_record(system, repeat, train, job, model="sg-ns"):
    return {
        "system": system,
        "model": model,
        "repeat": repeat,
        "train_seconds": train,
        "job_seconds": job,
        "peak_bytes": 2**20,
        "words_per_second": 1e6 / train if train else None,
        "job_words_per_second": 1e6 / job,
        "quality": {"analogies": 30.0 + repeat},
    }


RUNS = [
    run_record("fastw2v", 0, 1.0, 2.0),
    run_record("gensim", 0, 10.0, 12.0),
    run_record("fasttext", 0, None, 24.0),
    run_record("fastw2v", 1, 2.0, 4.0),
    run_record("gensim", 1, 60.0, 64.0),
    run_record("fasttext", 1, None, 20.0),
]


def test_ratios_are_taken_repeat_by_repeat():
    mine = results.summarise(RUNS)[0]
    assert (mine["train_ratio"]["min"], mine["train_ratio"]["max"]) == (10.0, 30.0)
    assert mine["train_ratio"]["median"] == 20.0
    assert mine["job_ratio"]["median"] == 11.0


def test_a_measure_that_a_system_has_not_is_a_dash():
    rows = results.table_rows(results.summarise(RUNS))
    fasttext = dict(zip(rows[0], rows[3], strict=True))
    assert fasttext["M words/s"] == "-"
    assert fasttext["training / gensim"] == "-"
    assert fasttext["analogies"] == "30.5"


# ---- charts ----


def test_charts_show_medians_the_fastest_system_first():
    summaries = results.summarise([*RUNS, run_record("gensim", 0, 1.0, 1.0, model="cbow-ns")])
    assert charts.bars(summaries, "sg-ns") == [
        ("fastw2v", 0.375, 0.75),
        ("gensim", pytest.approx((1 / 12 + 1 / 64) / 2), pytest.approx((1 / 10 + 1 / 60) / 2)),
        ("fasttext", pytest.approx((1 / 24 + 1 / 20) / 2), None),
    ]
    assert charts.points(summaries, ["sg-ns"]) == [
        ("fastw2v", "sg-ns", 3.0, 30.5),
        ("gensim", "sg-ns", 38.0, 30.5),
        ("fasttext", "sg-ns", 22.0, 30.5),
    ]


def test_the_speed_chart_draws_its_numbers_with_their_unit():
    pytest.importorskip("matplotlib", reason="matplotlib, which draws the charts, is missing")
    (axes,) = charts.speed_chart(results.summarise(RUNS)).axes
    assert axes.get_xlabel() == "million words per second"
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "fastw2v", "gensim", "fastText"
    ]  # fmt: skip
    widths = {round(bar.get_width(), 3) for bar in axes.patches}
    assert widths == {0.375, 0.75, 0.049, 0.058, 0.046}
    assert [text.get_text() for text in axes.texts] == [
        "0.38, training 0.75", "0.05, training 0.06", "0.05"
    ]  # fmt: skip


def test_the_quality_chart_draws_its_points_with_their_units():
    pytest.importorskip("matplotlib", reason="matplotlib, which draws the charts, is missing")
    (axes,) = charts.quality_chart(results.summarise(RUNS)).axes
    assert axes.get_xlabel() == "whole job, seconds (logarithmic scale)"
    assert axes.get_ylabel() == "analogies answered correctly, %"
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert drawn == {
        "fastw2v, skip-gram": [[3.0, 30.5]],
        "gensim, skip-gram": [[38.0, 30.5]],
        "fastText, skip-gram": [[22.0, 30.5]],
    }


def test_charts_lie_beside_the_results_and_are_the_same_each_time(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib, which draws the charts, is missing")
    drawn = []
    for _ in range(2):
        written = charts.draw(tmp_path / "wiki.json", results.summarise(RUNS), "sg-ns", ["sg-ns"])
        assert [path.name for path in written] == ["wiki-speed.svg", "wiki-quality.svg"]
        drawn.append([path.read_bytes() for path in written])
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("name", ["wiki100M-one-epoch-epyc", "wiki100M-one-epoch-xeon"])
def test_the_charts_in_results_are_of_the_numbers_beside_them(name):
    path = BENCHMARKS / "results" / f"{name}.json"
    summaries = json.loads(path.read_text())["summary"]
    chart = path.with_name(f"{name}-speed.svg").read_text()
    for row in charts.bars(summaries, "sg-ns"):
        assert charts.label_of(row) in chart
    chart = path.with_name(f"{name}-quality.svg").read_text()
    for row in charts.points(summaries, ["sg-ns", "cbow-ns"]):
        assert f">{charts.name_of(row.system)}, {charts.MODEL_NAMES[row.model]}<" in chart


def test_charts_without_matplotlib_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"^drawing charts .*'fastw2v\[bench\]'$"):
        charts.draw(tmp_path / "wiki.json", results.summarise(RUNS), "sg-ns", ["sg-ns"])


def test_the_table_tells_how_many_runs_there_were():
    rows = results.table_rows(results.summarise(RUNS))
    assert dict(zip(rows[0], rows[1], strict=True))["runs"] == "2"


def test_every_backend_has_a_peak_to_be_held_against():
    assert {vectors_of(backend) for backend in fastw2v.backends()} <= LANES.keys()
