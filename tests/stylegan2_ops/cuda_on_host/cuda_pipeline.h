// Copies to shared memory that are only begun, on the host: they are made when they are waited for,
// and until then there is nothing to read where they go.
#pragma once

#include "cuda_runtime.h"

namespace on_host {

struct Copy {
  void* to;
  const void* from;
  size_t bytes, zeros;
};
inline std::vector<std::vector<Copy>> begun;  // of each thread of the block

}  // namespace on_host

inline void __pipeline_memcpy_async(void* to, const void* from, size_t bytes, size_t zeros = 0) {
  if (reinterpret_cast<uintptr_t>(to) % bytes || reinterpret_cast<uintptr_t>(from) % bytes) {
    std::fprintf(stderr, "a copy of %zu bytes begins elsewhere than at a multiple of them\n", bytes);
    std::abort();
  }
  std::memset(to, 0xff, bytes);  // numbers that are none
  if (on_host::begun.size() <= on_host::current) on_host::begun.resize(on_host::current + 1);
  on_host::begun[on_host::current].push_back({to, from, bytes, zeros});
}

inline void __pipeline_commit() {}

inline void __pipeline_wait_prior(size_t) {
  if (on_host::begun.size() <= on_host::current) return;
  for (const auto& copy : on_host::begun[on_host::current]) {
    std::memcpy(copy.to, copy.from, copy.bytes - copy.zeros);
    std::memset(static_cast<char*>(copy.to) + (copy.bytes - copy.zeros), 0, copy.zeros);
  }
  on_host::begun[on_host::current].clear();
}
