// The operators, declared once. Each device registers its kernels in a folder of its own.
//
// Shapes: x [N, C, ...]; f [fh, fw] in float32 or float64; scale [N, C]; b [C]; noise [1 or N, 1, H, W].
// scale, noise and b have the type that x is computed in: float32, or float64 for float64.
// `act` is one of linear, relu, lrelu, tanh, sigmoid, elu, selu, softplus, swish; a negative clamp
// does not limit. Padding is x0, x1, y0, y1; factors are x, y.
//
//   upfirdn2d           upsample with zeros, pad or crop, filter, downsample; times gain
//   bias_act            clamp(gain * act(x * scale + noise + b))
//   upfirdn2d_bias_act  the second of the first, in one pass over memory
//   bias_act_backward   from dL/dy: dL/dx, dL/dscale, dL/dnoise, dL/db (those wanted, else empty),
//                       for linear, relu and lrelu, whose slope y itself tells if gain > 0 and
//                       alpha >= 0; summed in the type of scale. `samples` is that of the noise.
//
//   demodulation        1 / sqrt(1e-8 + sum over i, y, x of (styles[n, i] weight[o, i, y, x])^2),
//                       float32, without a gradient: for drawing, where reading every weight counts
//   convolution         of x [N, I, H, W] with a weight [O, I, 3, 3] (or, transposed, [I, O, 3, 3]) at
//                       stride 1, or 2 without padding, plus a bias [O], float32, I and O multiples of
//                       16, without a gradient: convolution.py has it
//   weight_gradient     of a [N, A, H, W] and b [N, B, H', W'] the sum over n, p, q of
//                       a[n, i, p, q] b[n, j, stride p + t - padding, stride q + u - padding], for t and u
//                       in 0 to 2, as [A, B, 3, 3], float32: the gradient of a convolution's weight,
//                       where a is that of its output and b its input, or, where a is its input and b
//                       the gradient of its output, of a transposed one's
//
// Only the stable ABI of torch is used, so that one binary serves every torch from 2.11 on.

#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY(stylegan2_ops, m) {
  m.def(
      "upfirdn2d(Tensor x, Tensor f, int[] up, int[] down, int[] padding, bool flip_filter, "
      "float gain) -> Tensor");
  m.def(
      "bias_act(Tensor x, Tensor? scale, Tensor? noise, Tensor? b, str act, float alpha, "
      "float gain, float clamp) -> Tensor");
  m.def(
      "upfirdn2d_bias_act(Tensor x, Tensor f, int[] up, int[] down, int[] padding, "
      "bool flip_filter, float filter_gain, Tensor? scale, Tensor? noise, Tensor? b, str act, "
      "float alpha, float gain, float clamp) -> Tensor");
  m.def(
      "bias_act_backward(Tensor dy, Tensor y, Tensor? x, Tensor? scale, str act, float alpha, "
      "float gain, float clamp, bool[] wanted, int noise_samples) "
      "-> (Tensor, Tensor, Tensor, Tensor)");
  m.def("demodulation(Tensor weight, Tensor styles) -> Tensor");
  m.def(
      "convolution(Tensor x, Tensor weight, Tensor? bias, int stride, int padding, bool transposed) "
      "-> Tensor");
  m.def("weight_gradient(Tensor a, Tensor b, int stride, int padding) -> Tensor");
}
