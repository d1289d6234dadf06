"""A Plan in; its verdict, table, engines, notes and prompts on the terminal out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.console import Console

from distlab.console.printing import say
from distlab.console.progress import format_seconds
from distlab.engines.splitting import WORTH_WIDENING, Alternative
from distlab.errors import counted
from distlab.escape import plain
from distlab.placement.gpus import GIB
from distlab.placement.memory import Fit, gib
from distlab.placement.placement import Node, Parallelism, Placement
from distlab.plan.plan import CellPlan, EnginePlan, Plan, ShownPrompt, Totals, totals
from distlab.tables.column import Column, Columns, label
from distlab.tables.numbers import DASH
from distlab.tables.terminal import print_table


@dataclass(frozen=True, slots=True)
class _Line:
    """The cells of a dataset under a prompt, as one line of the table."""

    cells: tuple[CellPlan, ...]

    @property
    def totals(self) -> Totals:
        return totals(self.cells)

    @property
    def arms(self) -> str:
        return ", ".join(dict.fromkeys(cell.arm for cell in self.cells))


def render_plan(plan: Plan, console: Console, *, prompts: bool = True) -> None:
    """Print the verdict, a line per dataset and prompt, and then what it rests on.

    Args:
        plan: The numbers.
        console: Where to print; text of datasets and models is escaped.
        prompts: Print the rendered prompts too.
    """
    for line in _verdict(plan):
        say(console, line)
    _table(plan, console)
    for note in plan.notes:
        say(console, f"note: {note}")
    for line in () if plan.engines.servers else _engines(plan.engines, plan.cells):
        say(console, line)
    say(console, _disk(plan.totals, plan.engines))
    for shown in plan.prompts if prompts else ():
        _prompt(shown, console)


def _verdict(plan: Plan) -> Iterator[str]:
    """Whether it fits and on what, what there is to draw, how long, and what is not known."""
    engines = plan.engines
    if engines.servers:
        at_once = f"at most {engines.limits.sequences} completions of a checkpoint at once"
        yield f"{plan.family} is drawn by {' and '.join(engines.servers)}, {at_once}"
    else:
        yield _fits(plan)
    yield _draws(plan.totals)
    yield _time(plan.totals, engines)
    if plan.totals.held is None:
        yield (
            "not known · what the store holds, how long prompts are and which are too long: some "
            "cannot be rendered here, as the notes say"
        )


def _fits(plan: Plan) -> str:
    engines, group = plan.engines, plan.engines.group
    gpus = f"{group.ranks} x {group.gpu_type or 'GPU'}"
    takes = gpus if group.gpus_per_rank else f"{group.ranks * group.cpus_per_rank:g} cores"
    count = len(engines.placements)
    places = f"{count} engine{'s' if count > 1 else ''} of {takes} at once"
    return f"{plan.family} fits: {places if count else f'no room now for an engine of {takes}'}"


def _lines(plan: Plan) -> list[_Line]:
    groups: dict[tuple[str, str], list[CellPlan]] = {}
    for cell in plan.cells:
        groups.setdefault((cell.dataset, cell.prompt), []).append(cell)
    return [_Line(tuple(cells)) for cells in groups.values()]


def _table(plan: Plan, console: Console) -> None:
    title = f"{counted(len(plan.cells), 'cell')} · store {plan.store}"
    lines = _lines(plan)
    # A column of nothing but question marks says what the verdict says once.
    kept = [
        column
        for column in _COLUMNS
        if any(column.text(line) not in (_UNKNOWN, DASH) for line in lines)
    ]
    print_table(console, title, kept, lines)


def _count(number: float | None) -> str:
    return _UNKNOWN if number is None else f"{number:,.0f}"


def _spread(line: _Line) -> str:
    """Shortest and longest prompt of any arm."""
    known = [cell.prompt_tokens for cell in line.cells if cell.prompt_tokens is not None]
    if not known:
        return _UNKNOWN
    return f"{min(each.least for each in known)}–{max(each.greatest for each in known)}"


def _expected(line: _Line) -> str:
    expected = line.totals.expected_new_tokens
    return DASH if expected is None else f"{expected:,.0f}"


_UNKNOWN: Final = "?"
# Other splits to show, of those that run as they are and of those that a user has to ask for.
_RUNNERS_UP: Final = 2
_COLUMNS: Final[Columns[_Line]] = (
    label("dataset", lambda line: line.cells[0].dataset),
    label("prompt", lambda line: line.cells[0].prompt),
    label("arms", lambda line: line.arms, spare=6),
    Column("problems", lambda line: _count(line.cells[0].problems), spare=1),
    Column("too long", lambda line: _count(line.totals.too_long), spare=4),
    Column("in store", lambda line: _count(line.totals.held), spare=3),
    Column("to draw", lambda line: _count(line.totals.missing)),
    Column("prompt tokens", _spread, spare=5),
    Column("new tokens at most", lambda line: _count(line.totals.max_new_tokens)),
    Column("new tokens expected", _expected, spare=2),
)


def _engines(engines: EnginePlan, cells: tuple[CellPlan, ...]) -> Iterator[str]:
    """Cluster, split, places and memory."""
    yield f"cluster · {_nodes(engines.nodes)}"
    group, count = engines.group, len(engines.placements)
    takes = f"{group.ranks} x {group.gpu_type or 'GPU'}, " if group.gpus_per_rank else ""
    cores = f"{group.ranks * group.cpus_per_rank:g} cores"
    yield f"engine · {group.parallelism} · takes {takes}{cores}"
    yield f"replicas · {_replicas(count, len(engines.checkpoints))}"
    if engines.replicas is not None and count < engines.replicas:
        yield f"  cluster.replicas={engines.replicas}, and there is room for {count} now"
    yield from _places(engines.placements)
    yield from _memory(engines, cells)
    yield f"step · {_limits(engines)}"
    yield from _runners_up(engines)
    if (load_s := engines.load_s) is not None:
        yield (
            f"loading · {format_seconds(load_s)} to read a checkpoint at "
            f"{engines.disk_gb_per_s:g} GB/s per node (cluster.load_format says how)"
        )


def _nodes(nodes: tuple[Node, ...]) -> str:
    """Nodes that are alike together: "a1, a2: 96 cores, 8 x H100"."""
    alike: dict[str, list[str]] = {}
    for node in nodes:
        has = f"{node.cpus:g} cores"
        has += f", {node.gpus} x {node.gpu_type or 'GPU'}" if node.gpus else ""
        taken = [f"{node.used_gpus} GPUs"] if node.used_gpus else []
        taken += [f"{node.used_cpus:g} cores"] if node.used_cpus else []
        has += f" ({' and '.join(taken)} taken)" if taken else ""
        alike.setdefault(has, []).append(node.name)
    return "; ".join(f"{', '.join(names)}: {has}" for has, names in alike.items())


def _replicas(count: int, checkpoints: int) -> str:
    if count == 0:
        return "no room now: a run waits until an engine's place is free"
    if checkpoints == 1:
        return f"{count} of one checkpoint"
    if count < checkpoints:
        return f"{count} at once: the {checkpoints} checkpoints run one after the other"
    return f"{count} at once, shared by {checkpoints} checkpoints side by side"


def _places(placements: tuple[Placement, ...]) -> Iterator[str]:
    """Where each goes; those that go to one node the same way together."""
    first = 1
    for placement, alike in groupby(placements):
        last = first + len(list(alike)) - 1
        numbers, each = (first, "") if first == last else (f"{first} to {last}", " each")
        yield f"  {numbers} · {_place(placement)}{each}"
        first = last + 1


def _place(placement: Placement) -> str:
    return ", ".join(
        f"{name}: {ranks} rank{'s' if ranks > 1 else ''}" for name, ranks in placement.ranks
    )


def _memory(engines: EnginePlan, cells: tuple[CellPlan, ...]) -> Iterator[str]:
    fit = engines.fit
    if fit is None:
        yield "memory · not checked: the model's facts or the GPU's memory are not known"
        return
    yield (
        f"memory of the fullest rank · {gib(fit.weights)} weights + {gib(fit.overhead)} overhead "
        f"(our estimate) + {gib(fit.kv_cache)} KV cache, of {gib(fit.usable)}"
    )
    yield (
        f"KV cache · {fit.kv_bytes_per_token:,} bytes per token{_window(fit)}, {fit.tokens:,} "
        f"tokens: {_sequences(engines, fit.max_model_len)} of {fit.max_model_len:,} tokens at once"
    )
    if (length := _expected_length(cells)) is not None:
        yield f"  {_sequences(engines, length)} of {length:,.0f} tokens, as long as those sampled"


def _window(fit: Fit) -> str:
    """What of the cache is bounded."""
    if not fit.window:
        return ""
    bounded = fit.windowed_kv_bytes_per_token
    return f" ({bounded:,} of them in layers that keep the last {fit.window:,} tokens)"


def _sequences(engines: EnginePlan, length: float) -> str:
    assert engines.fit is not None
    held = engines.fit.sequences(length)
    most = engines.limits.sequences
    if held > most:
        return f"{most:,} sequences (cluster.max_num_seqs; it has room for {held:,})"
    return counted(held, "sequence")


def _limits(engines: EnginePlan) -> str:
    limits = engines.limits
    tokens = "" if limits.tokens is None else f", {limits.tokens:,} tokens with prompts"
    return f"at most {counted(limits.sequences, 'sequence')}{tokens}"


def _runners_up(engines: EnginePlan) -> Iterator[str]:
    """The best other splits, with what they would draw beside the one chosen."""
    if not engines.alternatives:
        return
    yield (
        "other splits · samples per GPU-hour beside this one, modelled and not measured; a wider "
        f"one is taken from {WORTH_WIDENING:g} x on"
    )
    for other in _worth_showing(engines):
        worth = "?" if other.worth is None else f"{other.worth:.2f}"
        remarks = _remarks(other, engines.group.parallelism)
        yield (
            f"  {worth} x · {other.parallelism} · {other.fit.tokens:,} tokens of KV cache"
            f"{f' · {remarks}' if remarks else ''}"
        )


def _worth_showing(engines: EnginePlan) -> list[Alternative]:
    """The best of those that run as they are, and of those that a user has to ask for."""
    chosen, others = engines.group.parallelism, engines.alternatives
    asked = [other for other in others if _remarks(other, chosen)]
    contexts = (1, chosen.context)
    plain = [o for o in others if not _remarks(o, chosen) and o.parallelism.context in contexts]
    shown = [*plain[:_RUNNERS_UP], *asked[:_RUNNERS_UP]]
    return [other for other in others if other in shown]


def _remarks(other: Alternative, chosen: Parallelism) -> str:
    # The chosen split stands among the others for another cache alone.
    parts = ["cluster.engine_args={kv_cache_dtype: fp8} changes samples"] * (
        other.parallelism == chosen
    )
    parts += ["not run by distlab"] * (other.parallelism.data > 1)
    return ", ".join(parts)


def _expected_length(cells: tuple[CellPlan, ...]) -> float | None:
    """Prompt and answer of the longest cell that has samples."""
    lengths = [
        cell.prompt_tokens.median + cell.mean_new_tokens
        for cell in cells
        if cell.prompt_tokens is not None and cell.mean_new_tokens is not None
    ]
    return max(lengths, default=None)


def _draws(totals: Totals) -> str:
    held = "an unknown number" if totals.held is None else f"{totals.held:,}"
    return (
        f"{counted(totals.missing, 'sample')} to draw from {counted(totals.prompts, 'prompt')}, "
        f"{held} in the store · "
        f"at most {totals.max_new_tokens:,} new tokens{_about(totals.expected_new_tokens)}"
    )


def _disk(totals: Totals, engines: EnginePlan) -> str:
    if engines.servers:
        return f"disk · at most {_size(totals.max_bytes)} of samples, before compression"
    files = (
        f"{len(engines.checkpoints)} x {gib(engines.weight_bytes)} of weights where the hub cache "
        "is (on every node, unless it is shared)"
        if engines.weight_bytes is not None
        else "the weights"
    )
    return f"disk · {files} + at most {_size(totals.max_bytes)} of samples, before compression"


def _about(tokens: float | None) -> str:
    return "" if tokens is None else f", about {tokens:,.0f} expected"


def _time(totals: Totals, engines: EnginePlan) -> str:
    """Hours at the stated throughput: of the bound, and of what is expected."""
    if engines.tokens_per_s is None:
        return "time · not known: set cluster.tokens_per_s (new tokens/s of one engine), or --probe"
    spans = [("at most", float(totals.max_new_tokens))]
    if totals.expected_new_tokens is not None:
        spans.append(("about", totals.expected_new_tokens))
    computed = totals.expected_computed_tokens
    if computed is not None and computed != totals.expected_new_tokens:
        spans.append(("with siblings drawn together, as those in the store, about", computed))
    parts = [f"{word} {_hours(engines, tokens)}" for word, tokens in spans]
    return f"time · at {engines.tokens_per_s:g} tokens/s per engine: {'; '.join(parts)}"


def _hours(engines: EnginePlan, tokens: float) -> str:
    alone, clock = engines.engine_hours(tokens), engines.hours(tokens)
    assert alone is not None
    group = engines.group
    work = f"{alone * group.ranks:.3g} GPU-hours" if group.gpus_per_rank else f"{alone:.3g} hours"
    return work if clock is None else f"{work}, {format_seconds(clock * 3600)} on the clock"


def _size(size: int) -> str:
    return gib(size) if size >= GIB // 10 else f"{size / 2**20:.1f} MiB"


def _prompt(shown: ShownPrompt, console: Console) -> None:
    """A prompt keeps its line ends; every other control character is written out."""
    console.print()
    say(console, f"prompt · {shown.dataset} · {shown.prompt} · {shown.variant}")
    length = f"{shown.tokens} tokens · {_bos(shown)}" if shown.tokens else "chat messages"
    say(console, f"problem {shown.problem_id} · {length}")
    say(console, f"stop strings: {' '.join(map(_quoted, shown.stop)) or 'none'}")
    for line in shown.text.split("\n"):
        say(console, f"│ {line}")


def _bos(shown: ShownPrompt) -> str:
    if shown.bos is None:
        return "the tokenizer has no BOS"
    return f"{shown.bos_count} BOS {_quoted(shown.bos)}, {shown.bos_leading} in front"


def _quoted(text: str) -> str:
    return f'"{plain(text, None)}"'
