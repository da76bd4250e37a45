"""A StyleGAN2 generator as an ONNX model, ``z [N, Z] -> image [N, 3, R, R]``, for any N.

The graph is written node by node from the definition of the network, so it holds nothing but
operators that every runtime has, and needs none of torch's compiler. Noise is what is stored with
the generator, truncation 1; a generator with classes takes a second input, ``class [N, classes]``
(one-hot). Images are nominally in [-1, 1], as regen's own.

Shapes: N samples; Z, W dimensions of z and w; C channels; r resolution; k side of a kernel.
"""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.atomic import atomic_write
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.network import Dense, StyledConvolution, ToRGB

OPSET = 17
IR_VERSION = 8  # of the same age as the opset, so that older runtimes open it
_SLOPE, _GAIN = 0.2, math.sqrt(2)  # of the leaky ReLU
_TINY = 1e-8
_LARGEST_BYTES = 2_000_000_000  # of a file in Google's protocol buffers


def write_onnx(path: Path | str, generator: StyleGAN2) -> list[str]:
    """Write the model, whole or not at all.

    Returns:
        What its user must know, sentences without a full stop.

    Raises:
        GeneratorError: If the package onnx is not installed, or the model would be too large.
        StoreError: If the file cannot be written.
    """
    size = sum(t.numel() * 4 for t in generator.state_dict().values())
    if size > _LARGEST_BYTES:
        got, expected = f"{size / 1e9:.1f} GB of weights", "at most 2 GB in an ONNX file"
        raise GeneratorError(f"{path}", got=got, expected=expected)
    taps = min(len(f) for f in _filters(generator))
    if taps < 2:
        raise GeneratorError("resampling filter", got="one tap", expected="two or more for ONNX")
    content = _Graph(generator).model().SerializeToString(deterministic=True)
    with atomic_write(path) as part:
        part.write_bytes(content)
    return ["an ONNX file holds z to image at truncation 1, with the stored noise"]


def _onnx() -> Any:
    try:
        return import_module("onnx")
    except ImportError as error:
        raise GeneratorError(
            "writing .onnx needs the package onnx", remedy="run `pip install onnx`"
        ) from error


class _Graph:
    """The nodes and the weights of a model, as they are added."""

    def __init__(self, generator: StyleGAN2) -> None:
        self.onnx, self.generator = _onnx(), generator
        self.nodes: list[Any] = []
        self.weights: dict[str, Any] = {}

    def model(self) -> Any:
        """The whole model."""
        helper, config = self.onnx.helper, self.generator.config
        kind = self.onnx.TensorProto.FLOAT
        inputs = [helper.make_tensor_value_info("z", kind, ["N", config.z_dim])]
        if config.label_dim:
            inputs.append(helper.make_tensor_value_info("class", kind, ["N", config.label_dim]))
        self.node("Identity", [self.synthesis(self.mapping())], output="image")
        shape = ["N", 3, config.resolution, config.resolution]
        outputs = [helper.make_tensor_value_info("image", kind, shape)]
        graph = helper.make_graph(
            self.nodes, "stylegan2", inputs, outputs, list(self.weights.values())
        )
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opset, producer_name="regen")
        made.ir_version = IR_VERSION
        self.onnx.checker.check_model(made)
        return made

    def node(self, kind: str, inputs: list[str], *, output: str = "", **attributes: Any) -> str:
        """Add a node; the name of what it gives."""
        name = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, name: str, value: Tensor | float | list[int]) -> str:
        """Add a constant; its name."""
        if name not in self.weights:
            whole = isinstance(value, list)
            tensor = torch.as_tensor(value, dtype=torch.int64 if whole else torch.float32)
            array = tensor.detach().cpu().contiguous().numpy()
            self.weights[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def dense(self, x: str, layer: Dense, name: str) -> str:
        """A fully connected layer, ``[N, in] -> [N, out]``."""
        scale = layer.lr / math.sqrt(layer.weight.shape[1])
        weight = self.weight(f"{name}.weight", layer.weight.detach() * scale)
        bias = self.weight(f"{name}.bias", layer.bias.detach() * layer.lr)
        y = self.node("Gemm", [x, weight, bias], transB=1)
        return y if layer.act == "linear" else self.activated(y, None)

    def activated(self, x: str, clamp: float | None) -> str:
        """Leaky ReLU with its gain, and a limit."""
        x = self.node("LeakyRelu", [x], alpha=_SLOPE)
        x = self.node("Mul", [x, self.weight("gain", _GAIN)])
        return self.clamped(x, clamp)

    def clamped(self, x: str, clamp: float | None) -> str:
        if clamp is None:
            return x
        return self.node("Clip", [x, self.weight("least", -clamp), self.weight("most", clamp)])

    def normalized(self, x: str) -> str:
        """Each row scaled to a mean square of 1."""
        square = self.node("Mul", [x, x])
        mean = self.node("ReduceMean", [square], axes=[1], keepdims=1)
        return self.node("Div", [x, self.root(mean)])

    def root(self, x: str) -> str:
        """The root of x, kept away from 0."""
        return self.node("Sqrt", [self.node("Add", [x, self.weight("tiny", _TINY)])])

    def mapping(self) -> str:
        """z to w, ``[N, W]``."""
        network = self.generator.mapping
        x = self.normalized("z")
        if network.embed is not None:
            embedded = self.normalized(self.dense("class", network.embed, "mapping.embed"))
            x = self.node("Concat", [x, embedded], axis=1)
        for number, layer in enumerate(network.layers):
            assert isinstance(layer, Dense)
            x = self.dense(x, layer, f"mapping.layers.{number}")
        return x

    def synthesis(self, w: str) -> str:
        """w to images: the convolutions, and the images of all resolutions summed."""
        network, rgb = self.generator.synthesis, ""
        x = self.weight("const", network.const.detach()[None])
        for layer in range(1, self.generator.convolutions + 1):
            x = self.convolution(x, w, self.generator.conv(layer), f"convs.{layer}")
            if str(layer) in network.rgbs:
                to_rgb = network.rgbs[str(layer)]
                assert isinstance(to_rgb, ToRGB)
                colour = self.to_rgb(x, w, to_rgb, f"rgbs.{layer}")
                larger = self.enlarged(rgb, network.resample_filter) if rgb else ""
                rgb = self.node("Add", [larger, colour]) if rgb else colour
        return rgb

    def styled(
        self, x: str, w: str, layer: Dense, name: str, scale: float = 1.0
    ) -> tuple[str, str]:
        """x with its channels scaled by a style, and the style ``[N, C]``."""
        style = self.dense(w, layer, f"{name}.affine")
        if scale != 1:
            style = self.node("Mul", [style, self.weight(f"{name}.scale", scale)])
        axes = self.weight("axes", [2, 3])
        return self.node("Mul", [x, self.node("Unsqueeze", [style, axes])]), style

    def convolution(self, x: str, w: str, layer: StyledConvolution, name: str) -> str:
        """One of the convolutions with noise, bias and activation."""
        x, style = self.styled(x, w, layer.affine, name)
        weight = layer.weight.detach()
        if layer.up == 1:
            x = self.node("Conv", [x, self.weight(f"{name}.weight", weight)], pads=[1, 1, 1, 1])
        else:
            turned = self.weight(f"{name}.weight", weight.transpose(0, 1))
            x = self.node("ConvTranspose", [x, turned], strides=[2, 2])
            x = self.filtered(x, layer.resample_filter, weight.shape[0], _after_enlarging(layer))
        x = self.node("Div", [x, self.sigma(style, weight, name)])
        noise = layer.noise_const.detach() * layer.noise_strength.detach()
        both = noise[None] + layer.bias.detach()[:, None, None]
        x = self.node("Add", [x, self.weight(f"{name}.noise_and_bias", both[None])])
        return self.activated(x, layer.clamp)

    def sigma(self, style: str, weight: Tensor, name: str) -> str:
        """What demodulation divides by, ``[N, C, 1, 1]``."""
        energy = self.weight(f"{name}.energy", weight.square().sum(dim=[2, 3]).T)
        power = self.node("MatMul", [self.node("Mul", [style, style]), energy])
        return self.node("Unsqueeze", [self.root(power), self.weight("axes", [2, 3])])

    def to_rgb(self, x: str, w: str, layer: ToRGB, name: str) -> str:
        """A 1x1 convolution to colours."""
        weight = layer.weight.detach()
        x, _ = self.styled(x, w, layer.affine, name, 1 / math.sqrt(weight.shape[1]))
        bias = self.weight(f"{name}.bias", layer.bias.detach())
        x = self.node("Conv", [x, self.weight(f"{name}.weight", weight), bias])
        return self.clamped(x, layer.clamp)

    def enlarged(self, rgb: str, taps: Tensor) -> str:
        """An image of twice the size, smoothed by the filter of the generator."""
        before = (taps.shape[0] + 1) // 2
        begin, end = taps.shape[0] - 1 - before, before - 1  # of what the filter adds at the sides
        kernel = self.weight("rgb.filter", (taps * 4).expand(3, 1, *taps.shape))
        pads = [begin, begin, end, end]
        return self.node("ConvTranspose", [rgb, kernel], strides=[2, 2], pads=pads, group=3)

    def filtered(self, x: str, taps: Tensor, channels: int, padding: tuple[int, int]) -> str:
        """Each channel convolved with the filter, at 4 times its sum."""
        kernel = (taps.flip([0, 1]) * 4).expand(channels, 1, *taps.shape)
        name = self.weight(f"filter.{channels}.{taps.shape[0]}", kernel)
        begin, end = padding
        return self.node("Conv", [x, name], pads=[begin, begin, end, end], group=channels)


def _filters(generator: StyleGAN2) -> list[Tensor]:
    layers = [generator.conv(layer) for layer in range(1, generator.convolutions + 1)]
    return [generator.synthesis.resample_filter, *(layer.resample_filter for layer in layers)]


def _after_enlarging(layer: StyledConvolution) -> tuple[int, int]:
    """Padding of the filter that follows a transposed convolution of stride 2."""
    side, taps = int(layer.weight.shape[-1]), int(layer.resample_filter.shape[0])
    before, after = 1 - (side - 1), 1 - (side - 2)
    return before + (taps + 1) // 2, after + (taps - 2) // 2
