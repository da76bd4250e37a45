// upfirdn2d with 4 x 4 taps for channels_last, [N, H, W, C] in memory.
//
// A thread takes a vector of channels and a window of outputs two columns wide. It walks down the
// rows and reads each input once; its neighbours' reads of the same inputs meet in the cache, for
// which a block is about as high as it is wide.
#pragma once

#include "upfirdn2d_core.cuh"

namespace stylegan2_ops::gpu {

template <typename T, int UP, int DOWN>
struct PixelTile {
  static constexpr int vector = sizeof(T) == 8 ? 2 : 4;  // channels of a thread
  using W = Window<UP, DOWN, DOWN == 2 ? 4 : 8, 2>;
  static constexpr int lanes_x = 8, lanes_yc = kFilterThreads / lanes_x;
  static constexpr int columns = lanes_x * W::columns;
  // Lanes along the channels: enough for them, and not more than a line of the cache.
  static int lanes_c(int64_t channels) {
    int lanes = 1;
    while (lanes * vector < channels && 2 * lanes * vector * sizeof(T) <= 128) lanes *= 2;
    return lanes;
  }
  static int rows(int64_t channels) { return lanes_yc / lanes_c(channels) * W::rows; }
};

// Where a thread's window of outputs goes: two columns; `first` is the place of its first output.
template <typename T, int N>
struct PixelOutput {
  using S = Sum<T>;
  const Upfirdn2d<T>& a;
  int first_row, first_column;
  T* first;
  const S* noise;  // at the same place, or null
  Affine<N, S> affine;

  __device__ __forceinline__ PixelOutput(const Upfirdn2d<T>& a, int64_t sample, int64_t channel,
                                         int first_row, int first_column)
      : a(a),
        first_row(first_row),
        first_column(first_column),
        affine(a.epilogue, sample * a.channels + channel, channel) {
    const int64_t at = int64_t(first_row) * a.out_width + first_column;
    first = a.y + ((sample * a.out_height * a.out_width + at) * a.channels + channel);
    noise = a.epilogue.noise;
    if (noise) noise += sample * a.epilogue.noise_step + at;
  }

  // The noise of row r, long before it is needed.
  __device__ __forceinline__ void fetch(int r, S (&ahead)[2]) const {
    const bool row_inside = noise && within(first_row + r, a.out_height);
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      const bool inside = row_inside && within(first_column + c, a.out_width);
      ahead[c] = inside ? noise[int64_t(r) * a.out_width + c] : S(0);
    }
  }

  __device__ __forceinline__ void write(int r, const S (&sums)[2][N], const S (&ahead)[2]) const {
    if (!within(first_row + r, a.out_height)) return;
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      if (!within(first_column + c, a.out_width)) continue;
      const int64_t step = int64_t(r) * a.out_width + c;
      S v[N];
#pragma unroll
      for (int i = 0; i < N; ++i) v[i] = sums[c][i];
      if (a.fused) finish_all(v, ahead[c]);
      store<N>(first + step * a.channels, v);
    }
  }

  __device__ __forceinline__ void finish_all(S (&v)[N], S noise) const {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      v[i] = finish_piecewise(v[i] * affine.scale[i] + (noise + affine.b[i]), a.epilogue);
    }
  }
};

template <typename T, int UP, int DOWN>
__global__ void __launch_bounds__(kFilterThreads, 2) upfirdn2d_pixels(const Upfirdn2d<T> a) {
  using S = Sum<T>;
  using Tile = PixelTile<T, UP, DOWN>;
  using W = typename Tile::W;
  constexpr int N = Tile::vector;
  const int pieces = (static_cast<int>(a.channels) / N + blockDim.x - 1) / blockDim.x;
  const int piece = blockIdx.x % pieces, tile = blockIdx.x / pieces;
  const int tile_x = tile % a.tiles_x, tile_y = tile / a.tiles_x % a.tiles_y;
  const int64_t sample = tile / a.tiles_x / a.tiles_y;
  const int channel = (piece * blockDim.x + threadIdx.x) * N;
  const int out_column = tile_x * Tile::columns + threadIdx.y * W::columns - a.shift_x;
  const int out_row = (tile_y * blockDim.z + threadIdx.z) * W::rows - a.shift_y;
  if (channel >= a.channels || out_column >= a.out_width || out_row >= a.out_height) return;

  const int in_column = (out_column * DOWN - a.x0) / UP, in_row = (out_row * DOWN - a.y0) / UP;
  const int64_t row_step = a.width * a.channels;
  const int64_t first =
      ((sample * a.height + in_row) * a.width + in_column) * a.channels + channel;
  bool inside[W::reach_x];
#pragma unroll
  for (int c = 0; c < W::reach_x; ++c) inside[c] = within(in_column + c, a.width);
  const auto read = [&](int r, S(&in)[W::reach_x][N]) {
    const bool row_inside = within(in_row + r, a.height);
    const T* from = a.x + (first + r * row_step);
#pragma unroll
    for (int c = 0; c < W::reach_x; ++c) {
      widen(load_inside<N>(from + c * a.channels, row_inside && inside[c]), in[c]);
    }
  };
  const PixelOutput<T, N> output(a, sample, channel, out_row, out_column);
  S ahead[W::rows][2];
  const auto begin = [&](int r) { output.fetch(r, ahead[r]); };
  const auto write = [&](int r, const S(&sums)[2][N]) { output.write(r, sums, ahead[r]); };
  const Taps<S> taps(a);
  if (taps.separable) {
    filter_window<true, W, N>(taps, read, begin, write);
  } else {
    filter_window<false, W, N>(taps, read, begin, write);
  }
}

}  // namespace stylegan2_ops::gpu
