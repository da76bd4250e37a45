"""The operators StyleGAN2 is made of, differentiable to any order, on every device torch runs on.

    bias_act          bias, activation, gain and clamp of a layer
    upfirdn2d         upsample, pad, filter and downsample
    upfirdn2d_bias_act  the second of the first, in one pass over memory
    conv2d, conv_transpose2d  those of torch, with kernels for 3x3 filters on the CPU
    modulated_conv2d  convolution whose input channels are scaled by a style, separately per sample
    implementation    which code runs, and why

Written from Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020), and
"A Style-Based Generator Architecture for GANs" (2019); no line comes from NVIDIA's code.
"""

from stylegan2_ops._dispatch import Implementation, implementation
from stylegan2_ops.bias_act import ACTIVATIONS, bias_act
from stylegan2_ops.convolution import conv2d, conv_transpose2d
from stylegan2_ops.modulated_conv2d import modulated_conv2d
from stylegan2_ops.upfirdn2d import filter_from_taps, upfirdn2d, upsample2d
from stylegan2_ops.upfirdn2d_bias_act import upfirdn2d_bias_act

__all__ = [
    "ACTIVATIONS",
    "Implementation",
    "bias_act",
    "conv2d",
    "conv_transpose2d",
    "filter_from_taps",
    "implementation",
    "modulated_conv2d",
    "upfirdn2d",
    "upfirdn2d_bias_act",
    "upsample2d",
]
