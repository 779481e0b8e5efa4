"""What can go wrong, in words for the person who must act: found, expected, what to do.

KensokuError
├── SettingInvalid       a setting or an argument of the command line
├── InputInvalid         a file, a packet or a message that cannot be used
├── SourceUnavailable    waveforms that could be read a moment ago
├── BusError
│   ├── BusUnavailable   the broker cannot be reached
│   ├── TopicUnknown     a topic that the table of topics or the broker does not have
│   └── DeliveryFailed   a message was not acknowledged
├── DatabaseError
│   ├── DatabaseUnavailable   it cannot be reached
│   └── DatabaseUnusable      it is none of ours, or of another version
│       └── CatalogueMissing  no catalogue is in it yet
├── LocationError
│   ├── TooFewArrivals   at known stations
│   └── NotOneEvent      no place and time explains enough of the arrivals
└── ModelError
    ├── ModelServerUnavailable
    ├── EmbeddedServerUnusable   it cannot be installed or started on this machine
    ├── ModelUnknown
    └── ModelRefused     the server answered with an error for this request
"""


class KensokuError(Exception):
    """The text is shown to a person as it is, without a traceback."""


class SettingInvalid(KensokuError):
    pass


class InputInvalid(KensokuError):
    pass


class SourceUnavailable(KensokuError):
    pass


class BusError(KensokuError):
    pass


class BusUnavailable(BusError):
    pass


class TopicUnknown(BusError):
    pass


class DeliveryFailed(BusError):
    pass


class DatabaseError(KensokuError):
    pass


class DatabaseUnavailable(DatabaseError):
    pass


class DatabaseUnusable(DatabaseError):
    pass


class CatalogueMissing(DatabaseUnusable):
    pass


class LocationError(KensokuError):
    pass


class TooFewArrivals(LocationError):
    pass


class NotOneEvent(LocationError):
    pass


class ModelError(KensokuError):
    pass


class ModelServerUnavailable(ModelError):
    pass


class EmbeddedServerUnusable(ModelError):
    pass


class ModelUnknown(ModelError):
    pass


class ModelRefused(ModelError):
    pass
