"""``distlab jobs ray|slurm|kuberay [OPTIONS] [OVERRIDES]``: a study on a cluster."""

import argparse
import sys
from pathlib import Path
from typing import Final

from distlab.console.exits import Exit
from distlab.console.main import Command, add_config_dir, path
from distlab.errors import UserError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distlab jobs",
        description="Run a study on a Ray cluster, SLURM or Kubernetes. Submitting the same again "
        "resumes it: what the store holds is not drawn again.",
    )
    commands = parser.add_subparsers(required=True, metavar="ray|slurm|kuberay")
    _add_ray(commands.add_parser("ray", help="submit to a running Ray cluster, follow its log"))
    _add_slurm(
        commands.add_parser("slurm", help="run on the nodes of this SLURM job: jobs/study.sbatch")
    )
    _add_kuberay(commands.add_parser("kuberay", help="print a RayJob manifest for Kubernetes"))
    return parser


def _add_ray(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_ray)
    parser.add_argument(
        "--address",
        default="http://127.0.0.1:8265",
        metavar="URL",
        help="of the cluster's dashboard (default: %(default)s)",
    )
    parser.add_argument(
        "--add",
        action="append",
        default=[],
        type=path,
        metavar="PATH",
        help="a module, folder or data of yours that goes along, beside ./conf and the modules "
        "that the config names; may be given again",
    )
    parser.add_argument(
        "--pin",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refuse a cluster whose Python, Ray, vLLM and others are not the versions here",
    )
    add_config_dir(parser)
    _add_multirun(parser)
    parser.add_argument("--detach", action="store_true", help="submit and return")
    parser.add_argument("--stop", action="store_true", help="stop the study's job; it commits")
    _add_overrides(parser)


def _add_slurm(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_slurm)
    add_config_dir(parser)
    _add_multirun(parser)
    _add_overrides(parser)


def _add_kuberay(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_kuberay)
    for name, what in (
        ("image", "container image with distlab, at the versions installed here"),
        ("models", "persistent volume claim of the model cache, shared by all pods"),
        (
            "results",
            "persistent volume claim of run folders, and of the store unless it is a URI",
        ),
    ):
        parser.add_argument(f"--{name}", required=True, metavar=name.upper(), help=what)
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME",
        help="a secret whose keys become environment variables (HF_TOKEN); may be given again",
    )
    parser.add_argument(
        "--selector",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a label of the GPU nodes (default: NVIDIA's product label of the GPU type)",
    )
    parser.add_argument(
        "--host-network",
        action="store_true",
        help="pods share their node's network, as RDMA over its own adapters needs",
    )
    for name, unit, what in (
        ("resource", "NAME=COUNT", "a resource of the GPU pods, such as rdma/hca=8; adds IPC_LOCK"),
        ("env", "NAME=VALUE", "a variable of all pods, such as NCCL_IB_HCA=mlx5"),
        ("toleration", "KEY[=VALUE][:EFFECT]", "a taint of the GPU nodes that pods may stand"),
    ):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar=unit,
            help=f"{what}; may be given again",
        )
    parser.add_argument(
        "--retries",
        type=int,
        default=3,
        metavar="N",
        help="how often a job that failed resumes on a new cluster (default: %(default)s)",
    )
    _add_overrides(parser)


def _add_multirun(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", "--multirun", action="store_true", help="sweep, as distlab.run -m")


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="OVERRIDE",
        help="as for distlab.run: model=NAME dataset.limit=20 decoding.n=20",
    )


def _ray(arguments: argparse.Namespace) -> int:
    # Imported late: --help should not wait for Ray and transformers.
    from distlab.jobs import ray_job

    # Over there they lie in the job's folder.
    sys.path += [str(extra.absolute().parent) for extra in arguments.add]
    study = ray_job.Submission.of(
        _typed(arguments), arguments.add, pin=arguments.pin, config_dirs=arguments.config_dir
    )
    if arguments.stop:
        ray_job.stop(ray_job.connect(arguments.address), study, sys.stdout)
        return Exit.DONE
    return ray_job.submit(arguments.address, study, detach=arguments.detach)


def _typed(arguments: argparse.Namespace) -> list[str]:
    return [*(["--multirun"] if arguments.multirun else []), *arguments.overrides]


def _slurm(arguments: argparse.Namespace) -> int:
    from distlab.config.compose import own_folders
    from distlab.jobs.slurm import run_study

    return run_study([*own_folders(arguments.config_dir), *_typed(arguments)])


def _kuberay(arguments: argparse.Namespace) -> int:
    from distlab.config.door import validate
    from distlab.jobs import options
    from distlab.jobs.kuberay import MODELS, RESULTS, Kubernetes, manifest
    from distlab.jobs.overrides import anchored, composed, study_name
    from distlab.versions import pinned_versions

    config, *others = composed(arguments.overrides)
    if others:
        raise UserError(
            f"these overrides stand for {1 + len(others)} jobs and a manifest is for one: give one "
            "value where there are commas, or an experiment's model=NAME"
        )
    there = anchored(arguments.overrides, config, Path(RESULTS), mounts=(MODELS,))
    kubernetes = Kubernetes(
        arguments.image,
        arguments.models,
        arguments.results,
        tuple(arguments.secret),
        options.selector(arguments.selector),
        arguments.host_network,
        options.resources(arguments.resource),
        options.variables(arguments.env),
        tuple(map(options.toleration, arguments.toleration)),
        options.retries(arguments.retries),
    )
    name = study_name(there, config)
    print(manifest(validate(config), there, name, kubernetes, pinned_versions()), end="")
    return Exit.DONE


main: Final = Command(
    _parser,
    lambda arguments: int(arguments.command(arguments)),
    stopped="left; the job goes on, and --stop ends it",
)

if __name__ == "__main__":
    sys.exit(main())
