import pytest

from distlab.config.compose import compose_config, conf_folder
from distlab.config.door import validate
from distlab.config.sweeps import set_apart, sweep_jobs
from distlab.errors import UserError

FAMILIES = (
    *("qwen3-0.6b", "qwen3-8b", "qwen3-14b", "smollm-3b"),
    *("llama3-3b", "llama3-70b", "deepseek-v3.1", "kimi-k2"),
)
EXPERIMENTS = sorted(file.stem for file in (conf_folder() / "experiment").glob("*.yaml"))


def test_a_plain_command_line_is_one_job() -> None:
    assert sweep_jobs(["decoding.n=2", "dataset=[gsm8k,math-500]"]) == [
        ("decoding.n=2", "dataset=[gsm8k,math-500]")
    ]


def test_values_with_commas_are_crossed() -> None:
    jobs = sweep_jobs(["seed=1", "decoding.n=2,3", "prompt=qa,zero-shot"])
    assert len(jobs) == 4
    assert jobs[0] == ("seed=1", "decoding.n=2", "prompt=qa")
    assert set_apart(jobs)[3] == ("decoding.n=3", "prompt=zero-shot")
    assert set_apart(jobs[:1]) == [jobs[0]]


@pytest.mark.parametrize("name", ["paper", "controls", *(f"finding-{i}" for i in range(1, 6))])
def test_an_experiment_sweeps_the_eight_families_and_what_is_typed_takes_their_place(
    name: str,
) -> None:
    jobs = sweep_jobs([f"+experiment={name}"])
    assert [job[0] for job in jobs] == [f"model={family}" for family in FAMILIES]
    (one,) = sweep_jobs([f"+experiment={name}", "model=qwen3-8b"])
    assert set(one) == {"model=qwen3-8b", f"+experiment={name}"}


def test_reruns_are_two_seeds_under_two_batch_sizes_each_with_a_name_of_its_own() -> None:
    jobs = sweep_jobs(["+experiment=reruns", "model=qwen3-8b"])
    studies = [validate(compose_config(list(job))) for job in jobs]
    assert {(s.seed, s.cluster.max_num_seqs, s.replicate) for s in studies} == {
        (seed, size, str(size)) for seed in (0, 1) for size in (256, 16)
    }


def test_a_swept_override_that_cannot_be_read_is_one_sentence() -> None:
    with pytest.raises(UserError, match="cannot be read"):
        sweep_jobs(["decoding.n=2,,"])


def cells(*overrides: str) -> set[tuple[str, str, str, str]]:
    study = validate(compose_config(overrides))
    return {
        (arm.variant, arm.decoding.name, dataset.name, prompt.name)
        for arm in study.arms
        for dataset in study.datasets
        for prompt in study.prompts
    }


def test_the_paper_is_four_datasets_two_prompts_and_two_arms() -> None:
    made = cells("+experiment=paper", "model=qwen3-8b")
    assert len(made) == 16
    assert {cell[:2] for cell in made} == {("base", "cot"), ("instruct", "t0.05")}
    assert {cell[2] for cell in made} == {"gsm8k", "medcalc", "math-500", "math-perturb-hard"}


def test_the_controls_are_the_full_grid_over_all_that_the_paper_has() -> None:
    made = cells("+experiment=controls", "model=qwen3-8b")
    assert cells("+experiment=paper", "model=qwen3-8b") < made
    methods = {"greedy", "cot", "t0.05", "t0.6"}
    assert {cell[:2] for cell in made} == {(v, m) for v in ("base", "instruct") for m in methods}


def test_the_drop_needs_no_base_arm() -> None:
    made = cells("+experiment=finding-3", "model=qwen3-8b")
    assert {cell[0] for cell in made} == {"instruct"}


def test_evaluators_are_compared_on_the_same_samples() -> None:
    study = validate(compose_config(["+experiment=finding-5", "model=qwen3-8b"]))
    assert len(study.extractors) == 2
    assert len(study.graders) == 3


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_composes_with_every_kind_of_override(name: str) -> None:
    study = validate(
        compose_config(
            [
                *(f"+experiment={name}", "model=smollm2-135m-packaged", "dataset=[gsm-symbolic]"),
                *("prompt=[qa]", "decoding=greedy", "extractor=rules", "grader=standard"),
                *("dataset.limit=3", "seed=7", "cluster.max_num_seqs=3"),
            ]
        )
    )
    assert [dataset.name for dataset in study.datasets] == ["gsm-symbolic"]
    assert [prompt.name for prompt in study.prompts] == ["qa"]
    assert {arm.decoding.name for arm in study.arms} == {"greedy"}
    assert (study.seed, study.cluster.max_num_seqs) == (7, 3)
