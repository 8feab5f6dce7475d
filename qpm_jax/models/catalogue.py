"""The networks by name: what each expects and gives, and how it is built."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flax import linen as nn

from qpm_jax.models.classifier import Classifier
from qpm_jax.models.convnext import ConvNeXt
from qpm_jax.models.efficientnet_lite import EfficientNetLite
from qpm_jax.models.mobilenet_v2 import MobileNetV2Folded
from qpm_jax.models.mobilenet_v2_torch import MobileNetV2
from qpm_jax.models.resnet import REDUCED_STRIDES, BasicBlock, Bottleneck, ResNet
from qpm_jax.models.resnet_small import ResNetSmall
from qpm_jax.models.swin import SWIN_S_DEPTHS, Swin
from qpm_jax.models.vit import VisionTransformer
from qpm_jax.nearest_names import did_you_mean

Colour = tuple[float, float, float]

# What PyTorch's ImageNet weights were trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ModelSpecification:
    """What a backbone expects and gives.

    Attributes:
      name: its name in the catalogue.
      num_features: number of features F.
      image_size: (height, width) in pixels it was made for; others work too.
      mean: of the expected input in [0, 1], input = (x/255 − mean)/std; None means the
        data set's own.
      std: as `mean`.
      pretrained: whether `load_weights` can read published weights for it.
    """

    name: str
    num_features: int
    image_size: tuple[int, int]
    mean: Colour | None
    std: Colour | None
    pretrained: bool


@dataclass(frozen=True)
class _Entry:
    specification: ModelSpecification
    backbone: Callable[..., nn.Module]
    reduced: Callable[..., nn.Module] | None  # None where there are no strides
    bounded: bool = False  # maps end at 6, and can do without


def _centred_on(center: int) -> tuple[Colour, Colour]:
    """Mean and std in [0, 1] of an input (x − center)/128, x in 0..255."""
    return (center / 255,) * 3, (128 / 255,) * 3


def _imagenet(
    name: str,
    num_features: int,
    backbone: Callable[..., nn.Module],
    reduced: Callable[..., nn.Module] | None,
    *,
    bounded: bool = False,
) -> _Entry:
    size = (224, 224)
    colours = (IMAGENET_MEAN, IMAGENET_STD)
    specification = ModelSpecification(name, num_features, size, *colours, True)
    return _Entry(specification, backbone, reduced, bounded)


def _resnet(
    name: str, block: type[BasicBlock | Bottleneck], depths: tuple[int, ...]
) -> _Entry:
    build = partial(ResNet, block, depths)
    return _imagenet(
        name, 512 * block.expansion, build, partial(build, REDUCED_STRIDES)
    )


_CATALOGUE = {
    entry.specification.name: entry
    for entry in (
        _Entry(
            ModelSpecification("resnet_small", 192, (64, 64), None, None, False),
            ResNetSmall,
            partial(ResNetSmall, strides=(2, 1, 1)),
        ),
        _Entry(
            ModelSpecification(
                "efficientnet_lite0", 1280, (224, 224), *_centred_on(127), True
            ),
            EfficientNetLite,
            partial(EfficientNetLite, reduced_strides=True),
            bounded=True,
        ),
        _Entry(
            ModelSpecification(
                "mobilenet_v2_tf", 1280, (224, 224), *_centred_on(128), True
            ),
            MobileNetV2Folded,
            partial(MobileNetV2Folded, reduced_strides=True),
            bounded=True,
        ),
        _imagenet(
            "mobilenet_v2",
            1280,
            MobileNetV2,
            partial(MobileNetV2, reduced_strides=True),
            bounded=True,
        ),
        _resnet("resnet18", BasicBlock, (2, 2, 2, 2)),
        _resnet("resnet34", BasicBlock, (3, 4, 6, 3)),
        _resnet("resnet50", Bottleneck, (3, 4, 6, 3)),
        _imagenet("convnext_t", 768, ConvNeXt, partial(ConvNeXt, reduced_strides=True)),
        _imagenet("swin_t", 768, Swin, partial(Swin, reduced_strides=True)),
        _imagenet(
            "swin_s",
            768,
            partial(Swin, SWIN_S_DEPTHS),
            partial(Swin, SWIN_S_DEPTHS, reduced_strides=True),
        ),
        _imagenet("vit_s_14_dinov2", 384, partial(VisionTransformer, 384, 6), None),
        _imagenet("vit_b_14_dinov2", 768, partial(VisionTransformer, 768, 12), None),
    )
}


def names() -> tuple[str, ...]:
    """Returns the names `create` knows, sorted."""
    return tuple(sorted(_CATALOGUE))


def _entry(name: str) -> _Entry:
    if name in _CATALOGUE:
        return _CATALOGUE[name]
    raise ValueError(
        f"name: no model is called {name!r}.{did_you_mean(name, names())} Allowed are"
        f" {', '.join(names())}"
    )


def specification(name: str) -> ModelSpecification:
    """Returns what the named backbone expects and gives.

    Raises:
      ValueError: for an unknown name, with the nearest known ones.
    """
    return _entry(name).specification


def create(
    name: str,
    num_classes: int,
    reduced_strides: bool = False,
    dropout: float = 0.2,
    *,
    unbounded_maps: bool = False,
) -> Classifier:
    """Builds the dense network of phase 1: the named backbone and a linear head.

    Args:
      name: one of `names()`.
      num_classes: number of classes C.
      reduced_strides: finer maps from stride 1 in the last stage or stages; what that
        is for each backbone is in docs/backbones.md.
      dropout: share of the pooled features set to zero in training.
      unbounded_maps: for the mobile networks, whose maps end at 6: the last ReLU6
        without its 6, so that a feature that looks at one place can be as large as one
        that looks everywhere.

    Returns:
      A Flax module; `module.apply(variables, images[N,h,w,3], train=False)` gives
      (logits[N,C], features[N,F], feature_maps[N,H,W,F]) with non-negative maps.

    Raises:
      ValueError: for an unknown name (the nearest are named), fewer than one class, a
        dropout outside [0, 1), reduced strides where there are none to reduce, or
        unbounded maps where they have no bound.
    """
    entry = _entry(name)
    if num_classes < 1:
        raise ValueError(f"num_classes: {num_classes}, allowed is 1 or more")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout: {dropout}, allowed is 0 up to (not with) 1")
    check_options(name, reduced_strides, unbounded_maps)
    build = (entry.reduced if reduced_strides else None) or entry.backbone
    backbone = build(unbounded_maps=True) if unbounded_maps else build()
    return Classifier(backbone=backbone, num_classes=num_classes, dropout=dropout)


def check_options(name: str, reduced_strides: bool, unbounded_maps: bool) -> None:
    """Raises ValueError where the named backbone does not have an option of `create`.

    Args:
      name: one of `names()`.
      reduced_strides: as for `create`.
      unbounded_maps: as for `create`.

    Raises:
      ValueError: for an unknown name, reduced strides where there are none to reduce,
        or unbounded maps where they have no bound; which backbones can is said.
    """
    entry = _entry(name)
    if reduced_strides and entry.reduced is None:
        known = [other for other in names() if _CATALOGUE[other].reduced]
        raise ValueError(
            f"reduced_strides: {name!r} has no strides to reduce, its maps are as fine"
            f" as its patches; allowed are False, or one of {', '.join(known)}"
        )
    if unbounded_maps and not entry.bounded:
        known = [other for other in names() if _CATALOGUE[other].bounded]
        raise ValueError(
            f"unbounded_maps: the maps of {name!r} have no bound to take away; allowed"
            f" are False, or one of {', '.join(known)}"
        )
