// upfirdn2d for any filter and any factors: a thread to one output, or to a vector of channels of
// one, reading what it needs through the cache. Filters of one row or column take this way too.
#pragma once

#include "upfirdn2d_core.cuh"

namespace stylegan2_ops::gpu {

// Along one axis, the taps of an output that meet an input: `count` taps from `tap` on, `up` apart,
// on the inputs from `input` on.
struct Meeting {
  int tap, input, count;

  // `at` is o * down - pad, where the output's first tap lies in the spread input.
  __device__ __forceinline__ Meeting(int at, int up, int taps, int size) {
    input = at <= 0 ? 0 : (at + up - 1) / up;
    tap = input * up - at;
    const int most = tap < taps ? (taps - tap + up - 1) / up : 0;
    const int left = size > input ? size - input : 0;
    count = most < left ? most : left;
  }
};

template <typename T, typename Index>
struct AnyUpfirdn2d {
  Upfirdn2d<T> call;
  Index vectors;  // of the whole output
  Divisor<Index> columns, rows, channels;  // its sides; of channels, vectors where they are last
};

template <typename T, int N, bool LAST, typename Index>
__global__ void __launch_bounds__(kFilterThreads)
    upfirdn2d_any(const AnyUpfirdn2d<T, Index> any) {
  using S = Sum<T>;
  const Upfirdn2d<T>& a = any.call;
  const Epilogue<S>& e = a.epilogue;
  const Index at = Index(blockIdx.x) * kFilterThreads + threadIdx.x;
  if (at >= any.vectors) return;
  Index rest = at;
  const Index inner = LAST ? divide(rest, any.channels) : 0;
  const int column = static_cast<int>(divide(rest, any.columns));
  const int row = static_cast<int>(divide(rest, any.rows));
  const int64_t channel = LAST ? inner * N : divide(rest, any.channels);
  const int64_t sample = rest;

  const Meeting x(column * a.downx - a.x0, a.upx, a.fw, a.width);
  const Meeting y(row * a.downy - a.y0, a.upy, a.fh, a.height);
  const int last_tap = a.fh * a.fw - 1;
  S v[N] = {};
  for (int i = 0; i < y.count; ++i) {
    const int tap_row = (y.tap + i * a.upy) * a.fw;
    const int64_t plane = LAST ? sample : sample * a.channels + channel;
    const int64_t in_row = (plane * a.height + y.input + i) * a.width;
    const T* from = a.x + (LAST ? (in_row + x.input) * a.channels + channel : in_row + x.input);
    for (int j = 0; j < x.count; ++j) {
      const int tap = tap_row + x.tap + j * a.upx;
      const S f = a.f[a.flip_filter ? tap : last_tap - tap];
      S in[N];
      widen(load<N>(from + (LAST ? j * a.channels : j)), in);
#pragma unroll
      for (int k = 0; k < N; ++k) v[k] += f * in[k];
    }
  }
#pragma unroll
  for (int k = 0; k < N; ++k) v[k] *= a.gain;
  if (a.fused) {
    const Affine<N, S> affine(e, sample * a.channels + channel, channel);
    const int64_t position = int64_t(row) * a.out_width + column;
    const S noise = e.noise ? e.noise[sample * e.noise_step + position] : S(0);
#pragma unroll
    for (int k = 0; k < N; ++k) v[k] = v[k] * affine.scale[k] + (noise + affine.b[k]);
    finish(v, e);
  }
  store<N>(a.y + int64_t(at) * N, v);
}

}  // namespace stylegan2_ops::gpu
