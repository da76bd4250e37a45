// What all kernels of upfirdn2d share: arguments, 4 x 4 taps in registers, and the filtering of a
// small window.
//
// Along each axis output o is the sum over taps k of taps[k] * spread[o * down - pad + k], where
// spread[i * up] = x[i] and all else is 0. `taps` are in the order of correlation.
#pragma once

#include "epilogue.cuh"

namespace stylegan2_ops::gpu {

constexpr int kTaps = 4;  // on each side of the filters that have kernels of their own
constexpr int kFilterThreads = 256;

template <typename T>
struct Upfirdn2d {
  const T* x;
  T* y;
  const Sum<T>* f;  // [fh, fw]
  int64_t samples, channels;
  int height, width, out_height, out_width;
  int upx, upy, downx, downy, x0, y0, fh, fw;
  bool flip_filter;  // f is in the order of correlation
  Sum<T> gain;
  bool fused;  // with the epilogue, which is piecewise in the kernels for 4 x 4 taps
  Epilogue<Sum<T>> epilogue;
  // For the kernels that work in tiles. A tile begins where x is not spread: `shift` outputs before
  // a multiple of its size. `pieces` are those that the channels are cut into, single ones in
  // planes.
  Divisor<uint32_t> pieces, tiles_x, tiles_y;
  int shift_x, shift_y;
  bool vectors;  // whether outputs, and noise, can be accessed four at a time
};

// How far the outputs of a tile must begin before 0 so that o * down - pad is a multiple of up.
inline int tile_shift(int pad, int up) { return ((-pad) % up + up) % up; }

// `rows` x `columns` outputs, and the inputs they need.
template <int UP, int DOWN, int ROWS, int COLUMNS>
struct Window {
  static_assert(UP == 1 || DOWN == 1, "one of the factors is 1");
  static_assert(ROWS % UP == 0 && COLUMNS % UP == 0, "windows begin where x is not spread");
  static constexpr int up = UP, down = DOWN, rows = ROWS, columns = COLUMNS;
  static constexpr int step_y = ROWS * DOWN / UP, step_x = COLUMNS * DOWN / UP;
  static constexpr int reach_y = ((ROWS - 1) * DOWN + kTaps - 1) / UP + 1;
  static constexpr int reach_x = ((COLUMNS - 1) * DOWN + kTaps - 1) / UP + 1;
};

// 4 x 4 taps with the gain in them, in shared memory, and their factors where they are the product
// of a column and a row to within rounding.
template <typename S>
struct Taps {
  S all[kTaps][kTaps];
  S column[kTaps];  // the row beside it is all[1]
  bool separable;

  // What thread 0 to 15 of a block needs for a tap: itself and those that its product is made of.
  struct Parts {
    S own, pivot, beside, above;
  };

  template <typename T>
  static __device__ __forceinline__ Parts fetch(const Upfirdn2d<T>& a, int thread) {
    constexpr int last = kTaps * kTaps - 1;
    if (thread > last) return {};
    const auto tap = [&](int i, int j) {
      const int at = i * kTaps + j;
      return a.gain * a.f[a.flip_filter ? at : last - at];
    };
    const int i = thread / kTaps, j = thread % kTaps;
    return {tap(i, j), tap(1, 1), tap(i, 1), tap(1, j)};
  }

  // For all threads of a block. A barrier must follow.
  __device__ __forceinline__ void write(const Parts& parts, int thread) {
    bool product = true;
    if (thread < kTaps * kTaps) {
      const int i = thread / kTaps, j = thread % kTaps;
      const S factor = parts.beside * (S(1) / parts.pivot);
      all[i][j] = parts.own;
      if (j == 1) column[i] = factor;
      constexpr S tolerance = sizeof(S) == 8 ? S(0x1p-50) : S(0x1p-21);  // four epsilons
      const S off = i == 1 || j == 1 ? S(0) : parts.own - factor * parts.above;  // 0: the factors
      product = parts.pivot != 0 && std::abs(off) <= tolerance * std::abs(parts.own);
    }
    product = __all_sync(~0u, product);
    if (thread == 0) separable = product;
  }
};

template <typename W, int N, typename S>
__device__ __forceinline__ void filter_row(const S (&taps)[kTaps], const S (&in)[W::reach_x][N],
                                           S (&sums)[W::columns][N]) {
#pragma unroll
  for (int c = 0; c < W::columns; ++c) {
#pragma unroll
    for (int k = 0; k < kTaps; ++k) {
      if ((c * W::down + k) % W::up != 0) continue;
#pragma unroll
      for (int i = 0; i < N; ++i) sums[c][i] += taps[k] * in[(c * W::down + k) / W::up][i];
    }
  }
}

// Filters a window whose entries are N numbers each. read(r, in) gives row r of the inputs, and
// write(r, out) takes row r of the outputs, which is its own from then on.
template <bool SEPARABLE, typename W, int N, typename S, typename Read, typename Write>
__device__ __forceinline__ void filter_window(const Taps<S>& taps, const Read& read,
                                              const Write& write) {
  S row[kTaps], column[kTaps], all[kTaps][kTaps];
#pragma unroll
  for (int i = 0; i < kTaps; ++i) {
    if constexpr (SEPARABLE) {
      row[i] = taps.all[1][i];
      column[i] = taps.column[i];
    } else {
#pragma unroll
      for (int j = 0; j < kTaps; ++j) all[i][j] = taps.all[i][j];
    }
  }
  S sums[W::rows][W::columns][N];
#pragma unroll
  for (int r = 0; r < W::reach_y; ++r) {
    S in[W::reach_x][N];
    S across[W::columns][N] = {};
    read(r, in);
    if constexpr (SEPARABLE) filter_row<W, N>(row, in, across);
#pragma unroll
    for (int j = 0; j < W::rows; ++j) {
      const int k = r * W::up - j * W::down;  // the tap of output row j that meets input row r
      if (k < 0 || k >= kTaps) continue;
#pragma unroll
      for (int c = 0; c < W::columns; ++c) {
#pragma unroll
        for (int i = 0; i < N; ++i) {
          if (k < W::up) sums[j][c][i] = 0;
          if constexpr (SEPARABLE) sums[j][c][i] += column[k] * across[c][i];
        }
      }
      if constexpr (!SEPARABLE) filter_row<W, N>(all[k], in, sums[j]);
      if (k + W::up >= kTaps) write(j, sums[j]);
    }
  }
}

}  // namespace stylegan2_ops::gpu
