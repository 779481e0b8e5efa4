"""The contracts keep what they promised, and say their units."""

import re
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from kensoku.v1 import (
    api_pb2,
    association_pb2,
    bus_pb2,
    control_pb2,
    event_pb2,
    health_pb2,
    inventory_pb2,
    pick_pb2,
    waveform_pb2,
)
from tools.contracts import broken, promises

ROOT = Path(__file__).parents[2]
MODULES = [api_pb2, association_pb2, bus_pb2, control_pb2, event_pb2, health_pb2, inventory_pb2, pick_pb2, waveform_pb2]
# Units by suffix, or numbers that have none.
SAYS_ITS_UNIT = re.compile(
    r"_(ns|s|hz|deg|km|m|counts|index|epoch|version|threshold|probability|confidence|magnitude|to)$"
    r"|^(count|revision|packets|duplicates|rejected|gaps|overlaps|spikes|stations|partition|sequence|score|weight|snr"
    r"|noise|p|s|earthquake|blast|teleseism|low_frequency|unknown|real|imaginary|phases_used|stations_used)$"
)
NUMBERS = {
    FieldDescriptor.CPPTYPE_DOUBLE,
    FieldDescriptor.CPPTYPE_FLOAT,
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}


def current() -> FileDescriptorSet:
    files = FileDescriptorSet()
    for module in MODULES:
        module.DESCRIPTOR.CopyToProto(files.file.add())
    return files


def published() -> list[str]:
    return (ROOT / "protos/contract.txt").read_text().splitlines()


def test_nothing_that_was_published_has_gone() -> None:
    assert broken(published(), promises(current())) == []


def _event_file(files: FileDescriptorSet) -> FileDescriptorProto:
    return next(file for file in files.file if file.name.endswith("event.proto"))


@pytest.mark.parametrize("change", ["remove", "renumber", "retype", "rename"])
def test_a_changed_field_is_noticed(change: str) -> None:
    files = current()
    origin = next(message for message in _event_file(files).message_type if message.name == "Origin")
    depth = next(field for field in origin.field if field.name == "depth_km")
    match change:
        case "remove":
            origin.field.remove(depth)
        case "renumber":
            depth.number = 999
        case "retype":
            depth.type = depth.TYPE_FLOAT
        case "rename":
            depth.name = "depth_m"
    assert broken(published(), promises(files)) == ["kensoku.v1.Origin.depth_km = 4 double"]


def test_a_removed_state_and_a_removed_call_are_noticed() -> None:
    files = current()
    status = next(enum for enum in _event_file(files).enum_type if enum.name == "EventStatus")
    del status.value[-1]
    api = next(file for file in files.file if file.service)
    del api.service[0].method[0]
    assert [line.split()[0] for line in broken(published(), promises(files))] == [
        "kensoku.v1.EventStatus.EVENT_STATUS_MERGED",
        "kensoku.v1.IngestService.Ingest",
    ]


def test_every_enum_starts_unspecified() -> None:
    for module in MODULES:
        for name, enum in module.DESCRIPTOR.enum_types_by_name.items():
            first = enum.values_by_number[0].name
            assert first == re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() + "_UNSPECIFIED"


def _fields(message: Descriptor) -> list[FieldDescriptor]:
    return [*message.fields, *(field for nested in message.nested_types for field in _fields(nested))]


def test_every_number_says_its_unit_in_its_name_or_beside_it() -> None:
    for module in MODULES:
        source = (ROOT / "protos" / module.DESCRIPTOR.name).read_text()
        for message in module.DESCRIPTOR.message_types_by_name.values():
            for field in _fields(message):
                if field.cpp_type not in NUMBERS or SAYS_ITS_UNIT.search(field.name):
                    continue
                assert re.search(rf"\b{field.name} = {field.number};\s*//", source) or re.search(
                    rf"//.*\n\s*repeated double {field.name} = {field.number};", source
                ), f"{message.name}.{field.name} has no unit"
