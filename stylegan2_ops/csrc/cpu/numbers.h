// Reading and writing the four types of numbers, and what sums of them are made in. Written without
// branches, so that compilers turn loops over them into vector instructions.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels.h"

#if defined(__GNUC__)
#define INLINE inline __attribute__((always_inline))
#else
#define INLINE inline
#endif

namespace stylegan2_ops {
namespace CAPABILITY {

struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

INLINE uint32_t bits_of(float v) {
  uint32_t u;
  std::memcpy(&u, &v, 4);
  return u;
}
INLINE float float_of(uint32_t u) {
  float v;
  std::memcpy(&v, &u, 4);
  return v;
}

template <class T>
struct Number {  // float and double
  using Sum = T;
  static INLINE T read(T v) { return v; }
  static INLINE T write(T v) { return v; }
};

template <>
struct Number<BFloat16> {
  using Sum = float;
  static INLINE float read(BFloat16 v) { return float_of(uint32_t(v.bits) << 16); }
  static INLINE BFloat16 write(float v) {  // to nearest, ties to even; NaN stays NaN
    const uint32_t u = bits_of(v);
    const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    return {uint16_t(v == v ? rounded : 0x7fc0u)};
  }
};

template <>
struct Number<Half> {
  using Sum = float;
  static INLINE float read(Half v) {
    const uint32_t magnitude = uint32_t(v.bits & 0x7fffu) << 13;
    const uint32_t sign = uint32_t(v.bits & 0x8000u) << 16;
    const uint32_t scaled = bits_of(float_of(magnitude) * 0x1p112f);  // rebias; denormals too
    const uint32_t special = scaled | 0x7f800000u;                    // infinity and NaN
    return float_of((magnitude >= 0x0f800000u ? special : scaled) | sign);
  }
  static INLINE Half write(float v) {
    const uint32_t u = bits_of(v);
    const uint32_t sign = (u >> 16) & 0x8000u, magnitude = u & 0x7fffffffu;
    const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    const uint32_t tiny = bits_of(float_of(magnitude) + 0.5f) - 0x3f000000u;  // below 2^-14
    uint32_t h = magnitude < 0x38800000u ? tiny : normal;
    h = magnitude >= 0x477ff000u ? 0x7c00u : h;  // rounds to infinity
    h = magnitude > 0x7f800000u ? 0x7e00u : h;
    return {uint16_t(h | sign)};
  }
};

// Calls body(number) with a value of the type that `type` names.
template <class Body>
INLINE void with_type(Type type, const Body& body) {
  switch (type) {
    case Type::f32: return body(float());
    case Type::f64: return body(double());
    case Type::f16: return body(Half());
    case Type::bf16: return body(BFloat16());
  }
}

constexpr int64_t kGrain = 1 << 15;  // numbers that are worth a thread

// Calls body(begin, end) on parts of [0, count) on several threads.
template <class Body>
INLINE void parallel(const Threads& threads, int64_t count, int64_t grain, const Body& body) {
  threads.run(
      count, grain > 1 ? grain : 1,
      [](int64_t begin, int64_t end, void* context) {
        (*static_cast<const Body*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// Memory of one thread for the length of one call, aligned as vector instructions like it.
template <class A>
struct Scratch {
  static constexpr uintptr_t kAlignment = 64;
  void* whole;
  A* data;
  explicit Scratch(int64_t count) : whole(__builtin_malloc(count * sizeof(A) + kAlignment)) {
    if (!whole) __builtin_trap();
    const uintptr_t at = reinterpret_cast<uintptr_t>(whole);
    data = reinterpret_cast<A*>((at + kAlignment - 1) / kAlignment * kAlignment);
  }
  ~Scratch() { __builtin_free(whole); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
