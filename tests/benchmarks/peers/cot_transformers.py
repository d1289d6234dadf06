"""Peer: CoT-decoding in transformers, batched over the branches or one branch after the other.

python -m tests.benchmarks.peers.cot_transformers MODEL
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.server import serve


class Peer:
    """The model with both ways of continuing its branches."""

    def __init__(self, model: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.model = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16).eval()

    @torch.inference_mode()
    def batched(self, prompt: Sequence[int], k: int, most: int, stop: Sequence[str]) -> int:
        """One prefill, its KV cache repeated, all branches in one batch; returns tokens.

        Branches that are over leave the batch, as a careful implementation would have it.
        """
        out = self.model(torch.tensor([prompt]), use_cache=True)
        cache = out.past_key_values
        cache.batch_repeat_interleave(k)
        token = out.logits[0, -1].float().topk(k).indices
        branches = [[int(t)] for t in token]
        alive = list(range(k))
        for _ in range(most - 1):
            going = [i for i, b in enumerate(alive) if not self._is_over(branches[b], stop)]
            if not going:
                break
            if len(going) < len(alive):
                cache.batch_select_indices(torch.tensor(going))
                alive = [alive[i] for i in going]
                token = token[going]
            out = self.model(token[:, None], past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            # The margin of a step is p(top1) - p(top2).
            top = out.logits[:, -1].float().softmax(-1).topk(2)
            token = top.indices[:, 0]
            for branch, new in zip(alive, token.tolist(), strict=True):
                branches[branch].append(new)
        return sum(map(len, branches))

    @torch.inference_mode()
    def serial(self, prompt: Sequence[int], k: int, most: int, stop: Sequence[str]) -> int:
        """`generate` on one branch after the other, scores kept, as public implementations do."""
        logits = self.model(torch.tensor([prompt])).logits[0, -1]
        tokens = 0
        for token in logits.float().topk(k).indices.tolist():
            ids = torch.tensor([[*prompt, token]])
            done = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=most - 1,
                do_sample=False,
                output_scores=True,
                return_dict_in_generate=True,
                stop_strings=list(stop) or None,
                tokenizer=self.tokenizer,
            )
            for score in done.scores:
                score.float().softmax(-1).topk(2)
            tokens += 1 + len(done.scores)
        return tokens

    def _is_over(self, branch: Sequence[int], stop: Sequence[str]) -> bool:
        tail = self.tokenizer.decode(branch[-8:])
        return branch[-1] == self.tokenizer.eos_token_id or any(s in tail for s in stop)


def start() -> Callable[[dict[str, Any]], dict[str, Any]]:
    peer = Peer(sys.argv[1])

    def answer(job: dict[str, Any]) -> dict[str, Any]:
        way = peer.batched if job["way"] == "batched" else peer.serial
        began = time.perf_counter()
        tokens = sum(way(p, job["k"], job["max_tokens"], job["stop"]) for p in job["prompts"])
        return {
            "problems": len(job["prompts"]),
            "tokens": tokens,
            "seconds": time.perf_counter() - began,
        }

    return answer


if __name__ == "__main__":
    assert Path(sys.argv[1]).is_dir()
    serve(start)
