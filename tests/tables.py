"""Tables of stations for the tests."""

from kensoku.inventory import read_inventory
from kensoku.v1.inventory_pb2 import Station

TABLE = b"id,lat,lon,elev_m\nNZ.WEL,-41.284,174.768,138\nNZ.SNZO,-41.308,174.704,114\n"


def one_station(table: str) -> Station:
    """That of a table of one."""
    (station,) = read_inventory({"a.csv": table.encode()}).stations.values()
    return station
