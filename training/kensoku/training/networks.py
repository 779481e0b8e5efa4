"""Networks that find the onsets of P and S along a record, of sizes that a table states.

A picker goes down to 6.25 Hz, looks around there with dilated convolutions, and comes up again with what it kept on the
way. Every step down is behind a low-pass. `causal` networks look back only, and say P and S some time after them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kensoku.training.conditioning import Conditioning

BLUR = (0.125, 0.375, 0.375, 0.125)  # binomial
STRIDE = 16  # samples of a record for one of the deepest
CLASSES = 3  # noise, P, S


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What a picker is made of; as a table of a training run has it."""

    widths: tuple[int, ...] = (8, 12, 24, 32, 48)  # channels at 100, 50, 25, 12.5 and 6.25 Hz
    kernel: int = 7
    up_kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    is_causal: bool = False
    delay: tuple[int, int] = (0, 0)  # samples after P and S at which a causal network says so
    mean_samples: int = 200
    scale_samples: int = 2000
    joint: bool = True  # one scale for the components that are there, or one for each
    live: bool = True  # tell the network which samples are there

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "NetworkConfig":
        if unknown := sorted(set(table) - {field.name for field in fields(cls)}):
            raise ValueError(f"found {', '.join(unknown)}; expected {', '.join(field.name for field in fields(cls))}")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in table.items()})


def build_picker(config: NetworkConfig) -> keras.Model:
    """Counts (batch, 3, n) with NaN for missing ones -> probabilities (batch, 3, n) of noise, P and S; 16 divides n."""
    counts = keras.Input((3, None), name="counts")
    level = Conditioning(config.mean_samples, config.scale_samples, config.joint, config.live, name="conditioning")(
        counts
    )
    kept = []
    for depth, width in enumerate(config.widths):
        if depth:
            kept.append(level)
            level = _halve(level, config, f"halve_{depth}")
        level = _convolve(level, width, config.kernel, config, f"down_{depth}")
    for number, dilation in enumerate(config.dilations):
        around = _convolve(level, config.widths[-1], 3, config, f"around_{number}", dilation)
        level = layers.Add(name=f"around_{number}_add")([level, around])
    for depth in range(len(config.widths) - 2, -1, -1):
        level = layers.Conv1D(config.widths[depth], 1, name=f"narrow_{depth}")(level)
        level = layers.UpSampling1D(2, name=f"double_{depth}")(level)
        level = layers.Add(name=f"join_{depth}")([level, kept[depth]])
        level = _convolve(level, config.widths[depth], config.up_kernel, config, f"up_{depth}")
    logits = layers.Conv1D(CLASSES, 1, name="head")(level)
    logits = layers.Permute((2, 1), name="logits")(logits)
    return keras.Model(counts, layers.Softmax(axis=1, name="probabilities")(logits), name="picker")


def _convolve(level: Any, width: int, kernel: int, config: NetworkConfig, name: str, dilation: int = 1) -> Any:
    level = _pad(level, dilation * (kernel - 1), config, name)
    level = layers.Conv1D(width, kernel, dilation_rate=dilation, use_bias=False, name=name)(level)
    level = layers.BatchNormalization(momentum=0.98, name=f"{name}_norm")(level)
    return layers.ReLU(name=f"{name}_relu")(level)


def _halve(level: Any, config: NetworkConfig, name: str) -> Any:
    """Half the rate; what that rate cannot show goes first."""
    blur = layers.DepthwiseConv1D(len(BLUR), strides=2, use_bias=False, trainable=False, name=name)
    padded = _pad(level, len(BLUR) - 1, config, name)
    halved = blur(padded)
    blur.set_weights([np.tile(np.reshape(BLUR, (-1, 1, 1)), (1, level.shape[-1], 1))])
    return halved


def _pad(level: Any, count: int, config: NetworkConfig, name: str) -> Any:
    before = count if config.is_causal else count // 2
    return layers.ZeroPadding1D((before, count - before), name=f"{name}_pad")(level)
