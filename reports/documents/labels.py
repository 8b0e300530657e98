"""Plain names of metrics, losses, factors, and levels, for readers who don't know the code.

A study file can give its own with `label`, `labels`, and `metrics`. Names that G2G-Ablate brings
have plain names here; everything else keeps the name that the study file has.
"""

from dataclasses import dataclass
from typing import Any

from reports.documents.plan import PlanDocument, first_level

IMAGES = {
    "mixed": "mixed images",
    "short": "short reconstructions",
    "long": "full reconstructions",
    "copy_content": "copies of the content image",
    "copy_class": "copies of the class image",
}
"""Start of a metric's name -> the images that it measures."""

KINDS = {
    "l1": "the error of {}",
    "psnr": "the signal-to-noise ratio of {}",
    "ssim": "the structural similarity of {}",
    "diversity": "the diversity of {}",
    "perceptual_classifier": "the perceptual error of {} (by the classifier)",
    "perceptual_lite0": "the perceptual error of {} (by EfficientNet)",
    "content_l1": "the distance of {} from their content images",
    "class_l1": "the distance of {} from their class images",
    "as_content_class": "the share of {} that keep the class of their content image",
}
"""Rest of a metric's name -> what it measures of these images."""

METRICS = {
    "swap_score": "the swap score of mixed images",
    "content_effect": "the effect of the content image",
    "class_effect": "the effect of the class image",
    "content_distance_edges": "the distance of contours from the content image",
    "content_distance_lite0": "the distance of features from the content image",
    "class_from_content": "the class information in content codes",
    "class_from_class": "the class information in class codes",
    "content_from_class": "the content information in class codes",
    "content_from_content": "the content information in content codes",
    "dci_disentanglement": "disentanglement (DCI)",
    "dci_completeness": "completeness (DCI)",
    "dci_informativeness": "informativeness (DCI)",
    "translation_accuracy": "the share of mixed images with the right class",
    "real_accuracy": "the share of original images with the right class",
    "classifier_accuracy": "the accuracy of the classifier",
    "kid_classifier": "the kernel distance from real images (by the classifier)",
    "frechet_classifier": "the Fréchet distance from real images (by the classifier)",
    "classwise_kid_classifier": "the kernel distance within classes (by the classifier)",
    "classwise_frechet_classifier": "the Fréchet distance within classes (by the classifier)",
    "kid_lite0": "the kernel distance from real images (by EfficientNet)",
    "frechet_lite0": "the Fréchet distance from real images (by EfficientNet)",
    "classwise_kid_lite0": "the kernel distance within classes (by EfficientNet)",
    "classwise_frechet_lite0": "the Fréchet distance within classes (by EfficientNet)",
    "identity_distance_class": "the identity distance from the class image",
    "identity_distance_content": "the identity distance from the content image",
    "identity_distance_pairs": "the identity distance of the two originals",
    "identity_swapped": "the share of mixed images with the right identity",
    "landmark_distance": "the distance of face points from the content image",
    "landmark_distance_pairs": "the distance of face points of the two originals",
}
"""Metrics whose names aren't made of two parts."""

WEIGHTS = {"raw_": " (raw weights)", "average_": " (averaged weights)"}
"""Start of a metric's name -> the weights that are evaluated."""

LOSSES = {
    "adversarial": "the adversarial loss",
    "short_recon": "the short reconstruction loss",
    "long_recon": "the full reconstruction loss",
    "self_fm": "feature matching of short reconstructions",
    "short_fm": "feature matching of mixed images",
    "long_fm": "feature matching of full reconstructions",
    "reassembly_fm": "feature matching of reassembled images",
    "content_cycle": "the content cycle loss",
    "content_cycle_crossed": "the crossed content cycle loss",
    "class_cycle": "the class cycle loss",
    "perceptual_long": "the perceptual loss of full reconstructions",
    "perceptual_short": "the perceptual loss of short reconstructions",
    "identity_mixed": "the identity loss",
    "identity_mixed_as_printed": "the identity loss as printed",
    "adversarial_lsgan": "the least-squares adversarial loss",
    "adversarial_vanilla": "the cross-entropy adversarial loss",
    "adversarial_wgan": "the Wasserstein adversarial loss",
    "d_hinge": "the discriminator's hinge loss",
    "d_hinge_swapped": "the discriminator's hinge loss with swapped labels",
    "d_r1": "the gradient penalty on real images",
    "d_lsgan": "the discriminator's least-squares loss",
    "d_vanilla": "the discriminator's cross-entropy loss",
    "d_wgan": "the discriminator's Wasserstein loss",
    "d_wgan_penalty": "the Wasserstein gradient penalty",
}


def metric_label(name: str) -> str:
    """Return the plain name of a metric that G2G-Ablate brings; empty for others."""
    for start, weights in WEIGHTS.items():
        if name.startswith(start) and (rest := metric_label(name.removeprefix(start))):
            return rest + weights
    if name in METRICS:
        return METRICS[name]
    for start, images in IMAGES.items():
        kind = name.removeprefix(f"{start}_")
        if kind != name and kind in KINDS:
            return KINDS[kind].format(images)
    return ""


@dataclass(frozen=True)
class Labels:
    """The plain names of a study; each is empty where there is none.

    Attributes:
        plan: The plan; the names need its factors and metrics.
    """

    plan: PlanDocument

    def metric(self, name: str) -> str:
        """Return what a metric is in words: `the error of mixed images`."""
        described: dict[str, Any] = self.plan.get("metrics", {}).get(name) or {}
        own = described.get("label")
        return str(own) if own else metric_label(name)

    def factor(self, name: str) -> str:
        """Return what a factor is in words: `what the resume restores`."""
        entry = self.plan.get("factors", {}).get(name)
        own = entry.get("label") if entry else None
        return str(own) if own else LOSSES.get(name, "")

    def level(self, factor: str, level: str) -> str:
        """Return a level in words that can start a sentence: `restoring only the generator`."""
        labels: dict[str, str] = self.plan["factors"][factor].get("labels", {})
        return str(labels.get(level, ""))

    def description(self, factor: str, level: str = "") -> str:
        """Return the description of a factor, or of one of its levels."""
        entry = self.plan["factors"][factor]
        described: dict[str, str] = entry.get("descriptions", {})
        text = described.get(level) if level else entry.get("description")
        return str(text or "")

    def changed(self, factor: str, level: str = "") -> str:
        """Return a change of a factor in words, for the level or for the only one it has."""
        first = first_level(self.plan, factor)
        others = [str(x) for x in self.plan["factors"][factor]["levels"] if str(x) != first]
        level = level or (others[0] if len(others) == 1 else "")
        return self.level(factor, level) if level else ""
