// What the CPU kernels are given. This header and the kernels that include it know nothing of torch
// or of the standard library's templates: they are compiled once for each set of instructions, and
// an inline function of a shared header could be linked from the wrong one.
//
// A tensor [N, C, H, W] is seen as `planes` of [height, width, inner]: N planes with inner = C where
// channels are innermost (channels_last), N * C planes with inner = 1 where they are not.
#pragma once

#include <cstdint>

namespace stylegan2_ops {

enum class Type : int { f32, f64, f16, bf16 };

// Runs body(begin, end, context) on parts of [0, count), at least `grain` long, on several threads.
struct Threads {
  void (*run)(int64_t count, int64_t grain, void (*body)(int64_t, int64_t, void*), void* context);
};

// clamp(gain * act(v * scale + noise + b)). Absent parts are null; clamp < 0 does not limit.
// scale [N, C], b [C] and noise [N or 1, H * W] are double for f64 and float for the other types.
struct Epilogue {
  const void* scale;
  const void* noise;
  const void* b;
  bool shared_noise;
  int act;
  double alpha, gain, clamp;
};

struct Shape {
  int64_t samples, channels, positions;
  bool channels_last;
};

struct BiasAct {
  Type type;
  Shape shape;
  const void* x;
  void* y;
  Epilogue epilogue;
};

// Sums over fixed pieces of the positions, so that they do not depend on the number of threads.
// `bias_sums` and `scale_sums` are [N, pieces, C], `noise_sums` is [N, positions]; null if unwanted.
struct BiasActBackward {
  Type type;
  Shape shape;
  const void* dy;
  const void* y;
  const void* x;      // null where scale_sums is
  const void* scale;  // [N, C] or null
  void* dx;           // or null
  void* scale_sums;
  void* noise_sums;
  void* bias_sums;
  int64_t piece;  // positions in a piece
  int act;
  double alpha, gain, clamp;
};

// `taps` is [fh, fw] in correlation order with the gain in it; `column` [fh] and `row` [fw] are its
// factors where it is separable, else null.
struct Upfirdn2d {
  Type type;
  Shape shape;  // of the output
  const void* x;
  void* y;
  int64_t height, width, out_height, out_width;
  int64_t upx, upy, downx, downy, x0, y0, fh, fw;
  const double* taps;
  const double* column;
  const double* row;
  const Epilogue* epilogue;  // or null
};

// 1 / sqrt(1e-8 + sum over i and t of (styles[n, i] * weight[o, i, t])^2), float32. The weight lies in
// memory as [outputs, taps, inputs], or as [inputs, taps, outputs] where `outputs_innermost`.
struct Demodulation {
  const float* weight;
  const float* styles;  // [N, I]
  float* y;             // [N, O]
  int64_t samples, outputs, inputs, taps;
  bool outputs_innermost;
};

// y[i, t, u, j] = sum over n, p, q of a[n, p, q, i] b[n, stride p + t - padding, stride q + u - padding, j]
// for t and u in 0 to 2, float32, channels innermost; outside of its image b is 0.
struct WeightGradient {
  const float* a;  // [N, height, width, a_channels]
  const float* b;  // [N, b_height, b_width, b_channels]
  float* y;        // [a_channels, 3, 3, b_channels]
  int64_t samples, height, width, a_channels, b_height, b_width, b_channels, stride, padding;
};

// y[n, p, q, o] = bias[o] + sum over i, t, u of weight[o, i, t, u] x[n, p + t - padding, q + u - padding, i]
// for t and u in 0 to 2, float32, channels innermost; outside of its image x is 0. Inputs and outputs
// are multiples of 16. Where it is `halving`, 2 p and 2 q stand for p and q; where `enlarging`, x has
// zeros between its positions, and a padding of 2, which is a `padding` of 1 in its own positions.
enum class Resizing : int { none, halving, enlarging };

struct Convolution {
  const float* x;  // [N, height, width, inputs]
  const float* weight;
  int64_t weight_steps[4];  // in memory, of o, i, t and u
  const float* bias;        // [outputs] or null
  float* y;                 // [N, out_height, out_width, outputs]
  int64_t samples, height, width, inputs, out_height, out_width, outputs, padding;
  Resizing resizing;
};

struct Kernels {
  const char* capability;
  void (*bias_act)(const BiasAct&, const Threads&);
  void (*bias_act_backward)(const BiasActBackward&, const Threads&);
  void (*upfirdn2d)(const Upfirdn2d&, const Threads&);
  void (*demodulation)(const Demodulation&, const Threads&);
  void (*weight_gradient)(const WeightGradient&, const Threads&);
  void (*weight_gradient_in_tiles)(const WeightGradient&, const Threads&);  // see register.cpp
  void (*convolution)(const Convolution&, const Threads&);
};

}  // namespace stylegan2_ops
