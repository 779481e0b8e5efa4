"""Say what a change of the contracts would break for those who hold older messages or call our services.

protos/contract.txt lists every field, enum value and call that was ever published, one a line. A line may be added;
one that disappears means that a field was removed, renumbered or has changed its type.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet


def promises(descriptors: FileDescriptorSet) -> list[str]:
    """What messages and callers rely on, as sorted lines."""
    return sorted(line for file in descriptors.file for line in _of_file(file))


def broken(published: list[str], current: list[str]) -> list[str]:
    """Promises that are no longer kept."""
    return sorted(set(published) - set(current))


def _of_file(file: Any) -> Iterator[str]:
    for enum in file.enum_type:
        yield from _of_enum(file.package, enum)
    for message in file.message_type:
        yield from _of_message(file.package, message)
    for service in file.service:
        for method in service.method:
            taken = "stream " * method.client_streaming + method.input_type
            given = "stream " * method.server_streaming + method.output_type
            yield f"{file.package}.{service.name}.{method.name} ({taken}) returns ({given})"


def _of_message(scope: str, message: Any) -> Iterator[str]:
    name = f"{scope}.{message.name}"
    for field in message.field:
        label = "repeated " if field.label == FieldDescriptorProto.LABEL_REPEATED else ""
        kind = field.type_name or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        yield f"{name}.{field.name} = {field.number} {label}{kind}"
    for enum in message.enum_type:
        yield from _of_enum(name, enum)
    for nested in message.nested_type:
        yield from _of_message(name, nested)


def _of_enum(scope: str, enum: Any) -> Iterator[str]:
    for value in enum.value:
        yield f"{scope}.{enum.name}.{value.name} = {value.number}"
