"""A member of a group in a process of its own, for tests that kill it.

`python -m tests.system.bus_member URL NAMESPACE GROUP FILE` writes a line for every message of `flow`, then commits.
"""

import logging
import sys

from kensoku.bus import Options, open_bus
from kensoku.errors import KensokuError


def main(url: str, namespace: str, group: str, path: str, wait_s: str = "60") -> int:
    logging.basicConfig(level=logging.INFO)
    options = Options(wait_s=float(wait_s))
    try:
        with (
            open(path, "a", buffering=1) as output,
            open_bus(url, namespace, options) as bus,
            bus.subscribe(["flow"], group) as stream,
        ):
            for batch in stream.batches(100):
                for message in batch:
                    output.write(f"{message.key} {(message.value or b'').decode()}\n")
                stream.commit({(message.topic, message.partition): message.offset + 1 for message in batch})
    except KensokuError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
