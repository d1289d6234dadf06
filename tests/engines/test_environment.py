import os
from dataclasses import replace

import pytest

from distlab.engines.environment import VLLM_BINDING, prepare
from distlab.engines.messages import EngineSettings, Site
from distlab.engines.vllm_engine import engine_args
from distlab.placement.placement import Parallelism


def settings(ranks: int = 1, device: str = "cpu") -> EngineSettings:
    return EngineSettings(
        model="m",
        revision=None,
        dtype="bfloat16",
        quantization=None,
        device=device,
        max_model_len=128,
        max_num_seqs=4,
        max_logprobs=64,
        engine="e:E",
        parallelism=Parallelism(ranks),
        cpus_per_rank=2,
    )


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 5, 6, 7})
    monkeypatch.delenv(VLLM_BINDING, raising=False)


def prepared(ranks: int, cores: tuple[int, ...], **before: str) -> dict[str, str]:
    environment = dict(before)
    prepare(environment, settings(ranks), Site("r", False, cores), "10.0.0.1:6379")
    return environment


def test_what_other_schedulers_say_of_their_ranks_is_gone() -> None:
    after = prepared(1, (), SLURM_PROCID="1", PMI_RANK="0", PMIX_ID="x", PATH="/bin")
    assert not [name for name in after if name.startswith(("SLURM", "PMI"))]
    assert after["PATH"] == "/bin"
    assert after["RAY_ADDRESS"] == "10.0.0.1:6379"


def test_one_rank_gets_its_cores_in_the_engine_cores_process() -> None:
    after = prepared(1, (2, 3), OMP_NUM_THREADS="1")
    assert (after["OMP_NUM_THREADS"], after["OMP_PLACES"]) == ("2", "{6,7}")
    assert VLLM_BINDING not in after
    backend = engine_args(settings())["distributed_executor_backend"]
    assert backend.endswith("UniProcExecutor")


def test_several_ranks_get_their_cores_from_vllm() -> None:
    after = prepared(2, (0, 1, 2, 3))
    assert after[VLLM_BINDING] == "4,5|6,7"
    assert "OMP_PLACES" not in after
    assert engine_args(settings(2))["distributed_executor_backend"] == "mp"


def test_a_binding_that_the_user_set_stays_and_is_vllms_to_keep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "OMP_PLACES" not in prepared(1, (0, 1), **{VLLM_BINDING: "4"})
    monkeypatch.setenv(VLLM_BINDING, "4")
    assert "distributed_executor_backend" not in engine_args(settings())


def test_more_cores_than_the_machine_has_bind_nothing() -> None:
    assert "OMP_PLACES" not in prepared(1, (2, 3, 4))


def test_a_gpu_engine_is_left_alone() -> None:
    environment: dict[str, str] = {}
    prepare(environment, settings(device="gpu"), Site("r", False), "a:1")
    assert environment == {"RAY_ADDRESS": "a:1", "VLLM_BATCH_INVARIANT": "0"}
    assert "distributed_executor_backend" not in engine_args(settings(device="gpu"))


def test_two_replicas_of_a_machine_share_no_core() -> None:
    one, other = prepared(1, (0, 1)), prepared(1, (2, 3))
    assert (one["OMP_PLACES"], other["OMP_PLACES"]) == ("{4,5}", "{6,7}")


def test_a_group_that_spans_keeps_the_order_of_its_bundles() -> None:
    environment: dict[str, str] = {}
    spanning = replace(settings(device="gpu"), parallelism=Parallelism(2, 2))
    prepare(environment, spanning, Site("r", spans=True), "a:1")
    assert environment["VLLM_RAY_BUNDLE_INDICES"] == "0,1,2,3"


def test_the_compile_cache_can_be_shared() -> None:
    environment: dict[str, str] = {}
    shared = replace(settings(device="gpu"), compile_cache="/shared/vllm")
    prepare(environment, shared, Site("r"), "a:1")
    assert environment["VLLM_CACHE_ROOT"] == "/shared/vllm"


def test_ranks_are_processes_in_a_node_and_ray_workers_across_nodes() -> None:
    moe = replace(settings(device="gpu"), parallelism=Parallelism(8, 2, expert=True))
    args = engine_args(moe, spans=True)
    assert (args["tensor_parallel_size"], args["pipeline_parallel_size"]) == (8, 2)
    assert args["enable_expert_parallel"] is True
    assert args["distributed_executor_backend"] == "ray"
    assert engine_args(moe)["distributed_executor_backend"] == "mp"


def test_an_engine_with_wider_limits_serves_narrower_wishes_and_no_others() -> None:
    narrow = settings()
    wide = replace(narrow, max_model_len=4096)
    assert wide.serves(narrow)
    assert not narrow.serves(wide)
    assert not wide.serves(replace(narrow, dtype="float16"))
    assert narrow.widened(wide) == wide


@pytest.mark.parametrize(
    ("device", "eager", "fused"),
    [("cpu", True, True), ("cpu", False, False), ("gpu", True, False)],
)
def test_engines_on_cpus_that_are_not_compiled_have_fused_norms(
    device: str, eager: bool, fused: bool
) -> None:
    arguments = engine_args(replace(settings(device=device), enforce_eager=eager))
    assert ("worker_cls" in arguments) is fused


def test_vllms_sockets_leave_a_temporary_folder_whose_path_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for folder, moved in (("/tmp", None), ("/" + 75 * "x", "/tmp")):
        monkeypatch.setattr("tempfile.tempdir", folder)
        environment: dict[str, str] = {}
        prepare(environment, settings(), Site("r1"), "1.2.3.4:6379")
        assert environment.get("VLLM_RPC_BASE_PATH") == moved
    kept = {"VLLM_RPC_BASE_PATH": "/mine"}
    prepare(kept, settings(), Site("r1"), "1.2.3.4:6379")
    assert kept["VLLM_RPC_BASE_PATH"] == "/mine"


@pytest.mark.parametrize("wanted", [True, False])
def test_batch_invariance_is_the_studys_and_not_the_shells(wanted: bool) -> None:
    environment = {"VLLM_BATCH_INVARIANT": str(int(not wanted))}
    invariant = replace(settings(device="gpu"), batch_invariant=wanted)
    prepare(environment, invariant, Site("r"), "a:1")
    assert environment["VLLM_BATCH_INVARIANT"] == str(int(wanted))
