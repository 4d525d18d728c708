"""What the benchmarks compute, on small numbers: the work counted, medians, ratios, charts."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

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


@pytest.mark.parametrize("draw", [charts.speed_chart, charts.quality_chart])
def test_charts_are_well_formed_and_name_every_system(draw):
    text = draw(results.summarise(RUNS))
    ElementTree.fromstring(text)
    for system in ("fastw2v", "gensim", "fastText"):
        assert system in text


def test_charts_lie_beside_the_results_and_bear_their_name(tmp_path):
    written = charts.draw(tmp_path / "wiki.json", results.summarise(RUNS), "sg-ns", ["sg-ns"])
    assert [path.name for path in written] == ["wiki-speed.svg", "wiki-quality.svg"]
    assert all(path.exists() for path in written)


def test_the_table_tells_how_many_runs_there_were():
    rows = results.table_rows(results.summarise(RUNS))
    assert dict(zip(rows[0], rows[1], strict=True))["runs"] == "2"


def test_every_backend_has_a_peak_to_be_held_against():
    assert {vectors_of(backend) for backend in fastw2v.backends()} <= LANES.keys()
