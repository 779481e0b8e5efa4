"""The `kensoku` command: finds the subcommand, and turns an error into one sentence for the person at the keyboard."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

# Each is imported only when it is called, so that `kensoku --help` answers at once.
COMMANDS = {
    "run": "run the whole system on this machine",
    "playback": "play a span of the log again beside the live system, with other models",
    "tail": "print the messages of a topic",
    "topics": "create and inspect the topics",
    "triton": "install and run the embedded model server",
    "models": "list, load, promote, roll back and run models",
    "pick": "find the arrivals in files and archives",
    "associate": "group picks by the earthquakes that made them",
    "detect": "find, locate and size the earthquakes in records",
    "locate": "locate the earthquakes that picks were grouped by",
    "corrections": "learn how late waves come to each station",
    "catalog": "list, export, import and compare catalogues of events",
    "inventory": "publish, compare and show station epochs",
    "regions": "part the map among several associators",
    "stations": "disable and enable stations",
    "train": "train a network from a data set",
    "evaluate": "judge models by records that were kept apart",
    "simulate": "write simulated records and all that is known of them",
    "dataset": "build, count and look at the examples that networks learn from",
}
# One a command, shown at the end of its --help.
EXAMPLES = {
    "run": "kensoku run --source ARCHIVE --speed 10 --inventory stations.xml",
    "playback": "kensoku playback --from 2026-11-20T03:00:00Z --to 2026-11-20T04:00:00Z --namespace trial",
    "tail": "kensoku tail picks --only pick",
    "models": "kensoku models run --windows FILE.h5 --out picks.csv",
    "pick": "kensoku pick ARCHIVE --inventory stations.xml --start 2024-06-03T12:00 --out picks.csv",
    "associate": "kensoku associate picks.csv --inventory stations.xml --velocity-model japan --out associated.csv",
    "detect": "kensoku detect ARCHIVE --inventory stations.xml --velocity-model japan --out FOLDER",
    "locate": "kensoku locate associated.csv --inventory stations.xml --velocity-model japan --out FOLDER",
    "corrections": "kensoku corrections learn --catalogue events.xml --inventory stations.xml --out corrections.csv",
    "catalog": "kensoku catalog export --from 2024-06-03 --min-magnitude 2 --out events.xml",
    "inventory": "kensoku inventory apply stations.xml",
    "stations": "kensoku stations disable XA.03 --reason 'loose cable'",
    "train": "kensoku train picker --config picker.toml --dataset SET --out RUN",
    "evaluate": "kensoku evaluate models --dataset SET --out DIR",
    "simulate": "kensoku simulate aftershocks --out DIR --end 2024-06-03T06:25:00Z",
    "dataset": "kensoku dataset build picker.toml --data recorded=DIR --out SET",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(sys.argv[1:] if arguments is None else list(arguments))
    from kensoku.runtime import run_to_exit_code  # only now: `kensoku --help` needs none of it

    def execute() -> int:
        code = int(options.execute(options))
        sys.stdout.flush()  # now, so that a full disk is told as one
        return code

    try:
        return run_to_exit_code(execute)
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        return 0
    finally:
        drop_unwritable_output()


def drop_unwritable_output() -> None:
    """What could not be written cannot be at the end of the process either, and Python would complain about it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class ShowVersion(argparse.Action):
    def __call__(self, *_: object) -> None:
        from importlib.metadata import version  # only now: it takes longer to import than all the rest

        print(f"kensoku {version('kensoku')}")
        sys.exit(0)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="kensoku", description="Phase picking, association and location for live earthquake catalogues."
    )
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")
    chosen = parser
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[:1].upper()}{summary[1:]}.")
        command.epilog = f"example: {EXAMPLES[name]}" if name in EXAMPLES else None
        if [name] == list(arguments[:1]):  # `dataset pick` has no need of `pick`
            importlib.import_module(f"kensoku.cli.{name}").configure(command)
            chosen = command
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # with the usage of the command, which argparse would not show
        chosen.error(f"found {' '.join(unknown)}, expected what it takes; put --help behind the command to see that")
    return options


if __name__ == "__main__":
    sys.exit(main())
