"""Problems and a tokenizer in; prompt token ids and stop strings out."""

from distlab.prompts.prompt import Prompt, PromptFormat, PromptSpec, Turn
from distlab.prompts.renderer import ChatTemplate, Renderer, build_renderer

__all__ = [
    "ChatTemplate",
    "Prompt",
    "PromptFormat",
    "PromptSpec",
    "Renderer",
    "Turn",
    "build_renderer",
]
