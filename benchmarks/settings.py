"""Train many settings with fastw2v and gensim, and print those that fall short on held-out text."""

import argparse
import datetime
import json
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from math import isfinite, nan
from pathlib import Path
from statistics import fmean
from typing import Any

from harness import machine, results
from harness.corpora import CORPORA, DATA, Corpus
from harness.held_out import Predictions, Rows, Vocabulary, share_of_own_topic
from harness.side_by_side import (
    GENSIM,
    SMALLEST_STEP,
    Trained,
    error_text,
    train_fastw2v,
    train_gensim,
    train_smallest_step,
)
from harness.sweep import SETTINGS, SHORT, Setting

from fastw2v.evaluation import evaluate_pairs

LOSS_MARGIN = 0.01  # nats, of each loss that a setting adds up
SHARE_MARGIN = 0.05
SHARE_EXPECTED, SHARE_NEEDED = 0.95, 0.9  # where gensim reaches the first, fastw2v needs the second
SPEARMAN_MARGIN = 1.0  # points: 100 x rho
NORM_FACTOR = 3.0
PAIR_FILES = ("ws353.tsv", "simlex999.tsv", "men3000.tsv")
HEADS = ["setting", "shortfall", "our loss", "peer's", "peer", "our largest norm", "peer's"]

Run = dict[str, Any]


class Comparison:
    """A setting and its corpus, ready for training with both systems."""

    def __init__(self, setting: Setting, corpus: Corpus) -> None:
        self.setting, self.corpus = setting, corpus
        self.peer = GENSIM if setting.gensim_has_it else SMALLEST_STEP
        self.vocabulary = Vocabulary.of(corpus, setting.settings["min_count"])
        self.predictions = Predictions.draw(setting, corpus, self.vocabulary)

    def run(self, system: str, seed: int) -> Run:
        """Train with a system and measure the result; an error becomes part of the record."""
        train = {GENSIM: train_gensim, SMALLEST_STEP: train_smallest_step}.get(
            system, train_fastw2v
        )
        try:
            trained = train(self.setting, self.corpus, self.vocabulary, seed)
        except Exception as error:  # any error is the result of this setting
            return {"seed": seed, "error": error_text(error)}
        return {"seed": seed, **self._measures(trained)}

    def _measures(self, trained: Trained) -> Run:
        rows = trained.rows
        measures: Run = {
            "loss": self.predictions.loss(rows),
            "zero_loss": self.predictions.loss_of_zeros(rows),
            "largest_norm": rows.largest_norm,
        }
        if self.corpus.topics:
            measures["share"] = share_of_own_topic(rows, self.vocabulary, self.corpus.topics)
        if self.setting.with_pairs:
            measures["spearman"] = mean_spearman(rows, self.vocabulary)
        # JSON has no non-finite numbers.
        found = {name: value if isfinite(value) else None for name, value in measures.items()}
        return found | {"seconds": round(trained.seconds, 3), **trained.resolved}


def mean_spearman(rows: Rows, vocabulary: Vocabulary) -> float:
    """Return 100 x the mean rank correlation with the word-pair files."""
    paths = [DATA / "eval" / name for name in PAIR_FILES]
    found = [evaluate_pairs(vocabulary.words, rows.inputs, path).spearman for path in paths]
    return 100 * fmean(found)


def values(runs: Sequence[Run], name: str) -> list[float]:
    """Return a measure of each run, NaN if the run failed or the value is not finite."""
    return [nan if run.get(name) is None else run[name] for run in runs]


def spread(found: Sequence[float]) -> float:
    """Return the largest minus the smallest."""
    return max(found) - min(found)


def fault(ours: Sequence[Run], peers: Sequence[Run]) -> str:
    """Return how a setting fails regardless of the peer's loss, "" if it does not."""
    for run in ours:
        if "error" in run:
            return str(run["error"])
        if run["loss"] is None or run["largest_norm"] is None:
            return "not finite"
    largest = max(values(peers, "largest_norm"))
    for run in ours:
        if run["largest_norm"] > NORM_FACTOR * largest and run["loss"] > run["zero_loss"]:
            return "worse than zero vectors"
    return ""


def loss_gap(ours: Sequence[Run], peers: Sequence[Run]) -> tuple[float, float]:
    """Return our mean loss minus the peer's, and the larger of the two spreads over seeds."""
    mine, other = values(ours, "loss"), values(peers, "loss")
    return fmean(mine) - fmean(other), max(spread(mine), spread(other))


def gap(ours: Sequence[Run], peers: Sequence[Run], margin: float = LOSS_MARGIN) -> str:
    """Return the measures whose mean falls short of the peer's, as text, "" if there are none."""
    found = []
    difference, noise = loss_gap(ours, peers)
    if difference > max(margin, noise):
        found.append("loss")
    mine, other = (fmean(values(runs, "share")) for runs in (ours, peers))
    is_lost = other >= SHARE_EXPECTED and mine < SHARE_NEEDED
    if is_lost or mine < other - SHARE_MARGIN:
        found.append(f"topic {mine:.2f} ({other:.2f})")
    mine, other = (fmean(values(runs, "spearman")) for runs in (ours, peers))
    if mine < other - SPEARMAN_MARGIN:
        found.append(f"Spearman {mine:.1f} ({other:.1f})")
    return ", ".join(found)


def hidden_by_spread(result: dict[str, Any]) -> float:
    """Return the spread over seeds if it alone keeps the loss from falling short, else 0."""
    if result["short"]:
        return 0.0
    difference, noise = loss_gap(result["ours"], result["peer"])
    return noise if difference > result.get("loss_margin", LOSS_MARGIN) else 0.0


class PeerFigures:
    """Runs of the installed gensim version from earlier result files."""

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self._runs: dict[tuple[str, ...], Run] = {}
        for path in paths:
            earlier = json.loads(path.read_text())
            if earlier["gensim"] != version("gensim"):
                continue
            for result in earlier["results"]:
                if result["peer_name"] == GENSIM:
                    self._runs |= {_key(result, run["seed"]): run for run in result["peer"]}

    def find(self, record: dict[str, Any], seed: int) -> Run | None:
        """Return the run of the same setting, corpus and seed, None if there is none."""
        return self._runs.get(_key(record, seed)) if record["peer_name"] == GENSIM else None


def _key(record: dict[str, Any], seed: int) -> tuple[str, ...]:
    names = ("name", "settings", "corpus_hash")
    return (*(json.dumps(record[name]) for name in names), str(seed))


def compare(comparison: Comparison, figures: PeerFigures, seeds: Sequence[int]) -> dict[str, Any]:
    """Return the record of a setting; trains more seeds only if the first one falls short."""
    start = time.perf_counter()
    setting = comparison.setting
    ours: list[Run] = []
    peers: list[Run] = []
    record = {
        "name": setting.name,
        "settings": setting.settings,
        "corpus_hash": comparison.corpus.fingerprint,
        "n_words": len(comparison.vocabulary.words),
        "n_predictions": len(comparison.predictions),
        "peer_name": comparison.peer,
        "loss_margin": LOSS_MARGIN * (setting.is_hs + setting.is_ns),
    }
    for seed in seeds:
        peers.append(figures.find(record, seed) or comparison.run(comparison.peer, seed))
        ours.append(comparison.run("fastw2v", seed))
        note = fault(ours, peers)
        if note:
            break
        note = gap(ours, peers, record["loss_margin"])
        if not note:
            break
    return record | {
        "short": note,
        "seconds": round(time.perf_counter() - start, 1),
        "ours": ours,
        "peer": peers,
    }


def line(result: dict[str, Any]) -> str:
    """Return the printed line of a setting."""
    ours, peer = (fmean(values(result[side], "loss")) for side in ("ours", "peer"))
    verdict = "SHORT" if result["short"] else "ok   "
    note = f" {result['short']}" if result["short"] else ""
    if noise := hidden_by_spread(result):
        note = f" within the spread of {noise:.3f}"
    losses = f"{ours:.3f} ({result['peer_name']} {peer:.3f})"
    return f"{verdict} {result['name']} - {losses}{note} [{result['seconds']:.1f} s]"


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return a table of the settings that fell short."""
    rows = [HEADS]
    for result in found:
        mine, other = result["ours"], result["peer"]
        cells = [
            f"{number:.{digits}f}" if isfinite(number) else results.NONE
            for name, digits in (("loss", 3), ("largest_norm", 1))
            for number in (fmean(values(mine, name)), fmean(values(other, name)))
        ]
        rows.append([result["name"], result["short"], *cells[:2], result["peer_name"], *cells[2:]])
    return results.plain_table(rows)


class CorpusInUse:
    """Holds the current corpus.  Settings are sorted by corpus, and each corpus is read once."""

    def __init__(self) -> None:
        self._name, self._corpus = "", None

    def get(self, name: str) -> Corpus | None:
        """Return a corpus by name, None if its data is missing."""
        if name != self._name:
            try:
                self._corpus = CORPORA[name]()
            except FileNotFoundError:
                self._corpus = None
            self._name = name
        return self._corpus


def chosen(args: argparse.Namespace) -> list[Setting]:
    """Return the selected settings, grouped by corpus."""
    settings = SHORT if args.short else SETTINGS
    if args.only:
        settings = [s for s in settings if any(text in s.name for text in args.only)]
    order = list(CORPORA)
    return sorted(settings, key=lambda setting: order.index(setting.corpus))


def sweep(settings: Sequence[Setting], args: argparse.Namespace) -> tuple[list[dict], int]:
    """Train all settings and print a line for each; return the records and the number skipped."""
    figures, corpora = PeerFigures(args.peer_from), CorpusInUse()
    found: list[dict[str, Any]] = []
    n_skipped = 0
    head = {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine.describe(),
        "compiler": machine.compiler(),
        "fastw2v": version("fastw2v"),
        "gensim": version("gensim"),
    }
    for setting in settings:
        corpus = corpora.get(setting.corpus)
        if corpus is None:
            n_skipped += 1
            continue
        comparison = Comparison(setting, corpus)
        found.append(compare(comparison, figures, range(1, args.seeds + 1)))
        print(line(found[-1]), flush=True)
        if args.out:
            results.write_json(args.out, head | {"results": found})
    return found, n_skipped


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", metavar="TEXT", help="only settings whose names contain one of these")
    add("--short", action="store_true", help="only the settings of the tests (generated corpora)")
    add("--list", action="store_true", help="print the names of the settings and exit")
    add("--seeds", type=int, default=3, help="maximum seeds if the first falls short (3)")
    add("--peer-from", nargs="+", default=[], type=Path, metavar="FILE.json",
        help="reuse gensim's runs from these earlier results")  # fmt: skip
    add("--out", type=Path, help="JSON file, written after every setting")
    return parser.parse_args()


def main() -> int:
    """Compare, print and write; return 1 if any setting fell short."""
    args = parse_arguments()
    settings = chosen(args)
    if args.list:
        print("\n".join(setting.name for setting in settings))
        return 0
    found, n_skipped = sweep(settings, args)
    short = [result for result in found if result["short"]]
    if short:
        print(f"\n{table(short)}")
    if n_hidden := sum(hidden_by_spread(result) > 0 for result in found):
        print(f"{n_hidden} more lose over {LOSS_MARGIN} nats, but within the spread over seeds")
    skipped = f", {n_skipped} skipped: no data" if n_skipped else ""
    print(f"{len(short)} of {len(found)} settings fell short{skipped}")
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
