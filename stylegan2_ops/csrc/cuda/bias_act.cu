// bias_act and its gradient on CUDA: picks a kernel and registers.

#include <torch/csrc/stable/library.h>

#include <algorithm>

#include "bias_act_backward.cuh"
#include "bias_act_forward.cuh"
#include "launch.cuh"
#include "operators.h"

namespace stylegan2_ops::gpu {
namespace {

// Channels are the innermost dimension: channels_last, or nothing but channels.
bool channels_are_last(MemoryFormat format, const Extent& e) {
  return format == MemoryFormat::ChannelsLast || e.positions == 1;
}

std::vector<int64_t> sizes_of(const Tensor& x) {
  return std::vector<int64_t>(x.sizes().begin(), x.sizes().end());
}

template <typename T, int N, bool LAST, typename Index>
void run_forward(const Queue& queue, const T* x, T* y, const Extent& e,
                 const Epilogue<Sum<T>>& epilogue) {
  const int64_t vectors = e.samples * e.channels * e.positions / N;
  const BiasAct<T, Index> call{x,
                               y,
                               static_cast<Index>(vectors),
                               Divisor<Index>(e.channels),
                               Divisor<Index>(e.positions),
                               epilogue};
  queue.run(bias_act_kernel<T, N, LAST, Index>,
            ceil_div(vectors, kBiasActThreads * kBiasActVectors), dim3(kBiasActThreads), call);
}

template <typename T, int N, bool LAST>
void run_forward(const Queue& queue, const T* x, T* y, const Extent& e,
                 const Epilogue<Sum<T>>& epilogue) {
  if (e.samples * e.channels * e.positions <= kMost32) {
    run_forward<T, N, LAST, uint32_t>(queue, x, y, e, epilogue);
  } else {
    run_forward<T, N, LAST, uint64_t>(queue, x, y, e, epilogue);
  }
}

template <typename T>
void run_forward(const Queue& queue, const T* x, T* y, const Extent& e, bool last,
                 const Epilogue<Sum<T>>& parts) {
  const bool vectors = (last ? e.channels : e.positions) % kVector<T> == 0 &&
                       aligned(x, y, parts.scale, parts.noise, parts.b);
  if (last) {
    return vectors ? run_forward<T, kVector<T>, true>(queue, x, y, e, parts)
                   : run_forward<T, 1, true>(queue, x, y, e, parts);
  }
  return vectors ? run_forward<T, kVector<T>, false>(queue, x, y, e, parts)
                 : run_forward<T, 1, false>(queue, x, y, e, parts);
}

// Cuts the work into warps: about as many as a large device runs at a time, if there is so much.
template <typename T>
void cut(BiasActBackward<T>& a, int vector) {
  constexpr int64_t kWarps = 8192, kLeastSteps = 8;
  a.group = 1;
  while (a.group < 32 && a.group * vector < a.inner) a.group *= 2;
  a.pieces = ceil_div(a.inner, int64_t{a.group} * vector);
  const int64_t least = kLeastSteps * (32 / a.group);
  a.run = std::max(least, ceil_div(a.outer * a.pieces * a.samples, kWarps));
  a.runs = ceil_div(a.outer, a.run);
}

template <typename T, int N>
void run_backward(const Queue& queue, const BiasActBackward<T>& a, bool last) {
  const int64_t blocks = ceil_div(a.pieces * a.runs * a.samples, kBackwardThreads / 32);
  queue.run(last ? bias_act_backward_kernel<T, N, true> : bias_act_backward_kernel<T, N, false>,
            blocks, dim3(kBackwardThreads), a);
}

// Sums of which one part has been made for each piece or run.
Tensor total(const Tensor& parts, std::vector<int64_t> over) {
  bool one = true;
  for (const int64_t d : over) one = one && parts.size(d) == 1;
  std::vector<int64_t> left;
  for (int64_t d = 0; d < parts.dim(); ++d) {
    if (std::find(over.begin(), over.end(), d) == over.end()) left.push_back(parts.size(d));
  }
  if (one) return torch::stable::view(parts, left);
  return torch::stable::sum(parts, torch::headeronly::IntHeaderOnlyArrayRef(over), false);
}

}  // namespace

Tensor bias_act(Tensor x, OptionalTensor scale, OptionalTensor noise, OptionalTensor b,
                std::string act, double alpha, double gain, double clamp) {
  const Extent e = extent_of(x);
  const Queue queue(x);
  const MemoryFormat format = format_of(x);
  x = dense(x, format);
  check_epilogue(x, sizes_of(x), scale, noise, b);
  Tensor y = new_tensor(x, sizes_of(x), x.scalar_type(), format);
  if (y.numel() == 0) return y;
  with_type(x.scalar_type(), [&](auto number) {
    using T = decltype(number);
    run_forward(queue, static_cast<const T*>(x.const_data_ptr()),
                static_cast<T*>(y.mutable_data_ptr()), e, channels_are_last(format, e),
                make_epilogue<Sum<T>>(scale, noise, b, e.positions, act_by_name(act), alpha, gain,
                                      clamp));
  });
  return y;
}

std::tuple<Tensor, Tensor, Tensor, Tensor> bias_act_backward(
    Tensor dy, Tensor y, OptionalTensor x, OptionalTensor scale, std::string act, double alpha,
    double gain, double clamp, std::vector<bool> wanted, int64_t noise_samples) {
  const Act which = act_by_name(act);
  STD_TORCH_CHECK(is_piecewise(which), "the slope of ", act, " cannot be told from its value");
  STD_TORCH_CHECK(wanted.size() == 4 && (!wanted[1] || x), "dL/dscale needs x");
  const Extent e = extent_of(y);
  STD_TORCH_CHECK(!wanted[2] || y.dim() == 4, "noise goes with x [N, C, H, W]");
  const Queue queue(y);
  const MemoryFormat format = format_of(y);
  const bool last = channels_are_last(format, e);
  y = dense(y, format);
  dy = dense(dy, format);
  if (x) x = dense(*x, format);
  check_part(scale, y, {e.samples, e.channels}, "scale");
  const ScalarType sum_type = compute_type(y.scalar_type());
  Tensor dx = new_tensor(y, wanted[0] ? sizes_of(y) : std::vector<int64_t>{0}, y.scalar_type(),
                         format);
  Tensor channel_scale, channel_bias, noise;
  with_type(y.scalar_type(), [&](auto number) {
    using T = decltype(number);
    using S = Sum<T>;
    const auto input = [](const Tensor& t) { return static_cast<const T*>(t.const_data_ptr()); };
    BiasActBackward<T> a{};
    a.dy = input(dy), a.y = input(y), a.x = wanted[1] ? input(*x) : nullptr;
    a.scale = scale ? static_cast<const S*>(scale->const_data_ptr()) : nullptr;
    a.dx = wanted[0] ? static_cast<T*>(dx.mutable_data_ptr()) : nullptr;
    a.samples = e.samples;
    a.outer = last ? e.positions : e.channels;
    a.inner = last ? e.channels : e.positions;
    const bool vectors = a.inner % kVector<T> == 0 && aligned(a.dy, a.y, a.x, a.dx);
    cut(a, vectors ? kVector<T> : 1);
    const auto parts = [&](bool is_wanted, int64_t count, int64_t size, Tensor& to) {
      to = new_tensor(y, is_wanted ? std::vector<int64_t>{e.samples, count, size}
                                   : std::vector<int64_t>{0},
                      sum_type, MemoryFormat::Contiguous);
      return is_wanted ? static_cast<S*>(to.mutable_data_ptr()) : nullptr;
    };
    a.channel_scale = parts(wanted[1], last ? a.runs : a.pieces, e.channels, channel_scale);
    a.channel_bias = parts(wanted[3], last ? a.runs : a.pieces, e.channels, channel_bias);
    a.noise = parts(wanted[2], last ? a.pieces : a.runs, e.positions, noise);
    a.above = static_cast<S>(gain);
    a.below = static_cast<S>(which == Act::linear ? gain : which == Act::relu ? 0 : gain * alpha);
    a.limit = clamp < 0 ? std::numeric_limits<S>::quiet_NaN()
                        : static_cast<S>(static_cast<T>(static_cast<S>(clamp)));
    if (y.numel() == 0) return;
    vectors ? run_backward<T, kVector<T>>(queue, a, last) : run_backward<T, 1>(queue, a, last);
  });
  if (wanted[1]) channel_scale = total(channel_scale, {1});
  if (wanted[3]) channel_bias = total(channel_bias, {0, 1});
  if (wanted[2]) {
    const bool shared = noise_samples == 1;
    noise = total(noise, shared ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{1});
    noise = torch::stable::view(noise, {shared ? 1 : e.samples, 1, y.size(2), y.size(3)});
  }
  return {dx, channel_scale, noise, channel_bias};
}

}  // namespace stylegan2_ops::gpu

STABLE_TORCH_LIBRARY_IMPL(stylegan2_ops, CUDA, m) {
  m.impl("bias_act", TORCH_BOX(&stylegan2_ops::gpu::bias_act));
  m.impl("bias_act_backward", TORCH_BOX(&stylegan2_ops::gpu::bias_act_backward));
}
