// bias_act, one thread to a few vectors of neighbours in memory.
#pragma once

#include "epilogue.cuh"

namespace stylegan2_ops::gpu {

constexpr int kBiasActThreads = 256;
constexpr int kBiasActVectors = 4;  // in flight in each thread

template <typename T, typename Index>
struct BiasAct {
  const T* x;
  T* y;
  Index vectors;  // of the whole tensor
  Divisor<Index> channels, positions;
  Epilogue<Sum<T>> epilogue;
};

// x is [N, C, positions], or [N, positions, C] where channels are LAST. A vector holds N positions
// of one channel, or N channels of one position; it never crosses a row.
template <typename T, int N, bool LAST, typename Index>
__device__ __forceinline__ void bias_act_vector(Sum<T> (&v)[N], const BiasAct<T, Index>& a,
                                                Index at) {
  using S = Sum<T>;
  const Epilogue<S>& e = a.epilogue;
  Index sample = at;
  const Index inner = divide(sample, LAST ? a.channels : a.positions);
  const Index outer = divide(sample, LAST ? a.positions : a.channels);
  const Index channel = LAST ? inner : outer, position = LAST ? outer : inner;
  const Affine<LAST ? N : 1, S> affine(e, int64_t(sample) * a.channels.by + channel, channel);
  S noise[N] = {};
  if (e.noise) {
    const S* from = e.noise + (sample * e.noise_step + position);
    if constexpr (LAST) {
      const S shared = *from;
#pragma unroll
      for (int i = 0; i < N; ++i) noise[i] = shared;
    } else {
      widen(load<N>(from), noise);
    }
  }
#pragma unroll
  for (int i = 0; i < N; ++i) {
    v[i] = v[i] * affine.scale[LAST ? i : 0] + (noise[i] + affine.b[LAST ? i : 0]);
  }
  finish(v, e);
}

template <typename T, int N, bool LAST, typename Index>
__global__ void __launch_bounds__(kBiasActThreads) bias_act_kernel(const BiasAct<T, Index> a) {
  const Index first = Index(blockIdx.x) * (kBiasActThreads * kBiasActVectors) + threadIdx.x;
  Vector<T, N> x[kBiasActVectors];
#pragma unroll
  for (int j = 0; j < kBiasActVectors; ++j) {
    const Index i = first + j * kBiasActThreads;
    if (i < a.vectors) x[j] = load<N>(a.x + i * N);
  }
#pragma unroll
  for (int j = 0; j < kBiasActVectors; ++j) {
    const Index i = first + j * kBiasActThreads;
    if (i >= a.vectors) return;
    Sum<T> v[N];
    widen(x[j], v);
    bias_act_vector<T, N, LAST, Index>(v, a, i * N);
    store<N>(a.y + i * N, v);
  }
}

}  // namespace stylegan2_ops::gpu
