// What every device checks and works out before its kernels run.
#pragma once

#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/util/Exception.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace stylegan2_ops {

using torch::headeronly::MemoryFormat;
using torch::headeronly::ScalarType;
using torch::stable::Tensor;
using OptionalTensor = std::optional<Tensor>;

enum class Act : int { linear, relu, lrelu, tanh, sigmoid, elu, selu, softplus, swish };

inline Act act_by_name(const std::string& name) {
  static const char* const names[] = {
      "linear", "relu", "lrelu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish"};
  for (int i = 0; i < 9; ++i) {
    if (name == names[i]) return static_cast<Act>(i);
  }
  STD_TORCH_CHECK(false, "act must be an activation of stylegan2_ops, got ", name);
  return Act::linear;
}

// The type that sums of a type are made in.
inline ScalarType compute_type(ScalarType type) {
  STD_TORCH_CHECK(
      type == ScalarType::Float || type == ScalarType::Double || type == ScalarType::Half ||
          type == ScalarType::BFloat16,
      "x must be float32, float64, float16 or bfloat16");
  return type == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
}

// Whether the channels of x [N, C, H, W] are its innermost dimension in memory, and not by chance.
inline bool is_channels_last(const Tensor& x) {
  if (x.dim() != 4 || x.is_contiguous()) return false;
  const auto size = x.sizes();
  const auto stride = x.strides();
  int64_t expected = 1;
  for (int d : {1, 3, 2, 0}) {
    if (size[d] != 1 && stride[d] != expected) return false;
    expected *= size[d];
  }
  return true;
}

inline MemoryFormat format_of(const Tensor& x) {
  return is_channels_last(x) ? MemoryFormat::ChannelsLast : MemoryFormat::Contiguous;
}

// x itself where its memory is dense in the wanted format, else a copy that is.
inline Tensor dense(const Tensor& x, MemoryFormat format) {
  if (format == MemoryFormat::Contiguous ? x.is_contiguous() : is_channels_last(x)) return x;
  return torch::stable::contiguous(x, format);
}

inline Tensor new_tensor(const Tensor& like, const std::vector<int64_t>& sizes, ScalarType type,
                         MemoryFormat format) {
  return torch::stable::empty(sizes, type, std::nullopt, like.device(), std::nullopt,
                              sizes.size() == 4 ? format : MemoryFormat::Contiguous);
}

// Samples, channels and what remains, of x [N, C, ...].
struct Extent {
  int64_t samples, channels, positions;
};

inline Extent extent_of(const Tensor& x) {
  STD_TORCH_CHECK(x.dim() >= 2, "x must be [N, C, ...], got ", x.dim(), " dimensions");
  int64_t positions = 1;
  for (int64_t d = 2; d < x.dim(); ++d) positions *= x.size(d);
  return {x.size(0), x.size(1), positions};
}

inline void check_part(const OptionalTensor& part, const Tensor& x, std::vector<int64_t> shape,
                       const char* name) {
  if (!part) return;
  STD_TORCH_CHECK(part->scalar_type() == compute_type(x.scalar_type()), name,
                  " must have the type that x is computed in");
  STD_TORCH_CHECK(part->is_contiguous() && part->get_device() == x.get_device(), name,
                  " must be contiguous and on the device of x");
  bool fits = part->dim() == static_cast<int64_t>(shape.size());
  for (size_t d = 0; fits && d < shape.size(); ++d) fits = part->size(d) == shape[d];
  STD_TORCH_CHECK(fits, name, " does not fit x");
}

// Scale, noise and bias that follow a tensor of the shape of `x` (or of another shape like it).
inline void check_epilogue(const Tensor& x, const std::vector<int64_t>& shape,
                           const OptionalTensor& scale, const OptionalTensor& noise,
                           const OptionalTensor& b) {
  check_part(scale, x, {shape[0], shape[1]}, "scale");
  check_part(b, x, {shape[1]}, "b");
  if (noise) {
    STD_TORCH_CHECK(shape.size() == 4 && noise->dim() == 4, "noise goes with x [N, C, H, W]");
    check_part(noise, x, {noise->size(0) == 1 ? 1 : shape[0], 1, shape[2], shape[3]}, "noise");
  }
}

struct Resampling {
  int64_t upx, upy, downx, downy, x0, x1, y0, y1;
  int64_t filter_height, filter_width;
  int64_t out_height, out_width;
};

inline Resampling check_resampling(const Tensor& x, const Tensor& f, const std::vector<int64_t>& up,
                                   const std::vector<int64_t>& down,
                                   const std::vector<int64_t>& padding) {
  STD_TORCH_CHECK(x.dim() == 4, "x must be [N, C, H, W], got ", x.dim(), " dimensions");
  STD_TORCH_CHECK(f.dim() == 2 && f.numel() > 0 && f.is_contiguous(),
                  "f must be a contiguous [fh, fw]");
  STD_TORCH_CHECK(f.get_device() == x.get_device(), "f must be on the device of x");
  STD_TORCH_CHECK(f.scalar_type() == ScalarType::Float || f.scalar_type() == ScalarType::Double,
                  "f must be float32 or float64");
  STD_TORCH_CHECK(up.size() == 2 && down.size() == 2 && padding.size() == 4,
                  "up and down have two entries, padding four");
  STD_TORCH_CHECK(up[0] > 0 && up[1] > 0 && down[0] > 0 && down[1] > 0,
                  "up and down must be at least 1");
  Resampling r{up[0],      up[1],      down[0],    down[1],   padding[0], padding[1],
               padding[2], padding[3], f.size(0), f.size(1), 0,          0};
  const int64_t height = x.size(2) * r.upy + r.y0 + r.y1;
  const int64_t width = x.size(3) * r.upx + r.x0 + r.x1;
  STD_TORCH_CHECK(height >= r.filter_height && width >= r.filter_width,
                  "the filter is larger than the padded input");
  r.out_height = (height - r.filter_height) / r.downy + 1;
  r.out_width = (width - r.filter_width) / r.downx + 1;
  return r;
}

}  // namespace stylegan2_ops
