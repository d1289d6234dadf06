"""The trackers, each by its own library."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from distlab.config.values import TrackerSettings
from distlab.trackers.record import TrackedRun

# What mlflow takes in the name of a metric.
_NOT_OF_MLFLOW: Final = re.compile(r"[^\w\-. /:]")
# Characters of a value, and values at once, that mlflow takes.
_PARAMETER: Final = 6000
_PARAMETERS: Final = 100


def with_wandb(run: TrackedRun, settings: TrackerSettings) -> None:
    """Log a run with Weights & Biases; it is online or not as ``WANDB_MODE`` says."""
    import wandb

    # Nobody is there to type a key.
    quiet = wandb.Settings(console="off", silent=True, login_timeout=30)
    with wandb.init(
        project=settings.project,
        name=run.name,
        config=dict(run.config),
        dir=run.folder,
        settings=quiet,
    ) as logged:
        logged.log(dict(run.metrics))
        artifact = wandb.Artifact(f"report-{logged.id}", type="report")
        artifact.add_file(str(run.report))
        logged.log_artifact(artifact)


def with_mlflow(run: TrackedRun, settings: TrackerSettings) -> None:
    """Log a run with MLflow."""
    import mlflow

    if settings.uri is not None:
        mlflow.set_tracking_uri(settings.uri)
    mlflow.set_experiment(settings.project)
    with mlflow.start_run(run_name=run.name):
        parameters = list(_flat(run.config, ""))
        for begin in range(0, len(parameters), _PARAMETERS):
            mlflow.log_params(dict(parameters[begin : begin + _PARAMETERS]))
        mlflow.log_metrics({_NOT_OF_MLFLOW.sub("-", k): v for k, v in run.metrics.items()})
        mlflow.log_artifact(str(run.report))


def with_tensorboard(run: TrackedRun, settings: TrackerSettings) -> None:
    """Write a run for TensorBoard: into the folder that is named, else into the run's own."""
    from torch.utils.tensorboard import SummaryWriter

    folder = run.folder / "tensorboard" if settings.uri is None else f"{settings.uri}/{run.name}"
    with SummaryWriter(str(folder)) as writer:
        for name, value in run.metrics.items():
            writer.add_scalar(name, value)
        config = "\n".join(f"    {name}: {value}" for name, value in _flat(run.config, ""))
        writer.add_text("config", config)
        text = run.report.with_name("report.md").read_text(encoding="utf-8")
        writer.add_text("report", text)


def with_trackio(run: TrackedRun, settings: TrackerSettings) -> None:
    """Log a run with Trackio, on this machine unless its own variables say otherwise."""
    import trackio

    trackio.init(project=settings.project, name=run.name, config=dict(_flat(run.config, "")))
    trackio.log(dict(run.metrics))
    trackio.save(str(run.report))
    trackio.finish()


def _flat(config: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Keys with points to values, as they are typed."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)[:_PARAMETER]


Log = Callable[[TrackedRun, TrackerSettings], None]

KINDS: Final[Mapping[str, Log]] = {
    "wandb": with_wandb,
    "mlflow": with_mlflow,
    "tensorboard": with_tensorboard,
    "trackio": with_trackio,
}
