"""LLM: the answer that a small model reads off a completion, as the paper does with Qwen3-0.6B.

The model sees the completion alone, cut where it runs on into a new question; never the question,
never the gold. Its outputs are made by an engine before scoring
(``distlab.sampling.readings``) and stored like any samples, under the hash of the text that it was
shown; scoring looks them up.

As for ``rules``, tokens decide where a chat turn ends, and the text only where they do not tell.

The paper's prompt is not public: this one is ours, and so are the cut and the parsing.
"""

from typing import Any

from distlab.errors import UserError
from distlab.problems.problem import GoldKind
from distlab.scoring.extractors.rules import Rules
from distlab.scoring.reading import ReadingModel, text_key
from distlab.scoring.types import Extraction

REQUEST = """Here is a solution that somebody wrote to a problem:

<solution>
{solution}
</solution>

Which final answer does the solution state? Copy the answer alone, as short as possible, without \
words around it and without solving anything. If it states no answer, write: none"""

# Output that says that there is no answer, in lower case and without punctuation.
_NOTHING = frozenset({"", "none", "no answer", "n/a", "null", "nothing"})
_WRAPPING = " \t*_`\"'“”"


class LLM:
    """Looks up what the model read; the `llm` extractor.

    Args:
        store: Uri of the sample store; filled in by the run.
        cell: Folder of the readings inside the store; filled in by the run.
        chat_template_kwargs: As in ``ReadingModel``.
        **reader: The other fields of ``ReadingModel``.
    """

    name = "llm"
    request = REQUEST

    def __init__(
        self,
        store: str | None = None,
        cell: str | None = None,
        chat_template_kwargs: dict[str, Any] | None = None,
        **reader: Any,  # noqa: ANN401
    ) -> None:
        kwargs = tuple(sorted((chat_template_kwargs or {}).items()))
        self.reader = ReadingModel(chat_template_kwargs=kwargs, **reader)
        self._store = store
        self._cell = cell
        self._outputs: dict[str, str] | None = None
        self._rules = Rules()
        # The folder's last part is the fingerprint of model, prompt and settings.
        self.version = f"2:{(cell or '').rpartition('/')[2]}:{self._rules.version}"

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        """What the model read off ``text``; offsets are 0 where it does not stand there literally.

        Raises:
            LookupError: The text was never read.
        """
        return self._looked_up(text, kind, self._rules.extract(text, kind).cut)

    def extract_turn(self, text: str, kind: GoldKind) -> Extraction:
        """As ``extract``; a line that names a role ("user") is the model's own.

        Raises:
            LookupError: The text was never read.
        """
        return self._looked_up(text, kind, self._rules.extract_turn(text, kind).cut)

    def shown(self, text: str) -> str:
        """The part of a completion that the model is shown; empty where nothing is to be read."""
        return text[: self._rules.extract(text, GoldKind.LATEX).cut].strip()

    def shown_turn(self, text: str) -> str:
        """As ``shown``, of a text that is one turn."""
        return text[: self._rules.extract_turn(text, GoldKind.LATEX).cut].strip()

    def _looked_up(self, text: str, kind: GoldKind, cut: int) -> Extraction:
        shown = text[:cut].strip()
        if not shown:
            return Extraction(None, 0, 0, cut)
        answer = self._parse(self._load()[text_key(shown)], kind)
        if answer is None:
            return Extraction(None, 0, 0, cut)
        start = max(0, text.rfind(answer, 0, cut))
        end = start + len(answer) if text.startswith(answer, start) else 0
        return Extraction(answer, start if end else 0, end, cut)

    def _load(self) -> dict[str, str]:
        if self._outputs is None:
            # Imported late: the store pulls in more than an extractor should.
            from distlab.store.store import Store

            if self._store is None or self._cell is None:
                raise UserError(
                    "the extractor llm reads with a model and this run has no readings of it: "
                    "run `distlab.run` with extractor=[rules,llm]"
                )
            table = Store.look(self._store).cell(self._cell).samples(["problem_id", "text"])
            self._outputs = dict(zip(*(table.column(i).to_pylist() for i in range(2)), strict=True))
        return self._outputs

    def _parse(self, output: str, kind: GoldKind) -> str | None:
        """The answer in the model's output: by rules where it wrote a sentence, else its line."""
        line = next((part.strip() for part in output.splitlines() if part.strip()), "")
        if line.strip(_WRAPPING + ".").lower() in _NOTHING:
            return None
        found = self._rules.extract(line, kind).answer
        return found if found is not None else line.strip(_WRAPPING)
