"""Which picks one earthquake made: from onsets of a network of stations to groups, each with a trial hypocentre.

Pure: onsets and stations in, groups out (`associate`); what happened in a stretch of time depends on the onsets around
it alone, not on where the data begin or in which order they come.
"""

from kensoku.associating._associate import associate
from kensoku.associating._network import Network, Reason, network_of
from kensoku.associating._values import AssociationSettings, Group, Member, Onset

__all__ = ["AssociationSettings", "Group", "Member", "Network", "Onset", "Reason", "associate", "network_of"]
