"""Share the partitions of some topics among the members of a group, moving as few as possible."""

from collections.abc import Mapping

Position = tuple[str, int]


def share(
    members: Mapping[int, frozenset[str]], partitions: Mapping[str, int], owners: Mapping[Position, int]
) -> dict[Position, int]:
    """Who shall own each position, given each member's topics, the partitions by topic, and who owns what now."""
    shared: dict[Position, int] = {}
    loads = dict.fromkeys(members, 0)
    positions = [(topic, number) for topic in sorted(partitions) for number in range(partitions[topic])]
    for position in sorted(positions, key=lambda position: position not in owners):
        able = [member for member, topics in members.items() if position[0] in topics]
        owner = owners.get(position)
        shared[position] = owner if owner in able else min(able, key=lambda member: (loads[member], member))
        loads[shared[position]] += 1
    for position in reversed(positions):
        able = [member for member, topics in members.items() if position[0] in topics]
        lightest = min(able, key=lambda member: (loads[member], member))
        if loads[shared[position]] > loads[lightest] + 1:
            loads[shared[position]] -= 1
            loads[lightest] += 1
            shared[position] = lightest
    return shared
