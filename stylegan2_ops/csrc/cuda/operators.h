// The operators on CUDA, for those that end in another one.
#pragma once

#include "../arguments.h"

namespace stylegan2_ops::gpu {

torch::stable::Tensor bias_act(Tensor x, OptionalTensor scale, OptionalTensor noise,
                               OptionalTensor b, std::string act, double alpha, double gain,
                               double clamp);

}  // namespace stylegan2_ops::gpu
