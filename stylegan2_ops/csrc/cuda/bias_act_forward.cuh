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

// Where a vector lies. x is [N, C, positions], or [N, positions, C] where channels are LAST. A vector
// holds N positions of one channel, or N channels of one position; it never crosses a row.
template <bool LAST, typename Index>
struct Place {
  Index sample, channel, position;

  template <typename T>
  __device__ __forceinline__ Place(const BiasAct<T, Index>& a, Index at) : sample(at) {
    const Index inner = divide(sample, LAST ? a.channels : a.positions);
    const Index outer = divide(sample, LAST ? a.positions : a.channels);
    channel = LAST ? inner : outer, position = LAST ? outer : inner;
  }

  template <typename T>
  __device__ __forceinline__ const Sum<T>* noise(const BiasAct<T, Index>& a) const {
    return a.epilogue.noise + (sample * a.epilogue.noise_step + position);
  }
};

// `shared` is the noise of all channels, where they are LAST.
template <typename T, int N, bool LAST, typename Index>
__device__ __forceinline__ void bias_act_vector(Sum<T> (&v)[N], const BiasAct<T, Index>& a,
                                                Index at, Sum<T> shared) {
  using S = Sum<T>;
  const Epilogue<S>& e = a.epilogue;
  const Place<LAST, Index> place(a, at);
  const int64_t row = int64_t(place.sample) * a.channels.by + place.channel;
  const Affine<LAST ? N : 1, S> affine(e, row, place.channel);
  S noise[N];
#pragma unroll
  for (int i = 0; i < N; ++i) noise[i] = shared;
  if constexpr (!LAST) {
    if (e.noise) widen(load<N>(place.noise(a)), noise);
  }
#pragma unroll
  for (int i = 0; i < N; ++i) {
    v[i] = v[i] * affine.scale[LAST ? i : 0] + (noise[i] + affine.b[LAST ? i : 0]);
  }
  finish(v, e);
}

template <typename T, int N, bool LAST, typename Index>
__global__ void __launch_bounds__(kBiasActThreads) bias_act_kernel(const BiasAct<T, Index> a) {
  using S = Sum<T>;
  const Index first = Index(blockIdx.x) * (kBiasActThreads * kBiasActVectors) + threadIdx.x;
  Vector<T, N> x[kBiasActVectors];
  S noise[kBiasActVectors] = {};
#pragma unroll
  for (int j = 0; j < kBiasActVectors; ++j) {  // asks memory for all, and waits for none
    const Index i = first + j * kBiasActThreads;
    if (i >= a.vectors) continue;
    x[j] = load<N>(a.x + i * N);
    if (LAST && a.epilogue.noise) noise[j] = *Place<LAST, Index>(a, i * N).noise(a);
  }
#pragma unroll
  for (int j = 0; j < kBiasActVectors; ++j) {
    const Index i = first + j * kBiasActThreads;
    if (i >= a.vectors) return;
    S v[N];
    widen(x[j], v);
    bias_act_vector<T, N, LAST, Index>(v, a, i * N, noise[j]);
    store<N>(a.y + i * N, v);
  }
}

}  // namespace stylegan2_ops::gpu
