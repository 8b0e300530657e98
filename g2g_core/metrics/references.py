"""What metrics compare with: the classifier, feature networks, and a set of real images of the same
    classes.

All of it depends on the data set and the evaluation pairs, never on the model or its losses.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, NEUTRAL_OPTIONS, PATH_OPTIONS
from g2g_core.data.pairs import Data, EvaluationPairs, digest_of
from g2g_core.metrics.classifier import RECIPE, Classifier, Judgement, judge
from g2g_core.metrics.networks import WEIGHTS, Judge, Lite0, face_landmarks, face_resnet
from g2g_core.metrics.probes import distinct

POOL_PAIRS = 200
POOL_SEED = -1
"""No replicate has it: the pool is the same for all arms and seeds."""
CHUNK = 64

T = TypeVar("T")


class References:
    """Judges and reference images of one run's evaluation; each is made on first use.

    Args:
        pairs: the run's evaluation pairs.
        data: the run's data set.
        config: names the data set and its options.
    """

    def __init__(self, pairs: EvaluationPairs, data: Data, config: TrialConfig) -> None:
        self.pairs = pairs
        self._data = data
        self._config = config
        self._networks: dict[str, Judge] = {}
        self._memory: dict[str, Any] = {}

    def pool(self) -> EvaluationPairs:
        """Pairs of the same classes as the evaluation pairs, drawn with a seed that no replicate
        has."""
        data = DATASETS[self._config.dataset](replace(self._config, seed=POOL_SEED))
        return data.evaluation_pairs(POOL_PAIRS, self.pairs.split)

    @cached_property
    def _judge(self) -> tuple[Classifier, Judgement]:
        """The classifier of this data set: from the cache folder, or trained once a node."""
        size = self.pairs.first.shape[-1]
        return judge(self._key, len(self.pairs.class_names), size, self.pool)

    @property
    def classifier(self) -> Classifier:
        """The classifier of the evaluation classes."""
        return self._judge[0]

    @property
    def judgement(self) -> Judgement:
        """How good the classifier is."""
        return self._judge[1]

    @cached_property
    def real(self) -> tuple[Tensor, str]:
        """(2P, 3, H, W) real images of the classes of `pairs`, entry by entry, and where they come
        from.

        Distinct images of the pool that are not among the pairs, where each class has enough of
        them; otherwise the pairs' own images, which then are not independent of what is compared
        with them.
        """
        own = torch.cat([self.pairs.first, self.pairs.second])
        labels = torch.cat([self.pairs.first_labels, self.pairs.second_labels])
        chosen = _matched(own, labels, self.pool())
        if chosen is None:
            return own, "the evaluation images themselves: some class has too few others"
        return chosen, "other images of the same classes"

    def network(self, name: str) -> Judge:
        """The network of this name (`classifier`, `lite0`, `face_resnet`, `face_landmarks`), loaded
        once."""
        if name not in self._networks:
            self._networks[name] = self._loaded(name)
        return self._networks[name]

    def look(self, name: str, images: Tensor) -> list[Tensor]:
        """What `Judge.look` of the network of this name gives for (N, 3, H, W) images in [-1,
        1]."""
        network = self.network(name).to(images.device)
        with torch.no_grad():
            chunks = [network.look(chunk) for chunk in torch.split(images, CHUNK)]
        return [torch.cat(level) for level in zip(*chunks, strict=True)]

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """What `compute` gives, computed once a run: for images that stay the same."""
        if key not in self._memory:
            self._memory[key] = compute()
        value: T = self._memory[key]
        return value

    def real_codes(self, name: str, device: torch.device) -> Tensor:
        """The codes that the network of this name gives for `real`."""
        return self.once(f"{name}/reference", lambda: self.look(name, self.real[0].to(device))[-1])

    def _loaded(self, name: str) -> Judge:
        if name == "classifier":
            return self.classifier
        if name == "lite0":
            return Lite0(self.pairs.first.shape[-1])
        return face_resnet() if name == "face_resnet" else face_landmarks()

    def facts(self, needs: frozenset[str]) -> dict[str, Any]:
        """What belongs beside the numbers of metrics with these needs: n, networks, resize filters,
        reference set."""
        facts: dict[str, Any] = {"pairs": len(self.pairs.first), "split": self.pairs.split}
        networks = {name: self.network(name) for name in ("classifier", *WEIGHTS) if name in needs}
        if networks:
            facts["networks"] = {
                name: {"resize": one.resize, "input_px": one.input_px}
                for name, one in networks.items()
            }
        if "classifier" in needs:
            facts["classifier"] = asdict(self.judgement)
        if "reference" in needs:
            images, source = self.real
            facts["reference"] = {
                "n": len(images),
                "source": source,
                "digest": digest_of([images.contiguous()]),
            }
        return facts

    @property
    def _key(self) -> str:
        """Digest of everything the classifier depends on."""
        other = NEUTRAL_OPTIONS | PATH_OPTIONS
        options = sorted(
            (name, value) for name, value in self._config.data.items() if name not in other
        )
        size = self.pairs.first.shape[-1]
        return digest_of(
            [f"{RECIPE}/{self._data.digest}/{options}/{size}/{self.pairs.split}/{POOL_PAIRS}"]
        )


def _matched(own: Tensor, labels: Tensor, pool: EvaluationPairs) -> Tensor | None:
    """For each label a pool image of its class: all distinct, none of them in `own`; None when
    there are too few."""
    images = torch.cat([pool.first, pool.second])
    of_pool = torch.cat([pool.first_labels, pool.second_labels])
    taken = {_print(image) for image in own}
    free: dict[int, list[int]] = {}
    for index in distinct(images).tolist():
        if _print(images[index]) not in taken:
            free.setdefault(int(of_pool[index]), []).append(index)
    chosen = []
    for label in labels.tolist():
        if not free.get(label):
            return None
        chosen.append(free[label].pop(0))
    return images[torch.tensor(chosen)]


def _print(image: Tensor) -> bytes:
    """A fingerprint of an image."""
    return hashlib.blake2b(image.numpy().tobytes()).digest()
