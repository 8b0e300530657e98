from dataclasses import dataclass

from ablate.reading.options import attributes, options_of
from g2g_core.models import MODELS


@dataclass
class Base:
    """Options that others share.

    Attributes:
        size: size of the base.
        depth: layers, a text
            of two lines.
    """

    size: int = 1
    depth: int = 2


@dataclass
class Silent(Base):
    more: int = 3


@dataclass
class Own(Silent):
    """Options of its own.

    Attributes:
        size: size of this one.
    """

    size: int = 4


def test_inherited_options_keep_their_texts() -> None:
    assert attributes(Own) == {"size": "size of this one.", "depth": "layers, a text of two lines."}
    assert options_of(Silent)["size"]["description"] == "size of the base."


def test_every_option_of_every_model_has_a_text() -> None:
    for model in MODELS.values():
        for name, rule in options_of(model.options).items():
            assert rule["description"], f"{model.options.__name__}.{name}"
