// What demodulation scales the outputs of a convolution by, in one pass over its weight.

#include <cmath>

#include "numbers.h"

namespace stylegan2_ops {
namespace CAPABILITY {
namespace {

constexpr int64_t kOutputs = 64;  // worked on side by side

// energy[i] = sum over taps of weight[t, i]^2
INLINE void add_squares(const float* __restrict weight, int64_t taps, int64_t step, int64_t count,
                        float* __restrict energy) {
  for (int64_t i = 0; i < count; ++i) energy[i] = weight[i] * weight[i];
  for (int64_t t = 1; t < taps; ++t) {
    const float* __restrict w = weight + t * step;
    for (int64_t i = 0; i < count; ++i) energy[i] += w[i] * w[i];
  }
}

INLINE float weighted(const float* __restrict energy, const float* __restrict styles,
                      int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += energy[i] * (styles[i] * styles[i]);
  return sum;
}

void inputs_innermost(const Demodulation& a, int64_t first, int64_t last) {
  Scratch<float> energy(a.inputs);
  for (int64_t o = first; o < last; ++o) {
    add_squares(a.weight + o * a.taps * a.inputs, a.taps, a.inputs, a.inputs, energy.data);
    for (int64_t n = 0; n < a.samples; ++n) {
      const float sum = weighted(energy.data, a.styles + n * a.inputs, a.inputs);
      a.y[n * a.outputs + o] = 1 / std::sqrt(sum + 1e-8f);
    }
  }
}

void outputs_innermost(const Demodulation& a, int64_t first, int64_t last) {
  const int64_t count = last - first;
  Scratch<float> energy(count), sums(count * a.samples);
  for (int64_t i = 0; i < count * a.samples; ++i) sums.data[i] = 0;
  for (int64_t i = 0; i < a.inputs; ++i) {
    add_squares(a.weight + i * a.taps * a.outputs + first, a.taps, a.outputs, count, energy.data);
    for (int64_t n = 0; n < a.samples; ++n) {
      const float style = a.styles[n * a.inputs + i], factor = style * style;
      float* __restrict sum = sums.data + n * count;
      for (int64_t o = 0; o < count; ++o) sum[o] += energy.data[o] * factor;
    }
  }
  for (int64_t n = 0; n < a.samples; ++n) {
    for (int64_t o = 0; o < count; ++o) {
      a.y[n * a.outputs + first + o] = 1 / std::sqrt(sums.data[n * count + o] + 1e-8f);
    }
  }
}

}  // namespace

void demodulation(const Demodulation& a, const Threads& threads) {
  if (!a.outputs_innermost) {
    return parallel(threads, a.outputs, 8,
                    [&](int64_t first, int64_t last) { inputs_innermost(a, first, last); });
  }
  parallel(threads, (a.outputs + kOutputs - 1) / kOutputs, 1, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      outputs_innermost(a, block * kOutputs, smaller(a.outputs, (block + 1) * kOutputs));
    }
  });
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
