"""A run with hostile samples, scored by the real extractor and graders, without Ray."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from distlab.decoding.cot import CoT
from distlab.decoding.decoder import Decoder
from distlab.decoding.interface import Sample
from distlab.decoding.stochastic import Stochastic
from distlab.problems import Gold, GoldKind, Problem, write_problems
from distlab.prompts import Prompt, Turn
from distlab.runs.folder import RunFolder
from distlab.runs.manifest import Manifest
from distlab.scoring.pieces import CellSource, SourceProblem, divide
from distlab.scoring.pool import PoolSettings
from distlab.scoring.score_piece import GraderFacts, Scorer, ScoringJob
from distlab.scoring.types import ComponentSpec
from distlab.store.batches import to_batch
from distlab.store.cell import Cell
from distlab.store.fingerprint import CellFields
from distlab.store.kept_prompts import KeptPrompt, keep_prompts
from distlab.store.store import CellWriter, Store, cell_path
from distlab.view.__main__ import _listen
from distlab.view.app import make_app

CONFIG = {
    "extractor": {
        "use": {
            "rules": {"target": "distlab.scoring.extractors.rules:Rules"},
            "uncut": {
                "target": "distlab.scoring.extractors.rules:Rules",
                "options": {"cut": False},
            },
        }
    },
    "grader": {
        "use": {
            "standard": {"target": "distlab.scoring.graders.standard:Standard"},
            "prm800k": {"target": "distlab.scoring.graders.prm800k:PRM800K"},
        }
    },
}

# What matters here of a report: links that its style shows where the view serves it, and scripts.
REPORT = """<!DOCTYPE html>
<html lang="en">
<head><title>report</title>
<style>.look { display: none } .in-view .look { display: inline }</style></head>
<body><a class="look" href="samples?truncated=yes">its samples</a>
<script>
document.title = self.origin;
fetch("/samples").catch(() => document.title += " alone");
</script>
"""
SCRIPT = "<script>document.title = 'owned'; fetch('http://evil.example/')</script>"
HOSTILE = (
    SCRIPT + "<img src=x onerror=alert(1)></div></pre><h1>not a heading</h1>",
    "\x1b[31mred\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\u202egnp.exe\u2066 \u200bzero \x00nul \x85next \u2028line",
    "{{ 7 * 7 }} {% raw %} ${7*7} &lt;b&gt; &amp; \" ' `",
    "The answer is 7.\n\nQ: What is 2 + 2?\nA: The answer is 4.",
    "",
    "x" * 5_000_000 + " The answer is 7.",
    "=HYPERLINK(1) The answer is 7.",
)
# What the arms say on the second problem; base is never right.
PLAIN = {
    "base": ("The answer is 11.", "The answer is 13.", "I do not know.", "The answer is 14"),
    "instruct": (r"So it is \boxed{12}.", "The answer is 12.", "The answer is 1.", "12"),
}
PROBLEMS = (
    Problem(
        "tricky/1&<b>",
        "d",
        f"What is 3 + 4? {SCRIPT}\nThink.",
        Gold(GoldKind.NUMBER, "7"),
        "c",
        strata={"level": "5"},
    ),
    Problem("plain", "d", r"What is $3 \times 4$?", Gold(GoldKind.NUMBER, "12"), "c"),
)


def _cell(variant: str, decoding: str, n: int) -> tuple[Cell, CellFields]:
    kind: type[Decoder] = CoT if decoding == "cot" else Stochastic
    weights = f"{variant}-weights"
    fields = CellFields(
        "m", weights, "bfloat16", None, "d", "0", {}, (), kind.kind, 1.0, 1.0, 9, 0, "vllm 0"
    )
    path = cell_path("fam", variant, decoding, "d", "zero-shot", fields.fingerprint())
    labels = ("fam", variant, decoding, kind.kind, "d", "zero-shot")
    cell = Cell(*labels, n, fields.fingerprint(), path, order=kind.order, deltas=kind.margins)
    return cell, fields


def _sample(problem: Problem, rank: int, text: str, *, branch: bool) -> Sample:
    return Sample(
        problem_id=problem.id,
        rank=rank,
        prompt_ids=(1, 2, 3),
        token_ids=(rank + 5, 9),
        text=text,
        truncated=rank == 1,
        seed=None if branch else rank,
        first_token_logprob=-0.5 if branch else None,
        margins=(0.5, 0.25) if branch else None,
        # The first token is the text's first character, the second all that fits the rest.
        token_lengths=(1, min(len(text), 10_000)) if branch else None,
    )


def _prompt(problem: Problem) -> Prompt:
    turns = (Turn("system", f"Be brief. {SCRIPT}\u202e"), Turn("user", problem.question))
    text = "".join(f"<|{turn.role}|>{turn.content}" for turn in turns)
    return Prompt(problem.id, text, (1, 2, 3), (), turns)


def make_scored_run(folder: Path) -> Path:
    """Two arms of two problems: eight hostile samples and four plain ones each."""
    run = RunFolder(folder / "run")
    run.path.mkdir()
    write_problems(run.problems("d"), PROBLEMS)
    store = Store.open(str(folder / "store"))
    cells = [_cell("base", "cot", 8), _cell("instruct", "t0.6", 8)]
    for cell, fields in cells:
        stored = store.cell(cell.path)
        stored.create(fields)
        writer = CellWriter(stored)
        for problem, texts in zip(PROBLEMS, (HOSTILE, PLAIN[cell.variant]), strict=True):
            branch = cell.kind == "cot"
            rows = [_sample(problem, rank, t, branch=branch) for rank, t in enumerate(texts)]
            writer.add(to_batch(rows, "run"))
            writer.flush()
        if cell.variant == "instruct":
            keep_prompts(stored, [KeptPrompt.of(_prompt(problem)) for problem in PROBLEMS])
    notes = (f"One note with {SCRIPT}",)
    manifest = Manifest(
        "run", "distlab", store.root, tuple(c for c, _ in cells), config=CONFIG, notes=notes
    )
    run.write_manifest(manifest)
    _score(run, manifest, store)
    run.html.write_text(REPORT)
    return run.path


def _score(run: RunFolder, manifest: Manifest, store: Store) -> None:
    specs = {
        group: tuple(
            ComponentSpec(name, spec["target"], spec.get("options", {}))
            for name, spec in CONFIG[group]["use"].items()
        )
        for group in CONFIG
    }
    graders = tuple(map(GraderFacts.of, specs["grader"]))
    scorer = Scorer(ScoringJob(run.verdicts, specs["extractor"], graders, PoolSettings(), None))
    run.verdicts.mkdir()
    golds = {problem.id: SourceProblem(problem.gold) for problem in PROBLEMS}
    try:
        for cell in manifest.cells:
            shards = store.cell(cell.path).shards()
            for piece in divide(CellSource(cell.key, shards, cell.n, golds), "test"):
                scorer.score(piece)
    finally:
        scorer.close()


@pytest.fixture(scope="session")
def scored_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run; tests leave it as it is."""
    return make_scored_run(tmp_path_factory.mktemp("view"))


@pytest.fixture(scope="session")
def address(scored_run: Path) -> Iterator[str]:
    """Where the run is served, over real sockets."""
    listener = _listen(0)
    server = uvicorn.Server(
        uvicorn.Config(make_app([scored_run]), log_level="error", lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    listener.close()
