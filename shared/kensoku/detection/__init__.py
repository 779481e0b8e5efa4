"""From complete seconds of records to picks, the same live and in batch.

Every second of an instrument lies on an absolute grid and is decided once, from a fixed stretch before its end.
"""

from kensoku.detection._arrivals import Arrival, FrontEnd, Sieve, pick_id
from kensoku.detection._batch import PacketPicker, pick_packets
from kensoku.detection._by_station import ByStation
from kensoku.detection._cascade import LOOKED_BACK, Cascade
from kensoku.detection._detector import MOST_PICKS, Detector, Found, no_inventory
from kensoku.detection._flaws import flaw_at
from kensoku.detection._messages import Stations, describe_first, describe_fully
from kensoku.detection._second_look import Refined, SecondLook, share_out
from kensoku.detection._stages import Picker, Stage, Version, decided_to
from kensoku.detection._told import is_more

__all__ = [
    "LOOKED_BACK",
    "MOST_PICKS",
    "Arrival",
    "ByStation",
    "Cascade",
    "Detector",
    "Found",
    "FrontEnd",
    "PacketPicker",
    "Picker",
    "Refined",
    "SecondLook",
    "Sieve",
    "Stage",
    "Stations",
    "Version",
    "decided_to",
    "describe_first",
    "describe_fully",
    "flaw_at",
    "is_more",
    "no_inventory",
    "pick_id",
    "pick_packets",
    "share_out",
]
