"""Pictures of an earthquake for people: its seismograms by distance, and a map of where it was.

`event_picture` draws both on one page; `record_section` and `epicentre_map` draw one of them.
"""

from kensoku.pictures._page import epicentre_map, event_picture, record_section
from kensoku.pictures._records import Band, Records

__all__ = ["Band", "Records", "epicentre_map", "event_picture", "record_section"]
