"""What an inventory lacks or leaves in doubt, each said once."""

from dataclasses import dataclass, field

SHOWN = 6  # channels named after one sentence


@dataclass(slots=True)
class Notes:
    """By sentence, of which channels it is said."""

    channels: dict[str, list[str]] = field(default_factory=dict)

    def add(self, sentence: str, channel: str) -> None:
        self.channels.setdefault(sentence, []).append(channel)

    def lines(self) -> list[str]:
        return [f"{sentence}: {_listed(sorted(set(names)))}" for sentence, names in sorted(self.channels.items())]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
