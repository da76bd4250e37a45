// Gradient of bias_act for piecewise activations, in one pass and with sums in a fixed order.
//
// A tensor is seen as [N, outer, inner], inner being next to each other in memory: the positions of
// a channel, or the channels of a position where channels are LAST. A warp owns a piece of inner
// (a vector for each of `group` lanes) and a run of outer, which its 32 / group groups share. Sums
// over outer stay in its registers; sums over inner are made by exchange between lanes. Both leave
// partial sums, one for each run or piece, to be added up afterwards.
#pragma once

#include "epilogue.cuh"

namespace stylegan2_ops::gpu {

constexpr int kBackwardThreads = 256;
constexpr int kBackwardSteps = 2;  // of outer, in flight in each thread
constexpr unsigned kAllLanes = 0xffffffffu;

// Sums are null where unwanted. channel_* are [N, parts, C] and noise is [N, parts, positions]; the
// parts are `pieces` of inner or `runs` of outer, whichever the sum is over.
template <typename T>
struct BiasActBackward {
  using S = Sum<T>;
  const T* dy;
  const T* y;
  const T* x;      // null where channel_scale is
  const S* scale;  // [N, C] or null
  T* dx;           // or null
  S* channel_scale;
  S* channel_bias;
  S* noise;
  int64_t samples, outer, inner;
  int64_t pieces, runs, run;  // run: entries of outer in a run
  int group;                  // a power of two, at most 32
  S above, below;             // slope where y is above 0, and where it is not
  S limit;                    // |y| from which on it was clamped, NaN if never
};

template <typename S>
__device__ __forceinline__ S sum_over_lanes(S v, int first, int end) {
  for (int step = first; step < end; step *= 2) v += __shfl_xor_sync(kAllLanes, v, step);
  return v;
}

// What one step of one group reads.
template <typename T, int N>
struct BackwardRead {
  Vector<T, N> dy, y, x;
};

template <typename T, int N, bool LAST>
struct BackwardWarp {
  using S = Sum<T>;
  const BiasActBackward<T>& a;
  int64_t sample, piece, run, inner;
  int lane, group_of_lane;
  bool inside;
  S over_outer[N] = {}, over_outer_x[N] = {};
  S scale[N];

  __device__ BackwardWarp(const BiasActBackward<T>& a, int64_t warp, int lane)
      : a(a), lane(lane), group_of_lane(lane / a.group) {
    piece = warp % a.pieces;
    run = warp / a.pieces % a.runs;
    sample = warp / a.pieces / a.runs;
    inner = (piece * a.group + lane % a.group) * N;
    inside = inner < a.inner;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      scale[i] = LAST && a.scale && inside ? a.scale[sample * a.inner + inner + i] : S(1);
    }
  }

  __device__ __forceinline__ int64_t at(int64_t outer) const {
    return (sample * a.outer + outer) * a.inner + inner;
  }

  __device__ __forceinline__ void read(int64_t outer, BackwardRead<T, N>& from) const {
    from.dy = load<N>(a.dy + at(outer));
    from.y = load<N>(a.y + at(outer));
    if (a.channel_scale) from.x = load<N>(a.x + at(outer));
  }

  // One entry of outer. All lanes of the warp come here, those without an entry too, as they
  // exchange sums.
  __device__ __forceinline__ void step(int64_t outer, bool in_run,
                                       const BackwardRead<T, N>& from) {
    S dz[N] = {}, total = 0, total_x = 0;
    if (inside && in_run) {
      S y[N], dy[N], dx[N];
      widen(from.y, y);
      widen(from.dy, dy);
      const S row_scale = !LAST && a.scale ? a.scale[sample * a.outer + outer] : S(1);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        const S slope = y[i] <= 0 ? a.below : a.above;
        dz[i] = std::abs(y[i]) >= a.limit ? S(0) : dy[i] * slope;
        dx[i] = dz[i] * (LAST ? scale[i] : row_scale);
        over_outer[i] += dz[i];
        total += dz[i];
      }
      if (a.dx) store<N>(a.dx + at(outer), dx);
      if (a.channel_scale) {
        S x[N];
        widen(from.x, x);
#pragma unroll
        for (int i = 0; i < N; ++i) {
          over_outer_x[i] += dz[i] * x[i];
          total_x += dz[i] * x[i];
        }
      }
    }
    S* plain = LAST ? a.noise : a.channel_bias;
    S* with_x = LAST ? nullptr : a.channel_scale;
    const int64_t to = (sample * a.pieces + piece) * a.outer + outer;
    const bool writes = in_run && lane % a.group == 0;
    if (plain) {
      total = sum_over_lanes(total, 1, a.group);
      if (writes) plain[to] = total;
    }
    if (with_x) {
      total_x = sum_over_lanes(total_x, 1, a.group);
      if (writes) with_x[to] = total_x;
    }
  }

  __device__ __forceinline__ void write_sums(S* to, S (&sums)[N]) const {
    if (!to) return;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      sums[i] = sum_over_lanes(sums[i], a.group, 32);
      if (inside && group_of_lane == 0) to[(sample * a.runs + run) * a.inner + inner + i] = sums[i];
    }
  }
};

template <typename T, int N, bool LAST>
__global__ void __launch_bounds__(kBackwardThreads)
    bias_act_backward_kernel(const BiasActBackward<T> a) {
  const int64_t warp = int64_t(blockIdx.x) * (kBackwardThreads / 32) + threadIdx.x / 32;
  if (warp >= a.pieces * a.runs * a.samples) return;
  BackwardWarp<T, N, LAST> own(a, warp, threadIdx.x % 32);
  const int groups = 32 / a.group;
  const int64_t begin = own.run * a.run;
  const int64_t end = begin + a.run < a.outer ? begin + a.run : a.outer;
  for (int64_t from = begin; from < end; from += groups * kBackwardSteps) {
    BackwardRead<T, N> read[kBackwardSteps];
    bool in_run[kBackwardSteps];
#pragma unroll
    for (int j = 0; j < kBackwardSteps; ++j) {
      const int64_t outer = from + j * groups + own.group_of_lane;
      in_run[j] = outer < end;
      if (own.inside && in_run[j]) own.read(outer, read[j]);
    }
#pragma unroll
    for (int j = 0; j < kBackwardSteps; ++j) {
      own.step(from + j * groups + own.group_of_lane, in_run[j], read[j]);
    }
  }
  own.write_sums(LAST ? a.channel_bias : a.noise, own.over_outer);
  if constexpr (LAST) own.write_sums(a.channel_scale, own.over_outer_x);
}

}  // namespace stylegan2_ops::gpu
