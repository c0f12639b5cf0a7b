"""WavLM's self-attention with memory that grows with the recording, not with its square.

WavLM (Chen et al. 2022, sec. III-A) adds to each attention score a bias by the distance of key and query, times a gate that
the query computes. `transformers` holds the bias as [heads, K, K], 11 GB for five minutes; here it is [heads, 2 K - 1], by
distance, and some queries at a time are compared with all keys. The values are the same.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Queries times keys that are looked at together.
PAIRS = 2**21


class ChunkedAttention(nn.Module):
    """Stands in the place of a `WavLMAttention` (`whole`) and uses its weights; for inference of one recording."""

    def __init__(self, whole: nn.Module, pairs: int = PAIRS) -> None:
        super().__init__()
        self.whole = whole
        self.pairs = pairs

    def forward(
        self, hidden_states: Tensor, position_bias: Tensor | None = None, **unused: object
    ) -> tuple[Tensor, None, Tensor]:
        """[1, K, width] to the same, and the bias [heads, 2 K - 1] that the first layer makes and all others take."""
        count, heads = hidden_states.shape[1], self.whole.num_heads
        if position_bias is None:
            position_bias = self._bias(count)
        apart = hidden_states.unflatten(-1, (heads, -1)).transpose(1, 2)
        query, key, value = (
            projection(hidden_states).unflatten(-1, (heads, -1)).transpose(1, 2)
            for projection in (self.whole.q_proj, self.whole.k_proj, self.whole.v_proj)
        )
        step = max(1, self.pairs // count)
        parts = []
        for start in range(0, count, step):
            chosen = torch.arange(start, min(start + step, count))
            distance = torch.arange(count) - chosen[:, None]
            bias = self._gate(apart[:, :, chosen]) * position_bias[:, distance + count - 1]
            parts.append(F.scaled_dot_product_attention(query[:, :, chosen], key, value, attn_mask=bias))
        return self.whole.out_proj(torch.cat(parts, 2).transpose(1, 2).flatten(2)), None, position_bias

    def _bias(self, count: int) -> Tensor:
        """[heads, 2 K - 1], by key minus query from 1 - K."""
        distance = torch.arange(1 - count, count)
        return self.whole.rel_attn_embed(self.whole._relative_positions_bucket(distance)).T

    def _gate(self, hidden: Tensor) -> Tensor:
        """[1, heads, k, 1] of the queries' hidden states [1, heads, k, width of a head]."""
        projected = self.whole.gru_rel_pos_linear(hidden).unflatten(-1, (2, 4)).sum(-1)
        first, second = projected.sigmoid().chunk(2, -1)
        return first * (second * self.whole.gru_rel_pos_const - 1) + 2
