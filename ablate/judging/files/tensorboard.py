"""TensorBoard: scalars, and the options of the plugin `hparams`, in event files.

An event file is a row of records: length, checksum, content, checksum. The content is a message of
TensorBoard's protocol, for which tensorboardX, a dependency of Ray Tune, has the types.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from ablate.judging.run_file import Content, Curves, RunFile

HPARAMS = "_hparams_/session_start_info"
"""Tag under which the plugin keeps the options of a run."""


def read_events(path: Path) -> Content:
    """Return the scalars of an event file, and the options if it holds some."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    curves: Curves = {}
    options: dict[str, str] = {}
    for record in _records(path):
        event = Event.FromString(record)
        for value in event.summary.value:
            if value.tag == HPARAMS:
                data = HParamsPluginData.FromString(value.metadata.plugin_data.content)
                for name, option in data.session_start_info.hparams.items():
                    kind = option.WhichOneof("kind")
                    text = getattr(option, kind) if kind else ""
                    options[name] = str(text).lower() if kind == "bool_value" else _short(text)
            elif value.HasField("simple_value"):
                curves.setdefault(value.tag, []).append((event.step, value.simple_value))
            elif value.HasField("tensor") and value.tensor.float_val:
                curves.setdefault(value.tag, []).append((event.step, value.tensor.float_val[0]))
            elif value.HasField("tensor") and len(value.tensor.tensor_content) == 4:
                number = struct.unpack("<f", value.tensor.tensor_content)[0]
                curves.setdefault(value.tag, []).append((event.step, number))
    return Content(options, curves)


def _short(value: object) -> str:
    """Return an option as text; the plugin keeps whole numbers as floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _records(path: Path) -> Iterator[bytes]:
    """Yield the contents of an event file's records; one that was cut ends the file."""
    data = path.read_bytes()
    place = 0
    while place + 12 <= len(data):
        (size,) = struct.unpack_from("<Q", data, place)
        start, end = place + 12, place + 12 + size
        if end + 4 > len(data):
            return
        yield data[start:end]
        place = end + 4


FILES = {"tensorboard": RunFile("events.out.tfevents.*", read_events)}
