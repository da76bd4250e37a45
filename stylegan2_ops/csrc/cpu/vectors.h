// Vectors of float32 as the processor has them.
#pragma once

#include "numbers.h"

namespace stylegan2_ops {
namespace CAPABILITY {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
#elif defined(__AVX__)
constexpr int64_t kLanes = 8;
#else
constexpr int64_t kLanes = 4;
#endif

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

INLINE Vector load(const float* at) {
  Vector v;
  std::memcpy(&v, at, sizeof v);
  return v;
}
INLINE void store(float* at, const Vector& v) { std::memcpy(at, &v, sizeof v); }

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
