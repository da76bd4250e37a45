// Numbers as they lie in memory, several at a time, and as they are computed with.
#pragma once

#include <torch/headeronly/core/ScalarType.h>
#include <torch/headeronly/util/BFloat16.h>
#include <torch/headeronly/util/Exception.h>
#include <torch/headeronly/util/Half.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace stylegan2_ops::gpu {

// The type sums are made in.
template <typename T>
struct SumOf {
  using type = float;
};
template <>
struct SumOf<double> {
  using type = double;
};
template <typename T>
using Sum = typename SumOf<T>::type;

constexpr int kVectorBytes = 16;  // the widest access of a thread
template <typename T>
constexpr int kVector = kVectorBytes / static_cast<int>(sizeof(T));

// N neighbours in memory. Their address must be a multiple of their size, or of 16 bytes.
template <typename T, int N>
struct alignas(N * sizeof(T) < kVectorBytes ? N * sizeof(T) : kVectorBytes) Vector {
  T values[N];
};

template <int N, typename T>
__device__ __forceinline__ Vector<T, N> load(const T* from) {
  return *reinterpret_cast<const Vector<T, N>*>(from);
}

// Whether 0 <= at < size, in one comparison.
__device__ __forceinline__ bool within(int at, int size) {
  return static_cast<unsigned>(at) < static_cast<unsigned>(size);
}

// The words of 32 bits that a vector is made of.
template <typename V>
struct Words {
  static constexpr int count = sizeof(V) / sizeof(uint32_t);
  uint32_t values[count];
  __device__ __forceinline__ explicit Words(const V& from) {
    std::memcpy(values, &from, sizeof(values));
  }
};

template <int N, typename T>
__device__ __forceinline__ void widen(const Vector<T, N>& from, Sum<T> (&to)[N]) {
  if constexpr (std::is_same_v<T, torch::headeronly::BFloat16> && N % 2 == 0) {
    // The upper half of a float; one by one, the lower of two is moved twice.
    const Words<Vector<T, N>> words(from);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const uint32_t word = words.values[i / 2];
      const uint32_t bits = i % 2 ? word & 0xffff0000 : word << 16;
      std::memcpy(&to[i], &bits, sizeof(bits));
    }
  } else {
#pragma unroll
    for (int i = 0; i < N; ++i) to[i] = static_cast<Sum<T>>(from.values[i]);
  }
}

// Stores a vector as it is: left to itself, the compiler (13.0, up to sm_90) takes some apart into
// single numbers.
template <typename V>
__device__ __forceinline__ void put(V* to, const V& vector) {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(V) == 8) {
    const Words<V> w(vector);
    asm volatile("st.global.v2.b32 [%0], {%1, %2};"
                 :
                 : "l"(to), "r"(w.values[0]), "r"(w.values[1])
                 : "memory");
  } else if constexpr (sizeof(V) % 16 == 0) {
    const Words<V> w(vector);
#pragma unroll
    for (int i = 0; i < Words<V>::count; i += 4) {
      asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};"
                   :
                   : "l"(reinterpret_cast<uint32_t*>(to) + i), "r"(w.values[i]),
                     "r"(w.values[i + 1]), "r"(w.values[i + 2]), "r"(w.values[i + 3])
                   : "memory");
    }
  } else {
    *to = vector;
  }
#else
  *to = vector;
#endif
}

template <int N, typename T>
__device__ __forceinline__ void store(T* to, const Sum<T> (&from)[N]) {
  Vector<T, N> narrow;
#pragma unroll
  for (int i = 0; i < N; ++i) narrow.values[i] = static_cast<T>(from[i]);
  put(reinterpret_cast<Vector<T, N>*>(to), narrow);
}

// Whether vectors may be read at every pointer that is not null.
template <typename... Pointers>
bool aligned(const Pointers*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % kVectorBytes == 0) && ...);
}

// Calls body with a number of the type: float, double, Half or BFloat16.
template <typename Body>
void with_type(torch::headeronly::ScalarType type, const Body& body) {
  using torch::headeronly::ScalarType;
  switch (type) {
    case ScalarType::Float: return body(float());
    case ScalarType::Double: return body(double());
    case ScalarType::Half: return body(torch::headeronly::Half());
    case ScalarType::BFloat16: return body(torch::headeronly::BFloat16());
    default: STD_TORCH_CHECK(false, "x must be float32, float64, float16 or bfloat16");
  }
}

// Division by a number that all threads divide by.
template <typename Index>
struct Divisor {
  Index by;
  Divisor() : Divisor(1) {}
  explicit Divisor(int64_t by) : by(static_cast<Index>(by)) {}
  __device__ __forceinline__ Index quotient(Index n) const { return n / by; }
};

// In 32 bits by a multiplication, for n below 2^31 (Granlund and Montgomery, "Division by invariant
// integers using multiplication", PLDI 1994, figure 4.1).
template <>
struct Divisor<uint32_t> {
  uint32_t by, factor, shift = 0;
  Divisor() : Divisor(1) {}
  explicit Divisor(int64_t by) : by(static_cast<uint32_t>(by)) {
    while ((int64_t{1} << shift) < by) ++shift;
    const uint64_t above = (uint64_t{1} << shift) - by;  // a power of 2 less `by`
    factor = static_cast<uint32_t>((above << 32) / by + 1);
  }
  __device__ __forceinline__ uint32_t quotient(uint32_t n) const {
    return (__umulhi(n, factor) + n) >> shift;
  }
};

// The quotient takes the place of n; returns the remainder.
template <typename Index>
__device__ __forceinline__ Index divide(Index& n, const Divisor<Index>& divisor) {
  const Index quotient = divisor.quotient(n), rest = n - quotient * divisor.by;
  n = quotient;
  return rest;
}

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

constexpr int64_t kMost32 = (int64_t{1} << 31) - 1;

}  // namespace stylegan2_ops::gpu
