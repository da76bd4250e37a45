// What follows a convolution: clamp(gain * act(v * scale + noise + b)).
#pragma once

#include <cmath>
#include <limits>

#include "../arguments.h"
#include "numbers.cuh"

namespace stylegan2_ops::gpu {

// Absent parts are null. S is the type of the sums; `low` and `high` are infinite where nothing is
// clamped. relu is a line that is clamped at 0, which differs where a gain of 0 or infinity meets an
// infinite number.
template <typename S>
struct Epilogue {
  const S* scale;  // [N, C]
  const S* noise;  // [1 or N, positions]
  const S* b;      // [C]
  int64_t noise_step;  // from one sample's noise to the next one's: positions, or 0 if shared
  Act act;
  S slope;  // below 0, of activations made of two straight lines
  S alpha, gain, low, high;
};

template <typename S>
Epilogue<S> make_epilogue(const OptionalTensor& scale, const OptionalTensor& noise,
                          const OptionalTensor& b, int64_t positions, Act act, double alpha,
                          double gain, double clamp) {
  const auto pointer = [](const OptionalTensor& part) {
    return part ? static_cast<const S*>(part->const_data_ptr()) : nullptr;
  };
  const S limit = clamp < 0 ? std::numeric_limits<S>::infinity() : static_cast<S>(clamp);
  const bool relu = act == Act::relu;
  return {pointer(scale),
          pointer(noise),
          pointer(b),
          noise && noise->size(0) > 1 ? positions : 0,
          act,
          act == Act::lrelu ? static_cast<S>(alpha) : S(1),
          static_cast<S>(alpha),
          static_cast<S>(gain),
          relu && gain >= 0 ? S(0) : -limit,
          relu && gain < 0 ? S(0) : limit};
}

// Activations made of two straight lines: linear, relu and lrelu.
inline bool is_piecewise(Act act) { return act <= Act::lrelu; }

// Factor and summand of N channels, or of one channel.
template <int N, typename S>
struct Affine {
  S scale[N], b[N];

  __device__ __forceinline__ Affine(const Epilogue<S>& e, int64_t row, int64_t channel) {
    Vector<S, N> scales, biases;
    if (e.scale) scales = load<N>(e.scale + row);
    if (e.b) biases = load<N>(e.b + channel);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      scale[i] = e.scale ? scales.values[i] : S(1);
      b[i] = e.b ? biases.values[i] : S(0);
    }
  }
};

// The number in [low, high] next to v; NaN stays, which fmin and fmax would lose.
template <typename S>
__device__ __forceinline__ S bounded(S v, S low, S high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  if constexpr (sizeof(S) == sizeof(float)) {
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(v) : "f"(v), "f"(low));
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(v) : "f"(v), "f"(high));
    return v;
  }
#endif
  return v > high ? high : v < low ? low : v;
}

template <Act act, typename S>
__device__ __forceinline__ S activated(S v) {
  if constexpr (act == Act::tanh) return std::tanh(v);
  if constexpr (act == Act::sigmoid) return S(1) / (S(1) + std::exp(-v));
  if constexpr (act == Act::elu) return v < 0 ? std::expm1(v) : v;
  if constexpr (act == Act::selu) {
    constexpr S scale = S(1.0507009873554804934193349852946);
    constexpr S negative = S(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717);
    return v < 0 ? negative * std::expm1(v) : scale * v;
  }
  if constexpr (act == Act::softplus) return v > 20 ? v : std::log1p(std::exp(v));
  if constexpr (act == Act::swish) return v / (S(1) + std::exp(-v));
  return v;
}

template <Act act, int N, typename S>
__device__ __forceinline__ void finish_as(S (&v)[N], const Epilogue<S>& e) {
#pragma unroll
  for (int i = 0; i < N; ++i) v[i] = bounded(activated<act>(v[i]) * e.gain, e.low, e.high);
}

// Activation, gain and clamp for piecewise activations, short enough to stand in unrolled code.
template <int N, typename S>
__device__ __forceinline__ void finish_piecewise(S (&v)[N], const Epilogue<S>& e) {
#pragma unroll
  for (int i = 0; i < N; ++i) {
    v[i] = bounded((v[i] < 0 ? v[i] * e.slope : v[i]) * e.gain, e.low, e.high);
  }
}

// The same for all activations, with one jump for N numbers.
template <int N, typename S>
__device__ __forceinline__ void finish(S (&v)[N], const Epilogue<S>& e) {
  switch (e.act) {
    case Act::linear:
    case Act::relu:
    case Act::lrelu: return finish_piecewise(v, e);
    case Act::tanh: return finish_as<Act::tanh>(v, e);
    case Act::sigmoid: return finish_as<Act::sigmoid>(v, e);
    case Act::elu: return finish_as<Act::elu>(v, e);
    case Act::selu: return finish_as<Act::selu>(v, e);
    case Act::softplus: return finish_as<Act::softplus>(v, e);
    case Act::swish: return finish_as<Act::swish>(v, e);
  }
}

}  // namespace stylegan2_ops::gpu
