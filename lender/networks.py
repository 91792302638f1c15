"""Several small neural networks trained side by side, one for each random start."""

import torch
from torch import Tensor, nn


class Networks(nn.Module):
    """`count` networks of one hidden layer (ReLU) that share no weight.

    Each parameter has a first axis of length `count`, so that one step of an optimizer trains
    all of them: the gradient of a sum of their losses is, for each, the gradient of its own.
    Weights start uniform within +-1 / sqrt(fan-in), as in `torch.nn.Linear`, from `seed`.
    """

    def __init__(
        self, count: int, inputs: int, hidden: int = 32, outputs: int = 1, seed: int = 0
    ) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)

        def start(fan_in: int, *shape: int) -> nn.Parameter:
            return nn.Parameter((2 * torch.rand(count, *shape, generator=draw) - 1) / fan_in**0.5)

        self.weight1, self.bias1 = start(inputs, inputs, hidden), start(inputs, 1, hidden)
        self.weight2, self.bias2 = start(hidden, hidden, outputs), start(hidden, 1, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, shape (count, n, outputs), of x, shape (n, inputs): the same rows for all."""
        rows = x.expand(len(self.weight1), -1, -1)
        hidden = torch.relu(torch.baddbmm(self.bias1, rows, self.weight1))
        return torch.baddbmm(self.bias2, hidden, self.weight2)
