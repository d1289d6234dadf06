"""Problems and a tokenizer in; prompt token ids and stop strings out."""

from distlab.prompts.prompt import Prompt, PromptFormat, PromptSpec
from distlab.prompts.renderer import Renderer, build_renderer

__all__ = ["Prompt", "PromptFormat", "PromptSpec", "Renderer", "build_renderer"]
