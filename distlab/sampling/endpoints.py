"""A study's arms and its servers in; what each server is and can draw out."""

from collections.abc import Iterator

from distlab.checkpoints.checkpoint import Checkpoint, Variant
from distlab.config.values import Study
from distlab.engines.endpoint import NEUTRAL, Asked, Endpoint, Need, find_endpoint
from distlab.engines.vllm_engine import LOGPROB_MARGIN
from distlab.prompts.prompt import PromptFormat


def endpoint_of(study: Study, variant: Variant, checkpoint: Checkpoint) -> Endpoint | None:
    """The server that draws a variant's samples; None where engines are started for it.

    Raises:
        Unavailable: It does not answer.
        UserError: It cannot draw one of the arms.
    """
    server = study.cluster.server(variant)
    if server is None:
        return None
    formats = {style.format or study.family.stage(variant).format for style in study.prompts}
    asked = Asked(
        names=(checkpoint.id, checkpoint.model),
        is_chat=study.family.checkpoints[variant].source == "server",
        needs=tuple(_needs(study, variant, is_plain=PromptFormat.PLAIN in formats)),
        template=study.family.chat_template_kwargs if PromptFormat.CHAT in formats else {},
        opened=tuple(style.name for style in study.prompts if style.cue),
    )
    return find_endpoint(server, asked, study.cluster.wait_for_nodes_s)


def _needs(study: Study, variant: Variant, *, is_plain: bool) -> Iterator[Need]:
    for arm in study.arms:
        decoder = arm.decoding.decoder
        if arm.variant == variant:
            branches = decoder.branches(arm.n)
            yield Need(
                arm=f"{variant}/{arm.decoding.name}",
                plain=is_plain,
                logprobs=max(2, branches) + LOGPROB_MARGIN if branches else 0,
                parameters=tuple(name for name in decoder.identity() if name in NEUTRAL),
            )


def served_note(checkpoint: Checkpoint, endpoint: Endpoint) -> str:
    """What is to be said of samples that a server draws."""
    return (
        f"{checkpoint.id} is drawn by the server at {endpoint.url} ({endpoint.engine}), which "
        "distlab did not start: its weights, its version and what it does unasked are as declared, "
        "and not proven."
    )
