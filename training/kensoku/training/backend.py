"""What depends on the library under Keras: threads, and calls that are quick for many shapes."""

import importlib
import os
from collections.abc import Callable
from contextlib import suppress

import keras
import numpy as np

from kensoku.training.examples import FloatArray


def use_threads(count: int) -> None:
    """For all arithmetic; before the first of it, as TensorFlow keeps what it began with."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        with suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(count)
            tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    elif keras.backend.backend() == "torch":
        torch = importlib.import_module("torch")  # nothing else here needs it

        torch.set_num_threads(count)
    else:
        os.environ["OMP_NUM_THREADS"] = str(count)


def predictor(network: keras.Model) -> Callable[[FloatArray], FloatArray]:
    """Not compiled for each shape, as records differ in length."""
    network.compile(jit_compile=False)

    def predict(counts: FloatArray) -> FloatArray:
        return np.asarray(network.predict_on_batch(counts), dtype=np.float32)

    return predict
