// upfirdn2d with 4 x 4 taps for [N, C, H, W] as it stands.
//
// A block takes a tile of one plane: it brings the inputs to shared memory, whatever their
// alignment, and each thread filters a window of four columns from there. A warp lies along x.
#pragma once

#include "upfirdn2d_core.cuh"

namespace stylegan2_ops::gpu {

// Rows of a thread, such that the tile fits the 48 KiB of shared memory that need no asking.
template <typename T, int UP, int DOWN>
constexpr int kPlaneRows = UP == 2 ? 8 : (DOWN == 2 ? 2 : 8) * 4 / static_cast<int>(sizeof(Sum<T>));

template <typename T, int UP, int DOWN>
struct PlaneTile {
  using S = Sum<T>;
  using W = Window<UP, DOWN, kPlaneRows<T, UP, DOWN>, 4>;
  static constexpr int lanes = 32, warps = kFilterThreads / lanes;
  static constexpr int columns = lanes * W::columns, rows = warps * W::rows;
  static constexpr int in_columns = (lanes - 1) * W::step_x + W::reach_x;
  static constexpr int in_rows = (warps - 1) * W::step_y + W::reach_y;
  // Inputs read from shared memory at once, and a row there, of which the last thread reads more
  // than it needs.
  static constexpr int most = kVectorBytes / static_cast<int>(sizeof(S));
  static constexpr int vector = W::step_x < most ? W::step_x : most;
  static constexpr int reads = (W::reach_x + vector - 1) / vector;
  static constexpr int row = (lanes - 1) * W::step_x + reads * vector;
  static constexpr int pitch = (row + most - 1) / most * most;
  static constexpr int loads = (in_columns + lanes - 1) / lanes;  // of a lane along a row
  static constexpr int rows_at_once = loads >= 8 ? 2 : 3;         // in flight
};

template <typename Tile, typename T>
__device__ __forceinline__ void bring_tile(const Upfirdn2d<T>& a, const T* plane, int first_row,
                                           int first_column,
                                           Sum<T> (&tile)[Tile::in_rows][Tile::pitch]) {
  const int lane = threadIdx.x;
  for (int from = threadIdx.y; from < Tile::in_rows; from += Tile::warps * Tile::rows_at_once) {
    T staged[Tile::rows_at_once][Tile::loads];
#pragma unroll
    for (int r = 0; r < Tile::rows_at_once; ++r) {
      const int row = first_row + from + r * Tile::warps;
      const T* x = plane + int64_t(row) * a.width;
#pragma unroll
      for (int i = 0; i < Tile::loads; ++i) {
        const int column = first_column + lane + i * Tile::lanes;
        staged[r][i] = T(0);
        if (within(row, a.height) && within(column, a.width)) staged[r][i] = x[column];
      }
    }
#pragma unroll
    for (int r = 0; r < Tile::rows_at_once; ++r) {
      const int row = from + r * Tile::warps;
#pragma unroll
      for (int i = 0; i < Tile::loads; ++i) {
        const int column = lane + i * Tile::lanes;
        if (row < Tile::in_rows && column < Tile::in_columns) {
          tile[row][column] = static_cast<Sum<T>>(staged[r][i]);
        }
      }
    }
  }
}

// Where a thread's window of outputs goes: four columns; `first` is the place of its first output.
template <typename T>
struct PlaneOutput {
  using S = Sum<T>;
  const Upfirdn2d<T>& a;
  int first_row, first_column;
  T* first;
  const S* noise;  // at the same place, or null
  Affine<1, S> affine;

  __device__ __forceinline__ PlaneOutput(const Upfirdn2d<T>& a, uint32_t plane, int first_row,
                                         int first_column)
      : a(a),
        first_row(first_row),
        first_column(first_column),
        affine(a.epilogue, plane, plane - a.pieces.quotient(plane) * a.pieces.by) {
    const int64_t at = int64_t(first_row) * a.out_width + first_column;
    first = a.y + (int64_t(plane) * a.out_height * a.out_width + at);
    noise = a.epilogue.noise;
    if (noise) noise += a.pieces.quotient(plane) * a.epilogue.noise_step + at;
  }

  __device__ __forceinline__ void write(int r, const S (&sums)[4][1]) const {
    if (!within(first_row + r, a.out_height)) return;
    S v[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) v[i] = sums[i][0];
    const int64_t step = int64_t(r) * a.out_width;
    if (a.vectors) {
      if (a.fused) finish_all(v, noise ? load<4>(noise + step) : Vector<S, 4>{});
      return store<4>(first + step, v);
    }
    Vector<S, 4> noises{};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (noise && within(first_column + i, a.out_width)) noises.values[i] = noise[step + i];
    }
    if (a.fused) finish_all(v, noises);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (within(first_column + i, a.out_width)) first[step + i] = static_cast<T>(v[i]);
    }
  }

  __device__ __forceinline__ void finish_all(S (&v)[4], const Vector<S, 4>& noises) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) v[i] = v[i] * affine.scale[0] + (noises.values[i] + affine.b[0]);
    finish_piecewise(v, a.epilogue);
  }
};

template <typename T, int UP, int DOWN>
__global__ void __launch_bounds__(kFilterThreads) upfirdn2d_planes(const Upfirdn2d<T> a) {
  using S = Sum<T>;
  using Tile = PlaneTile<T, UP, DOWN>;
  using W = typename Tile::W;
  alignas(kVectorBytes) __shared__ S tile[Tile::in_rows][Tile::pitch];
  __shared__ Taps<S> taps;
  uint32_t rest = blockIdx.x;
  const int out_column = static_cast<int>(divide(rest, a.tiles_x)) * Tile::columns - a.shift_x;
  const int out_row = static_cast<int>(divide(rest, a.tiles_y)) * Tile::rows - a.shift_y;
  const int lane = threadIdx.x, warp = threadIdx.y, thread = warp * Tile::lanes + lane;
  const auto parts = Taps<S>::fetch(a, thread);
  bring_tile<Tile>(a, a.x + int64_t(rest) * a.height * a.width, (out_row * DOWN - a.y0) / UP,
                   (out_column * DOWN - a.x0) / UP, tile);
  taps.write(parts, thread);
  const PlaneOutput<T> output(a, rest, out_row + warp * W::rows, out_column + lane * W::columns);
  __syncthreads();
  if (output.first_row >= a.out_height || output.first_column >= a.out_width) return;
  const auto read = [&](int r, S(&in)[W::reach_x][1]) {
    const S* from = &tile[warp * W::step_y + r][lane * W::step_x];
#pragma unroll
    for (int i = 0; i < Tile::reads; ++i) {
      const auto several = load<Tile::vector>(from + i * Tile::vector);
#pragma unroll
      for (int k = 0; k < Tile::vector; ++k) {
        if (i * Tile::vector + k < W::reach_x) in[i * Tile::vector + k][0] = several.values[k];
      }
    }
  };
  const auto write = [&](int r, const S(&sums)[4][1]) { output.write(r, sums); };
  if (taps.separable) {
    filter_window<true, W, 1>(taps, read, write);
  } else {
    filter_window<false, W, 1>(taps, read, write);
  }
}

}  // namespace stylegan2_ops::gpu
