"""The references of metrics: a classifier, feature networks, and real images of the same classes.

They depend on the dataset and on the evaluation pairs only, never on the model or its losses.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from g2g_core.config import TrialConfig
from g2g_core.data import all_datasets
from g2g_core.data.pairs import Data, EvaluationPairs, digest_of
from g2g_core.metrics.classifier import RECIPE, Classifier, Judgement, judge
from g2g_core.metrics.networks import WEIGHTS, Judge, Lite0, face_landmarks, face_resnet
from g2g_core.metrics.probes import distinct

POOL_PAIRS = 200
POOL_SEED = -1
"""A seed that no trial has: the pool is the same for all arms and seeds."""
CHUNK = 64

T = TypeVar("T")


class References:
    """Judges and reference images for the evaluation of one training run, made on first use.

    Args:
        pairs: the evaluation pairs of the run.
        data: the dataset of the run.
        config: names the dataset and its options.
    """

    def __init__(self, pairs: EvaluationPairs, data: Data, config: TrialConfig) -> None:
        self.pairs = pairs
        self._data = data
        self._config = config
        self._networks: dict[str, Judge] = {}
        self._memory: dict[str, Any] = {}

    def pool(self) -> EvaluationPairs:
        """Return pairs of the same classes as the evaluation pairs.

        They are drawn with a seed that no trial has.
        """
        data = all_datasets()[self._config.dataset](replace(self._config, seed=POOL_SEED))
        return data.evaluation_pairs(POOL_PAIRS, self.pairs.split)

    @cached_property
    def _judge(self) -> tuple[Classifier, Judgement]:
        """The classifier of this dataset and how good it is, from the cache folder or trained."""
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
        """Real images (2P, 3, H, W) of the classes of `pairs`, entry by entry, and their origin.

        They are distinct images of the pool that are not among the pairs, if each class has enough
        of them. If not, they are the images of the pairs themselves, which depend on what is
        compared with them.
        """
        own = torch.cat([self.pairs.first, self.pairs.second])
        labels = torch.cat([self.pairs.first_labels, self.pairs.second_labels])
        chosen = _matched(own, labels, self.pool())
        if chosen is None:
            return own, "the evaluation images themselves: some class has too few others"
        return chosen, "other images of the same classes"

    def network(self, name: str) -> Judge:
        """Return the network with this name, loaded once.

        Args:
            name: `classifier`, `lite0`, `face_resnet`, or `face_landmarks`.

        Raises:
            MissingWeights: the weights of the network are not installed.
        """
        if name not in self._networks:
            self._networks[name] = self._loaded(name)
        return self._networks[name]

    def look(self, name: str, images: Tensor) -> list[Tensor]:
        """Return the features of images in the network with this name.

        Args:
            name: as for `network`.
            images: (N, 3, H, W) in [-1, 1].

        Returns:
            Maps and codes, as from `Judge.look`.
        """
        network = self.network(name).to(images.device)
        with torch.no_grad():
            chunks = [network.look(chunk) for chunk in torch.split(images, CHUNK)]
        return [torch.cat(level) for level in zip(*chunks, strict=True)]

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """Return what `compute` returns, computed once per run.

        Use it for images that stay the same.

        Args:
            key: name of the value.
            compute: computes the value on the first call with this key.
        """
        if key not in self._memory:
            self._memory[key] = compute()
        value: T = self._memory[key]
        return value

    def real_codes(self, name: str, device: torch.device) -> Tensor:
        """Return the codes of the `real` images in the network with this name."""
        return self.once(f"{name}/reference", lambda: self.look(name, self.real[0].to(device))[-1])

    def _loaded(self, name: str) -> Judge:
        if name == "classifier":
            return self.classifier
        if name == "lite0":
            return Lite0(self.pairs.first.shape[-1])
        return face_resnet() if name == "face_resnet" else face_landmarks()

    def facts(self, needs: frozenset[str]) -> dict[str, Any]:
        """Return the facts that belong to the values of metrics with these needs.

        Returns:
            JSON-ready: numbers of pairs and images, networks, resize filters, and the reference
            set.
        """
        facts: dict[str, Any] = {"pairs": len(self.pairs.first), "split": self.pairs.split}

        networks = {name: self.network(name) for name in ("classifier", *WEIGHTS) if name in needs}
        if networks:
            facts["networks"] = {
                name: {"resize": network.resize, "input_px": network.input_px}
                for name, network in networks.items()
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
        """A digest of everything that the classifier depends on."""
        without_effect = all_datasets()[self._config.dataset].without_effect()
        options = sorted(
            (name, value) for name, value in self._config.data.items() if name not in without_effect
        )
        size = self.pairs.first.shape[-1]
        return digest_of(
            [f"{RECIPE}/{self._data.digest}/{options}/{size}/{self.pairs.split}/{POOL_PAIRS}"]
        )


def _matched(own: Tensor, labels: Tensor, pool: EvaluationPairs) -> Tensor | None:
    """Return a pool image of the right class for each label, or None if there are too few.

    All images are distinct, and none of them is in `own`.
    """
    images = torch.cat([pool.first, pool.second])
    pool_labels = torch.cat([pool.first_labels, pool.second_labels])

    own_images = {_fingerprint(image) for image in own}
    unused: dict[int, list[int]] = {}
    for index in distinct(images).tolist():
        if _fingerprint(images[index]) not in own_images:
            unused.setdefault(int(pool_labels[index]), []).append(index)

    chosen = []
    for label in labels.tolist():
        if not unused.get(label):
            return None
        chosen.append(unused[label].pop(0))
    return images[torch.tensor(chosen)]


def _fingerprint(image: Tensor) -> bytes:
    """Return a digest of an image."""
    return hashlib.blake2b(image.numpy().tobytes()).digest()
