"""A Plan in; its table, notes and prompts on the terminal out."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from distlab.plan.records import CellPlan, Plan, ShownPrompt, Spread
from distlab.report.escape import plain, terminal
from distlab.samples.cell import Cell

# Titles of the columns after the cell's; the numbers are counts of samples, problems and tokens.
_NUMBERS = (
    "problems",
    "too\nlong",
    "in\nstore",
    "missing",
    "prompt tokens\nmin/median/max",
    "new tokens\nat most",
)


def render_plan(plan: Plan, console: Console, *, prompts: bool = True) -> None:
    """Print what a run would do.

    Args:
        plan: The numbers.
        console: Where to print; text of datasets and models is escaped.
        prompts: Print the rendered prompts too.
    """
    for note in plan.notes:
        _say(console, f"note: {note}")
    _say(console, f"{plan.family} · {len(plan.cells)} cells · store {plan.store}")
    console.print(_table(plan))
    totals = plan.totals
    _say(
        console,
        f"{totals.missing} samples to draw, {totals.held} in the store · "
        f"at most {totals.max_new_tokens} new tokens",
    )
    for shown in plan.prompts if prompts else ():
        _prompt(shown, console)


def _say(console: Console, line: str) -> None:
    console.print(terminal(line, None), soft_wrap=True)


def _table(plan: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, show_footer=True)
    # Folded, not cut: a name or fingerprint that is cut cannot be looked up.
    table.add_column("arm\ndataset/prompt\nfingerprint", "total", overflow="fold")
    totals = plan.totals
    sums = (totals.problems, totals.too_long, totals.held, totals.missing)
    footers = (*map(str, sums), "", str(totals.max_new_tokens))
    for title, footer in zip(_NUMBERS, footers, strict=True):
        table.add_column(title, footer, justify="right", overflow="fold")
    for cell in plan.cells:
        table.add_row(_label(cell.cell), *_numbers(cell))
    return table


def _label(cell: Cell) -> Text:
    lines = (cell.arm, f"{cell.dataset}/{cell.prompt}", cell.fingerprint)
    return Text("\n").join(terminal(line, None) for line in lines)


def _numbers(cell: CellPlan) -> tuple[str, ...]:
    counts = (cell.problems, cell.too_long, cell.held, cell.missing)
    return (*map(str, counts), _spread(cell.prompt_tokens), str(cell.max_new_tokens))


def _spread(spread: Spread) -> str:
    return f"{spread.least}/{spread.median:g}/{spread.greatest}"


def _prompt(shown: ShownPrompt, console: Console) -> None:
    """A prompt keeps its line ends; every other control character is written out."""
    console.print()
    _say(console, f"prompt · {shown.dataset} · {shown.prompt} · {shown.variant}")
    _say(console, f"problem {shown.problem_id} · {shown.tokens} tokens · {_bos(shown)}")
    _say(console, f"stop strings: {' '.join(map(_quoted, shown.stop)) or 'none'}")
    for line in shown.text.split("\n"):
        _say(console, f"│ {line}")


def _bos(shown: ShownPrompt) -> str:
    if shown.bos is None:
        return "the tokenizer has no BOS"
    return f"{shown.bos_count} BOS {_quoted(shown.bos)}, {shown.bos_leading} in front"


def _quoted(text: str) -> str:
    return f'"{plain(text, None)}"'
