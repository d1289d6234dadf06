"""Problems and a tokenizer in; prompt token ids and stop strings out."""

from distlab.prompts.renderer import Renderer, build_renderer
from distlab.prompts.types import Prompt, PromptFormat, PromptSpec

__all__ = ["Prompt", "PromptFormat", "PromptSpec", "Renderer", "build_renderer"]
