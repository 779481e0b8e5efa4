"""The networks: a picker that tells noise, P and S of every sample, and classifiers of cuts."""

from typing import Annotated, Any, Literal

import keras
from pydantic import BaseModel, ConfigDict, Field, model_validator

from kensoku.training.conditioning import COMPONENTS, Conditioning, Conditions
from kensoku.training.layers import Bands, Convolution, Doubling, Halving, Likelihoods, Padding, Rows, Summary

PHASES = 3  # noise, P, S
DOWN = "down_"  # layers of the way down, alike in pickers and in classifiers
RESIDUAL_GAIN = 0.3  # each residual block begins as a small change
Tensor = Any
Positive = Annotated[int, Field(gt=0)]
Delay = Annotated[int, Field(ge=0)]
Channels = Annotated[tuple[Positive, ...], Field(min_length=2)]


class Conditioned(BaseModel):
    """What is said of every network's first layer; lengths are powers of two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: Channels = (8, 16, 24, 32, 48)  # the rate halves from one to the next
    kernel: Positive = 7
    mean_samples: Positive = 512
    scale_samples: Positive = 2048
    joint_scale: bool = True
    boost_live: bool = True
    filter_bank: bool = False  # hear 2-8 Hz and what is above 5 Hz as well

    @model_validator(mode="after")
    def _are_powers_of_two(self) -> "Conditioned":
        for samples in (self.mean_samples, self.scale_samples):
            if samples & (samples - 1):
                raise ValueError(f"found a mean over {samples} samples, expected a power of two")
        return self

    @property
    def conditions(self) -> Conditions:
        return Conditions(self.mean_samples, self.scale_samples, self.joint_scale, self.boost_live)

    @property
    def stride(self) -> int:
        """Samples between answers at the lowest rate; a picker's records are a multiple of it long."""
        return int(2 ** (len(self.channels) - 1))


class NetworkConfig(Conditioned):
    """The table [network] of a picker."""

    up_kernel: Positive = 5
    dilations: tuple[Positive, ...] = (1, 2, 4, 8, 16, 32, 64)  # at the lowest rate
    padding: Literal["same", "causal"] = "same"
    smooth_up: bool = True  # interpolate on the way up; else every sample twice
    delay: tuple[Delay, Delay] = (0, 0)  # samples after P and S at which they are told


class ClassifierConfig(Conditioned):
    """The table [network] of a network that judges cuts of one length, also one after another along a record."""

    window: Positive = 400  # samples
    classes: Annotated[int, Field(gt=1)] = PHASES
    hidden: Positive = 64
    pooled: bool = False  # whether places in the window are alike: for long windows
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2

    @property
    def samples_left(self) -> int:
        """Of a window, at the lowest rate."""
        left = self.window - self.kernel + 1
        for _ in self.channels[1:]:
            left = left // 2 - self.kernel
        return left

    @model_validator(mode="after")
    def _leaves_some(self) -> "ClassifierConfig":
        if self.samples_left < 1:
            raise ValueError(f"found a window of {self.window} samples, too short for {len(self.channels)} rates")
        return self


def build_picker(config: NetworkConfig) -> keras.Model:
    """Counts (batch, 3, n) to probabilities of noise, P and S (batch, 3, n), which are those of the layer `logits`."""
    counts, value = _conditioned(config)
    value, levels = _down(value, config, config.padding)
    for number, dilation in enumerate(config.dilations):
        value = _residual(value, config, dilation, f"context_{number}")
    for level, (channels, skipped) in reversed(list(enumerate(zip(config.channels, levels, strict=False)))):
        value = _convolved(value, channels, 1, config.padding, f"narrow_{level}", is_rectified=False)
        double = Doubling(config.padding, config.smooth_up, name=f"double_{level}")
        value = keras.layers.Add(name=f"joined_{level}")([double(value), skipped])
        value = _convolved(value, channels, config.up_kernel, config.padding, f"up_{level}")
    return _answered(counts, value, PHASES)


def build_classifier(config: ClassifierConfig) -> keras.Model:
    """Counts (batch, 3, window) to probabilities (batch, classes, 1), or (batch, classes, m) along a longer record.

    Nothing is padded: answer j is of the cut that begins `stride` x j samples after the first.
    """
    counts, value = _conditioned(config)
    value, _ = _down(value, config, "valid")
    left = config.samples_left
    if config.pooled:
        value, left = Summary(left, name="summary")(value), 1
    value = _convolved(value, config.hidden, left, "valid", "whole")
    value = keras.layers.Dropout(config.dropout, name="dropout")(value)
    return _answered(counts, value, config.classes)


def _conditioned(config: Conditioned) -> tuple[Tensor, Tensor]:
    counts = keras.Input((COMPONENTS, None), name="counts")
    value = Conditioning(config.conditions, name="conditioning")(counts)
    return counts, Bands(name="bands", dtype="float32")(value) if config.filter_bank else value


def _down(value: Tensor, config: Conditioned, padding: Padding) -> tuple[Tensor, list[Tensor]]:
    """What was found at the lowest rate, and at each rate above it."""
    levels = []
    for level, filters in enumerate(config.channels):
        if level:
            levels.append(value)
            value = Halving(padding, name=f"halve_{level}")(value)
        value = _convolved(value, filters, config.kernel, padding, f"{DOWN}{level}")
    return value, levels


def _residual(value: Tensor, config: NetworkConfig, dilation: int, name: str) -> Tensor:
    filters = config.channels[-1]
    change = _convolved(value, filters, 3, config.padding, f"{name}_wide", dilation=dilation)
    change = _convolved(change, filters, 1, config.padding, f"{name}_out", is_rectified=False, gain=RESIDUAL_GAIN)
    return keras.layers.Add(name=name)([value, change])


def _convolved(value: Tensor, filters: int, kernel: int, padding: Padding, name: str, **settings: Any) -> Tensor:
    return Convolution(filters, kernel, padding, name=name, **settings)(value)


def _answered(counts: Tensor, value: Tensor, classes: int) -> keras.Model:
    value = _convolved(value, classes, 1, "valid", "answer", is_rectified=False)
    logits = Rows(name="logits", dtype="float32")(value)
    return keras.Model(counts, Likelihoods(name="probabilities", dtype="float32")(logits))
