from distlab.problems.problem import Gold, GoldKind, Problem
from distlab.prompts import ChatTemplate, PromptSpec, build_renderer
from distlab.prompts.messages import MessagesTokenizer, messages_of


def test_a_chat_prompt_travels_as_the_bytes_of_its_messages() -> None:
    problem = Problem("p", "gsm8k", "Wie viel sind 数 + é?", Gold(GoldKind.NUMBER, "2"), "p")
    style = PromptSpec("zero-shot")
    kwargs = {"enable_thinking": True}
    tokenizer = MessagesTokenizer("org/served")
    chat = ChatTemplate(tokenizer, kwargs)
    renderer = build_renderer(style, "gsm8k", tokenizer, (), chat)
    prompt = renderer.render(problem)
    turns, given = messages_of(prompt.token_ids)
    (turn,) = turns
    assert turn["role"] == "user"
    assert turn["content"].startswith("Wie viel sind 数 + é?\n\n")
    assert given == kwargs
    # Dates are for templates alone, so that the prompt is the same tomorrow.
    assert "2024" not in prompt.text
