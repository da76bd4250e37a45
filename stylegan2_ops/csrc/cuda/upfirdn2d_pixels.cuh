// upfirdn2d with 4 x 4 taps for channels_last, [N, H, W, C] in memory.
//
// A block takes a tile of the outputs and 64 bytes of channels. It asks memory for all inputs of the
// tile at once, and for the noise, without waiting for any; each thread then filters its window from
// shared memory, for a few channels.
#pragma once

#include <cuda_pipeline.h>

#include "upfirdn2d_core.cuh"

namespace stylegan2_ops::gpu {

template <typename T, int UP, int DOWN>
struct PixelTile {
  using S = Sum<T>;
  using W = Window<UP, DOWN, DOWN == 2 ? 4 : 8, UP == 2 ? 4 : 2>;
  static constexpr int piece = kVector<T>;  // channels of one access to memory
  static constexpr int pieces = 4;          // of a pixel
  static constexpr int channels = piece * pieces;
  static constexpr int vector = sizeof(T) == 8 ? 2 : 4;  // channels of a thread
  static constexpr int lanes_c = channels / vector, lanes_x = 8, lanes_y = 2;
  static constexpr int threads = lanes_c * lanes_x * lanes_y;
  static constexpr int columns = lanes_x * W::columns, rows = lanes_y * W::rows;
  static constexpr int in_columns = (lanes_x - 1) * W::step_x + W::reach_x;
  static constexpr int in_rows = (lanes_y - 1) * W::step_y + W::reach_y;
  static constexpr int pitch = in_columns + in_columns % 2;

  // Where the pixel of a column lies in its row. Windows side by side are read at once, and two
  // pixels are all that the banks of shared memory hold: every other window has the pixels of each
  // pair exchanged, so that its own and its neighbour's lie in different banks.
  static __device__ __forceinline__ int place(int column) {
    static_assert(W::step_x == 2 || W::step_x == 4, "pairs of pixels lie in one window's step");
    return column ^ (column / W::step_x & 1);
  }
};

template <typename T, int UP, int DOWN>
struct SharedPixels {
  using Tile = PixelTile<T, UP, DOWN>;
  alignas(kVectorBytes) T in[Tile::in_rows][Tile::pitch][Tile::channels];
  Sum<T> noise[Tile::rows][Tile::columns];
  Taps<Sum<T>> taps;
};

// Blocks that share a multiprocessor, for whose sake registers are saved: some compute while others
// wait for their inputs.
template <typename T, int UP, int DOWN, bool FUSED>
constexpr int blocks_at_once() {
  constexpr int for_threads = (UP == 2 || FUSED ? 640 : 768) / PixelTile<T, UP, DOWN>::threads;
  constexpr int for_memory = (224 << 10) / (sizeof(SharedPixels<T, UP, DOWN>) + (1 << 10));
  return for_threads < for_memory ? for_threads : for_memory;
}

// Begins to copy one vector to shared memory; zeros where not `inside`, and nothing is read.
template <int N, typename T>
__device__ __forceinline__ void begin_copy(T* to, const T* from, bool inside) {
  constexpr int bytes = N * static_cast<int>(sizeof(T));
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  // As __pipeline_memcpy_async would, which turns a choice of sizes into jumps.
  const auto place = static_cast<uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (bytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :
                 : "r"(place), "l"(from), "r"(inside ? bytes : 0)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
                 :
                 : "r"(place), "l"(from), "n"(bytes), "r"(inside ? bytes : 0)
                 : "memory");
  }
#else
  if (inside) {
    __pipeline_memcpy_async(to, from, bytes);
  } else {
    *reinterpret_cast<Vector<T, N>*>(to) = Vector<T, N>{};
  }
#endif
}

// Begins to bring the inputs of a tile: a warp takes 8 pixels of a row at a time.
template <typename Tile, typename T>
__device__ __forceinline__ void begin_inputs(const Upfirdn2d<T>& a, int64_t sample, int channel,
                                             int in_row, int in_column,
                                             T (&in)[Tile::in_rows][Tile::pitch][Tile::channels]) {
  constexpr int across = 8, at_once = Tile::threads / (across * Tile::pieces);
  constexpr int turns = (Tile::in_columns + across - 1) / across;
  static_assert(across % (2 * Tile::W::step_x) == 0, "places repeat from turn to turn");
  const int piece = threadIdx.x % Tile::pieces * Tile::piece;
  const int column = threadIdx.x / Tile::pieces % across;
  const int first_row = threadIdx.x / (across * Tile::pieces);
  bool inside[turns];
#pragma unroll
  for (int i = 0; i < turns; ++i) {
    inside[i] = channel + piece < a.channels && within(in_column + column + i * across, a.width);
  }
  const int64_t row = sample * a.height + in_row + first_row;
  const T* from = a.x + ((row * a.width + in_column + column) * a.channels + channel + piece);
  T* to = &in[first_row][Tile::place(column)][piece];
#pragma unroll
  for (int r = 0; r < Tile::in_rows; r += at_once) {
    if (r + at_once > Tile::in_rows && first_row + r >= Tile::in_rows) continue;
    const bool row_inside = within(in_row + first_row + r, a.height);
#pragma unroll
    for (int i = 0; i < turns; ++i) {
      if (column + i * across >= Tile::in_columns) continue;
      begin_copy<Tile::piece>(to + (r * Tile::pitch + i * across) * Tile::channels,
                              from + i * across * a.channels, row_inside && inside[i]);
    }
    from += at_once * a.width * a.channels;
  }
}

// Begins to bring the noise of a tile; zeros where there is none.
template <typename Tile, typename T, typename S>
__device__ __forceinline__ void begin_noise(const Upfirdn2d<T>& a, int64_t sample, int out_row,
                                            int out_column,
                                            S (&noise)[Tile::rows][Tile::columns]) {
  constexpr int at_once = Tile::threads / Tile::columns;
  static_assert(Tile::rows % at_once == 0, "as many for each thread");
  const int row = threadIdx.x / Tile::columns, column = threadIdx.x % Tile::columns;
  const bool column_inside = a.epilogue.noise && within(out_column + column, a.out_width);
  const S* from = a.epilogue.noise + sample * a.epilogue.noise_step +
                  (int64_t(out_row + row) * a.out_width + out_column + column);
#pragma unroll
  for (int r = 0; r < Tile::rows; r += at_once) {
    begin_copy<1>(&noise[row + r][column], from + int64_t(r) * a.out_width,
                  column_inside && within(out_row + row + r, a.out_height));
  }
}

template <typename T, int UP, int DOWN, bool FUSED>
__global__ void __launch_bounds__((PixelTile<T, UP, DOWN>::threads),
                                  (blocks_at_once<T, UP, DOWN, FUSED>()))
    upfirdn2d_pixels(const Upfirdn2d<T> a) {
  using S = Sum<T>;
  using Tile = PixelTile<T, UP, DOWN>;
  using W = typename Tile::W;
  constexpr int N = Tile::vector;
  __shared__ SharedPixels<T, UP, DOWN> shared;
  uint32_t rest = blockIdx.x;
  const int first_channel = static_cast<int>(divide(rest, a.pieces)) * Tile::channels;
  const int tile_column = static_cast<int>(divide(rest, a.tiles_x)) * Tile::columns - a.shift_x;
  const int tile_row = static_cast<int>(divide(rest, a.tiles_y)) * Tile::rows - a.shift_y;
  const int64_t sample = rest;
  begin_inputs<Tile>(a, sample, first_channel, (tile_row * DOWN - a.y0) / UP,
                     (tile_column * DOWN - a.x0) / UP, shared.in);
  if constexpr (FUSED) begin_noise<Tile>(a, sample, tile_row, tile_column, shared.noise);
  __pipeline_commit();

  const int lane_c = threadIdx.x % Tile::lanes_c, lane = threadIdx.x / Tile::lanes_c;
  const int lane_x = lane % Tile::lanes_x, lane_y = lane / Tile::lanes_x;
  const int channel = first_channel + lane_c * N;
  const int out_column = tile_column + lane_x * W::columns;
  const int out_row = tile_row + lane_y * W::rows;
  const bool idle =
      channel >= a.channels || out_column >= a.out_width || out_row >= a.out_height;
  const int owned = idle ? 0 : channel;  // scale and bias are there for
  const Affine<FUSED ? N : 1, S> affine(a.epilogue, sample * a.channels + owned, owned);
  shared.taps.write(Taps<S>::fetch(a, threadIdx.x), threadIdx.x);
  __pipeline_wait_prior(0);
  __syncthreads();
  if (idle) return;

  const T* windows[W::reach_x];
#pragma unroll
  for (int c = 0; c < W::reach_x; ++c) {
    windows[c] =
        &shared.in[lane_y * W::step_y][Tile::place(lane_x * W::step_x + c)][lane_c * N];
  }
  const auto read = [&](int r, S(&in)[W::reach_x][N]) {
#pragma unroll
    for (int c = 0; c < W::reach_x; ++c) {
      widen(load<N>(windows[c] + r * (Tile::pitch * Tile::channels)), in[c]);
    }
  };
  T* to =
      a.y + (((sample * a.out_height + out_row) * a.out_width + out_column) * a.channels + channel);
  const S* noise = &shared.noise[lane_y * W::rows][lane_x * W::columns];
  bool inside[W::columns];
#pragma unroll
  for (int c = 0; c < W::columns; ++c) inside[c] = within(out_column + c, a.out_width);
  const auto write = [&](int r, S(&sums)[W::columns][N]) {
    const bool row_inside = within(out_row + r, a.out_height);
#pragma unroll
    for (int c = 0; c < W::columns; ++c) {
      if constexpr (FUSED) {
#pragma unroll
        for (int i = 0; i < N; ++i) {
          sums[c][i] =
              sums[c][i] * affine.scale[i] + (noise[r * Tile::columns + c] + affine.b[i]);
        }
        finish_piecewise(sums[c], a.epilogue);
      }
      if (row_inside && inside[c]) store<N>(to + c * a.channels, sums[c]);
    }
    to += a.out_width * a.channels;
  };
  if (shared.taps.separable) {
    filter_window<true, W, N>(shared.taps, read, write);
  } else {
    filter_window<false, W, N>(shared.taps, read, write);
  }
}

}  // namespace stylegan2_ops::gpu
