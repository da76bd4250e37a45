// As much of CUDA as the kernels of stylegan2_ops use, on the host, for checking what they compute
// and where they read and write on a machine without a GPU. It stands in for CUDA's own header.
//
// The threads of a block are fibers: each runs until it meets a barrier (or an exchange within its
// warp), and goes on when all whom the barrier concerns have met it. Blocks run one by one, so that
// a static variable can be shared memory. Fibers run in the order of their numbers or backwards, in
// turn: work that lacks a barrier gives other results then.
#pragma once

#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/macros.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
using cudaStream_t = void*;
using cudaError_t = int;

inline thread_local dim3 gridDim, blockDim, blockIdx, threadIdx;

namespace on_host {

enum class State { ready, at_warp, at_block, done };

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  dim3 index;
  State state;
};

constexpr size_t kStack = 1 << 17;
inline ucontext_t scheduler;
inline std::vector<Fiber> fibers;
inline std::vector<double> slots;  // what each thread shows to its warp
inline size_t current;
inline std::function<void()> body;
inline bool backwards = false;

inline void meet(State state) {
  Fiber& self = fibers[current];
  self.state = state;
  swapcontext(&self.context, &scheduler);
}

inline void enter() {
  body();
  meet(State::done);
}

// Lets [first, end) go on if all of them that live have met the barrier.
inline bool release(size_t first, size_t end, State barrier) {
  bool any = false;
  for (size_t i = first; i < end; ++i) {
    if (fibers[i].state != barrier && fibers[i].state != State::done) return false;
    any = any || fibers[i].state == barrier;
  }
  for (size_t i = first; any && i < end; ++i) {
    if (fibers[i].state == barrier) fibers[i].state = State::ready;
  }
  return any;
}

inline void run_ready(size_t threads) {
  for (size_t i = 0; i < threads; ++i) {
    current = backwards ? threads - 1 - i : i;
    if (fibers[current].state != State::ready) continue;
    threadIdx = fibers[current].index;
    swapcontext(&scheduler, &fibers[current].context);
  }
}

inline void run_block(dim3 block) {
  const size_t threads = size_t(block.x) * block.y * block.z;
  if (fibers.size() < threads) fibers.resize(threads);
  slots.resize(threads);
  for (size_t i = 0; i < threads; ++i) {
    Fiber& fiber = fibers[i];
    if (!fiber.stack) fiber.stack.reset(new char[kStack]);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStack;
    makecontext(&fiber.context, enter, 0);
    fiber.index = dim3(i % block.x, i / block.x % block.y, i / block.x / block.y);
    fiber.state = State::ready;
  }
  for (;;) {
    run_ready(threads);
    bool any = false, all_done = true;
    for (size_t i = 0; i < threads; i += 32) {
      any = release(i, i + 32 < threads ? i + 32 : threads, State::at_warp) || any;
    }
    any = any || release(0, threads, State::at_block);
    for (size_t i = 0; i < threads; ++i) all_done = all_done && fibers[i].state == State::done;
    if (all_done) return;
    if (!any) {
      std::fprintf(stderr, "threads of a block wait for each other at different barriers\n");
      std::abort();
    }
  }
}

struct NoGuard {
  explicit NoGuard(int32_t) {}
};

inline int32_t stream(int32_t, void** to) {
  *to = nullptr;
  return 0;
}

}  // namespace on_host

inline uint32_t __umulhi(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(uint64_t(a) * b >> 32);
}

inline void __syncthreads() { on_host::meet(on_host::State::at_block); }

template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  on_host::slots[on_host::current] = value;
  on_host::meet(on_host::State::at_warp);
  const T other = static_cast<T>(on_host::slots[on_host::current ^ mask]);
  on_host::meet(on_host::State::at_warp);  // before anyone shows something new
  return other;
}

inline int __all_sync(unsigned, int holds) {
  on_host::slots[on_host::current] = holds;
  on_host::meet(on_host::State::at_warp);
  bool all = true;
  const size_t first = on_host::current / 32 * 32;
  for (size_t i = first; i < first + 32 && i < on_host::slots.size(); ++i) {
    all = all && on_host::slots[i] != 0;
  }
  on_host::meet(on_host::State::at_warp);
  return all;
}

enum { cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared = 100 };

template <typename Kernel>
cudaError_t cudaFuncSetAttribute(Kernel, int, int) {
  return 0;
}

template <typename Argument>
cudaError_t cudaLaunchKernel(void (*kernel)(Argument), dim3 grid, dim3 block, void** arguments,
                             size_t, cudaStream_t) {
  on_host::body = [&] { kernel(*static_cast<Argument*>(arguments[0])); };
  gridDim = grid;
  blockDim = block;
  for (unsigned i = 0; i < grid.x; ++i) {
    blockIdx = dim3(i);
    on_host::backwards = !on_host::backwards;
    on_host::run_block(block);
  }
  return 0;
}

// What torch offers for a GPU.
namespace torch::stable::accelerator {
using on_host::NoGuard;
}
#define DeviceGuard NoGuard
#define aoti_torch_get_current_cuda_stream on_host::stream
#undef STD_CUDA_KERNEL_LAUNCH_CHECK
#define STD_CUDA_KERNEL_LAUNCH_CHECK() (void)0

// The kernels are registered for the CPU. This name is an enumerator of torch's too, hence last.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#define CUDA CPU
