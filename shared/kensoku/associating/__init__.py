"""Which picks one earthquake made: from onsets of a network of stations to groups, each with a trial hypocentre.

Pure: onsets and stations in, groups out (`associate`); what happened in a stretch of time depends on the onsets around
it alone, not on where the data begin or in which order they come.
"""

from kensoku.associating._associate import associate
from kensoku.associating._check import LONGEST_UNCERTAINTY_S, check_pick_message
from kensoku.associating._life import event_id
from kensoku.associating._messages import onset_of, station_of
from kensoku.associating._network import Network, Reason, network_of
from kensoku.associating._values import AssociationSettings, Group, Member, Onset
from kensoku.associating._watch import TICK_NS, Watch, WatchSettings

__all__ = [
    "LONGEST_UNCERTAINTY_S",
    "TICK_NS",
    "AssociationSettings",
    "Group",
    "Member",
    "Network",
    "Onset",
    "Reason",
    "Watch",
    "WatchSettings",
    "associate",
    "check_pick_message",
    "event_id",
    "network_of",
    "onset_of",
    "station_of",
]
