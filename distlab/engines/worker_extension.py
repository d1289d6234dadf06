"""What vLLM's workers tell beside what vLLM asks them. Only vLLM loads this module."""

from typing import Any


class Told:
    """Mixed into vLLM's worker class by its argument ``worker_extension_cls``."""

    model_runner: Any

    def attention_backends(self) -> list[str]:
        """Names of the attention backends of this rank's layers, each once, in order."""
        groups = (group for groups in self.model_runner.attn_groups for group in groups)
        return sorted({str(group.backend.get_name()) for group in groups})
