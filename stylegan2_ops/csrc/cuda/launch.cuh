// Where kernels run: the device of a tensor, on torch's current stream.
#pragma once

#include <cuda_runtime.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/macros.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/util/shim_utils.h>

#include <cstdint>
#include <limits>

namespace stylegan2_ops::gpu {

// Makes the tensor's device the current one for as long as it lives.
class Queue {
 public:
  explicit Queue(const torch::stable::Tensor& x) : guard_(x.get_device_index()) {
    void* stream = nullptr;
    TORCH_ERROR_CODE_CHECK(
        aoti_torch_get_current_cuda_stream(x.get_device_index(), &stream));
    stream_ = static_cast<cudaStream_t>(stream);
  }

  // By the function rather than by <<< >>>, so that a plain C++ compiler can read the kernels too.
  template <typename Argument>
  void run(void (*kernel)(Argument), int64_t blocks, dim3 threads, Argument argument) const {
    STD_TORCH_CHECK(blocks <= std::numeric_limits<int32_t>::max(), "x is too large for a launch");
    void* arguments[] = {&argument};
    (void)cudaLaunchKernel(kernel, dim3(static_cast<unsigned>(blocks)), threads, arguments, 0,
                           stream_);
    STD_CUDA_KERNEL_LAUNCH_CHECK();
  }

 private:
  torch::stable::accelerator::DeviceGuard guard_;
  cudaStream_t stream_;
};

}  // namespace stylegan2_ops::gpu
