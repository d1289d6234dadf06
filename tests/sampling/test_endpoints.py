"""A study whose samples a server draws: prepared, planned and refused before anything is drawn."""

import json
from pathlib import Path

import pytest

from distlab.config.compose import compose_config
from distlab.config.door import validate
from distlab.config.values import Study
from distlab.errors import UserError
from distlab.prompts.messages import messages_of
from distlab.sampling.engine_jobs import plan_jobs
from distlab.sampling.prepare import prepare
from distlab.store.store import Store
from tests.engines.openai_server import NAME, Script, serving


def study(url: str, *overrides: str) -> Study:
    """Greedy chat completions by a model that only the server has."""
    served = [
        f"model.{variant}.{key}"
        for variant in ("base", "instruct")
        for key in (f"id={NAME}", "source=server")
    ]
    return validate(
        compose_config(
            [
                *("cluster=endpoint", f"cluster.base_url={url}", "model=pair", *served),
                *("model.parameters=7e9", "model.max_model_len=256", "decoding.max_tokens=32"),
                *(
                    "dataset=gsm-symbolic",
                    "dataset.sets.gsm-symbolic.options.pairs=1",
                    "prompt=zero-shot",
                ),
                *("decoding.base=[]", "decoding.instruct=[greedy,t0.6]", "decoding.n=3"),
                *overrides,
            ]
        )
    )


def test_chat_messages_are_planned_without_a_tokenizer(tmp_path: Path) -> None:
    with serving(Script(version="0.32.0")) as server:
        made = study(server.url)
        prepared = prepare(made, Store.open(str(tmp_path)))
    greedy, drawn = prepared.cells
    assert [len(cell.requests) for cell in prepared.cells] == [2, 2]
    assert messages_of(greedy.requests[0].prompt_ids).turns[0]["role"] == "user"
    fields = json.loads(greedy.fields.canonical())
    assert (fields["vllm"], fields["weights"]) == ("vllm 0.32.0", f"declared:{NAME}")
    assert fields["endpoint"] == {"api": "chat", "sampling": "all parameters sent"}
    # A server's samples are independent requests.
    assert drawn.fields.sampler is None
    assert any("as declared, and not proven" in note for note in prepared.notes)
    (job,) = plan_jobs(prepared.cells, made.cluster, (), "run")
    assert job.settings.endpoint is not None
    assert (job.settings.group.gpus_per_rank, job.settings.endpoint.chat) == (0, True)


def test_where_the_server_is_changes_no_address_and_what_it_says_it_is_does(
    tmp_path: Path,
) -> None:
    def addresses(script: Script) -> list[str]:
        with serving(script) as server:
            cells = prepare(study(server.url), Store.open(str(tmp_path))).cells
            return [planned.cell.fingerprint for planned in cells]

    assert addresses(Script()) == addresses(Script())
    assert set(addresses(Script())).isdisjoint(addresses(Script(version="0.33.0")))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["decoding.base=[greedy]"], "cannot draw base/greedy: it takes chat messages alone"),
        (["decoding.instruct=[cot]"], "cannot draw instruct/cot: it gives chat messages alone"),
    ],
)
def test_arms_that_the_server_cannot_draw_are_refused(
    tmp_path: Path, overrides: list[str], sentence: str
) -> None:
    with serving(Script()) as server, pytest.raises(UserError, match=sentence):
        prepare(study(server.url, *overrides), Store.open(str(tmp_path)))
