// Registers the CPU kernels: checks arguments, makes the outputs, and picks the kernels for what
// the processor can do.

#include <torch/csrc/stable/library.h>

#include <tuple>
#include <utility>

#include "../arguments.h"
#include "filter.h"
#include "kernels.h"

#if defined(STYLEGAN2_OPS_ONLY)  // who loads the library has asked the processor
#define FOR_EACH_CAPABILITY(X) X(STYLEGAN2_OPS_ONLY)
#elif defined(STYLEGAN2_OPS_X86)
#define FOR_EACH_CAPABILITY(X) X(avx512) X(avx2) X(baseline)
#else
#define FOR_EACH_CAPABILITY(X) X(baseline)
#endif

namespace stylegan2_ops {

#define DECLARE(capability)       \
  namespace capability {          \
  extern const Kernels kernels;   \
  }
FOR_EACH_CAPABILITY(DECLARE)

namespace {

const Kernels& choose() {
#if defined(STYLEGAN2_OPS_ONLY)
  return STYLEGAN2_OPS_ONLY::kernels;
#else
#if defined(STYLEGAN2_OPS_X86)
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return avx512::kernels;
  }
  if (has_avx2) return avx2::kernels;
#endif
  return baseline::kernels;
#endif
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

const Threads threads{[](int64_t count, int64_t grain, void (*body)(int64_t, int64_t, void*),
                         void* context) {
  torch::stable::parallel_for(0, count, grain, [&](int64_t begin, int64_t end) {
    body(begin, end, context);
  });
}};

Type type_of(const Tensor& x) {
  switch (x.scalar_type()) {
    case ScalarType::Float: return Type::f32;
    case ScalarType::Double: return Type::f64;
    case ScalarType::Half: return Type::f16;
    case ScalarType::BFloat16: return Type::bf16;
    default: STD_TORCH_CHECK(false, "x must be float32, float64, float16 or bfloat16");
  }
  return Type::f32;
}

constexpr int64_t kChannels = 16;  // what channels of tiles are multiples of
constexpr int64_t kWide = 1 << 13;  // filters of stride 2 whose gradient is quicker in tiles

const void* pointer(const OptionalTensor& part) { return part ? part->data_ptr() : nullptr; }

Epilogue epilogue_of(const OptionalTensor& scale, const OptionalTensor& noise,
                     const OptionalTensor& b, const std::string& act, double alpha, double gain,
                     double clamp) {
  const bool shared = noise && noise->size(0) == 1;
  return {pointer(scale), pointer(noise), pointer(b), shared, static_cast<int>(act_by_name(act)),
          alpha,          gain,           clamp};
}

Tensor bias_act(Tensor x, OptionalTensor scale, OptionalTensor noise, OptionalTensor b,
                std::string act, double alpha, double gain, double clamp) {
  const auto format = format_of(x);
  x = dense(x, format);
  const std::vector<int64_t> sizes(x.sizes().begin(), x.sizes().end());
  const Extent e = extent_of(x);
  check_epilogue(x, sizes, scale, noise, b);
  Tensor y = new_tensor(x, sizes, x.scalar_type(), format);
  if (x.numel() == 0) return y;
  const bool last = format == MemoryFormat::ChannelsLast || e.positions == 1;
  const BiasAct call{type_of(x),
                     {e.samples, e.channels, e.positions, last},
                     x.data_ptr(),
                     y.data_ptr(),
                     epilogue_of(scale, noise, b, act, alpha, gain, clamp)};
  kernels().bias_act(call, threads);
  return y;
}

Tensor resample(Tensor x, const Tensor& f, const std::vector<int64_t>& up,
                const std::vector<int64_t>& down, const std::vector<int64_t>& padding, bool flip,
                double gain, const Epilogue* epilogue, const OptionalTensor& scale,
                const OptionalTensor& noise, const OptionalTensor& b) {
  const Resampling r = check_resampling(x, f, up, down, padding);
  const auto format = format_of(x);
  x = dense(x, format);
  const std::vector<int64_t> sizes{x.size(0), x.size(1), r.out_height, r.out_width};
  check_epilogue(x, sizes, scale, noise, b);
  Tensor y = new_tensor(x, sizes, x.scalar_type(), format);
  if (y.numel() == 0) return y;
  const Filter filter(f, flip, gain, x.scalar_type() == ScalarType::Double);
  const bool separable = !filter.column.empty();
  const Upfirdn2d call{type_of(x),
                       {sizes[0], sizes[1], r.out_height * r.out_width,
                        format == MemoryFormat::ChannelsLast},
                       x.data_ptr(),
                       y.data_ptr(),
                       x.size(2),
                       x.size(3),
                       r.out_height,
                       r.out_width,
                       r.upx,
                       r.upy,
                       r.downx,
                       r.downy,
                       r.x0,
                       r.y0,
                       r.filter_height,
                       r.filter_width,
                       filter.taps.data(),
                       separable ? filter.column.data() : nullptr,
                       separable ? filter.row.data() : nullptr,
                       epilogue};
  kernels().upfirdn2d(call, threads);
  return y;
}

Tensor upfirdn2d(Tensor x, Tensor f, std::vector<int64_t> up, std::vector<int64_t> down,
                 std::vector<int64_t> padding, bool flip_filter, double gain) {
  return resample(x, f, up, down, padding, flip_filter, gain, nullptr, {}, {}, {});
}

Tensor upfirdn2d_bias_act(Tensor x, Tensor f, std::vector<int64_t> up, std::vector<int64_t> down,
                          std::vector<int64_t> padding, bool flip_filter, double filter_gain,
                          OptionalTensor scale, OptionalTensor noise, OptionalTensor b,
                          std::string act, double alpha, double gain, double clamp) {
  const Epilogue epilogue = epilogue_of(scale, noise, b, act, alpha, gain, clamp);
  return resample(x, f, up, down, padding, flip_filter, filter_gain, &epilogue, scale, noise, b);
}

std::tuple<Tensor, Tensor, Tensor, Tensor> bias_act_backward(
    Tensor dy, Tensor y, OptionalTensor x, OptionalTensor scale, std::string act, double alpha,
    double gain, double clamp, std::vector<bool> wanted, int64_t noise_samples) {
  const Act which = act_by_name(act);
  STD_TORCH_CHECK(which == Act::linear || which == Act::relu || which == Act::lrelu,
                  "the slope of ", act, " cannot be told from its value");
  STD_TORCH_CHECK(wanted.size() == 4 && (!wanted[1] || x), "dL/dscale needs x");
  const auto format = format_of(y);
  y = dense(y, format);
  dy = dense(dy, format);
  if (x) x = dense(*x, format);
  const Extent e = extent_of(y);
  const std::vector<int64_t> sizes(y.sizes().begin(), y.sizes().end());
  check_part(scale, y, {e.samples, e.channels}, "scale");
  const ScalarType sum_type = compute_type(y.scalar_type());
  const bool last = format == MemoryFormat::ChannelsLast || e.positions == 1;
  const int64_t piece = std::max<int64_t>(16, 16384 / std::max<int64_t>(1, e.channels));
  const int64_t pieces = (e.positions + piece - 1) / piece;
  const auto sums = [&](bool is_wanted, std::vector<int64_t> shape) {
    return new_tensor(y, is_wanted ? shape : std::vector<int64_t>{0}, sum_type,
                      MemoryFormat::Contiguous);
  };
  Tensor dx = new_tensor(y, wanted[0] ? sizes : std::vector<int64_t>{0}, y.scalar_type(), format);
  Tensor scale_sums = sums(wanted[1], {e.samples, pieces, e.channels});
  Tensor noise_sums = sums(wanted[2], {e.samples, e.positions});
  Tensor bias_sums = sums(wanted[3], {e.samples, pieces, e.channels});
  const auto place = [](bool is_wanted, const Tensor& t) {
    return is_wanted ? t.data_ptr() : nullptr;
  };
  if (y.numel() != 0) {
    const BiasActBackward call{type_of(y),
                               {e.samples, e.channels, e.positions, last},
                               dy.data_ptr(),
                               y.data_ptr(),
                               wanted[1] ? x->data_ptr() : nullptr,
                               pointer(scale),
                               place(wanted[0], dx),
                               place(wanted[1], scale_sums),
                               place(wanted[2], noise_sums),
                               place(wanted[3], bias_sums),
                               piece,
                               static_cast<int>(which),
                               alpha,
                               gain,
                               clamp};
    kernels().bias_act_backward(call, threads);
  }
  const auto total = [](const Tensor& t, std::vector<int64_t> over, bool keep) {
    return torch::stable::sum(t, over, keep);
  };
  Tensor dscale = wanted[1] ? total(scale_sums, {1}, false) : scale_sums;
  Tensor db = wanted[3] ? total(bias_sums, {0, 1}, false) : bias_sums;
  Tensor dnoise = noise_sums;
  if (wanted[2]) {
    if (noise_samples == 1 && e.samples > 1) dnoise = total(noise_sums, {0}, true);
    dnoise = torch::stable::view(dnoise, {dnoise.size(0), 1, y.size(2), y.size(3)});
  }
  return {dx, dscale, dnoise, db};
}

Tensor demodulation(Tensor weight, Tensor styles) {
  STD_TORCH_CHECK(weight.dim() == 4 && styles.dim() == 2 && styles.size(1) == weight.size(1),
                  "demodulation wants weight [O, I, k, k] and styles [N, I]");
  STD_TORCH_CHECK(weight.scalar_type() == ScalarType::Float &&
                      styles.scalar_type() == ScalarType::Float && styles.is_contiguous(),
                  "demodulation wants float32, and contiguous styles");
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  const int64_t taps = weight.size(2) * weight.size(3);
  const auto is = [&](int64_t o, int64_t i, int64_t y, int64_t x) {
    const int64_t expected[] = {o, i, y, x};
    for (int64_t d = 0; d < 4; ++d) {
      if (weight.size(d) != 1 && weight.stride(d) != expected[d]) return false;
    }
    return true;
  };
  const bool outputs_innermost =
      is(1, taps * outputs, weight.size(3) * outputs, outputs);
  STD_TORCH_CHECK(outputs_innermost || is(taps * inputs, 1, weight.size(3) * inputs, inputs),
                  "demodulation wants inputs or outputs innermost in the memory of the weight");
  Tensor y = new_tensor(styles, {styles.size(0), outputs}, ScalarType::Float,
                        MemoryFormat::Contiguous);
  const Demodulation call{static_cast<const float*>(weight.data_ptr()),
                          static_cast<const float*>(styles.data_ptr()),
                          static_cast<float*>(y.data_ptr()),
                          styles.size(0),
                          outputs,
                          inputs,
                          taps,
                          outputs_innermost};
  if (y.numel() != 0) kernels().demodulation(call, threads);
  return y;
}

Tensor weight_gradient(Tensor a, Tensor b, int64_t stride, int64_t padding) {
  STD_TORCH_CHECK(a.dim() == 4 && b.dim() == 4 && a.size(0) == b.size(0),
                  "weight_gradient wants a [N, A, H, W] and b [N, B, H', W']");
  STD_TORCH_CHECK(a.scalar_type() == ScalarType::Float && b.scalar_type() == ScalarType::Float,
                  "weight_gradient wants float32");
  STD_TORCH_CHECK(stride >= 1 && padding >= 0, "stride must be at least 1, and padding 0");
  const auto last = MemoryFormat::ChannelsLast;
  Tensor y = new_tensor(a, {a.size(1), b.size(1), 3, 3}, ScalarType::Float, last);
  if (a.numel() == 0 || b.numel() == 0) return torch::stable::fill_(y, 0.0);
  a = dense(a, last);
  b = dense(b, last);
  const WeightGradient call{static_cast<const float*>(a.data_ptr()),
                            static_cast<const float*>(b.data_ptr()),
                            static_cast<float*>(y.data_ptr()),
                            a.size(0),
                            a.size(2),
                            a.size(3),
                            a.size(1),
                            b.size(2),
                            b.size(3),
                            b.size(1),
                            stride,
                            padding};
  const bool whole = a.size(1) % kChannels == 0 && b.size(1) % kChannels == 0;
  const bool wide = a.size(1) * b.size(1) >= kWide && stride == 2 && padding == 0;
  const bool tiles = whole && (stride == 1 || wide);
  (tiles ? kernels().weight_gradient_in_tiles : kernels().weight_gradient)(call, threads);
  return y;
}

Tensor convolution(Tensor x, const Tensor& weight, const OptionalTensor& bias, int64_t stride,
                   int64_t padding, bool transposed) {
  STD_TORCH_CHECK(x.dim() == 4 && weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
                      weight.size(transposed ? 0 : 1) == x.size(1),
                  "convolution wants x [N, I, H, W] and weight [O, I, 3, 3], or [I, O, 3, 3] if "
                  "transposed");
  const int64_t inputs = x.size(1), outputs = weight.size(transposed ? 1 : 0);
  STD_TORCH_CHECK(inputs % kChannels == 0 && outputs % kChannels == 0,
                  "convolution wants inputs and outputs that are multiples of 16");
  STD_TORCH_CHECK(x.scalar_type() == ScalarType::Float && weight.scalar_type() == ScalarType::Float,
                  "convolution wants float32");
  STD_TORCH_CHECK(!bias || (bias->dim() == 1 && bias->size(0) == outputs && bias->is_contiguous() &&
                            bias->scalar_type() == ScalarType::Float),
                  "convolution wants a bias [O]");
  STD_TORCH_CHECK(stride == 1 || (stride == 2 && padding == 0),
                  "stride must be 1, or 2 without padding");
  const auto resizing =
      stride == 1 ? Resizing::none : transposed ? Resizing::enlarging : Resizing::halving;
  const int64_t around = stride == 2 ? transposed : transposed ? 2 - padding : padding;
  const auto size = [&](int64_t d) {
    if (resizing == Resizing::enlarging) return 2 * x.size(d) + 1;
    return x.size(d) + 2 * around < 3 ? 0 : (x.size(d) + 2 * around - 3) / stride + 1;
  };
  const int64_t height = size(2), width = size(3);
  STD_TORCH_CHECK(around >= 0 && padding >= 0 && height >= 1 && width >= 1,
                  "padding must be at least 0, at most 2 if transposed, and leave an output");
  const auto last = MemoryFormat::ChannelsLast;
  Tensor y = new_tensor(x, {x.size(0), outputs, height, width}, ScalarType::Float, last);
  if (y.numel() == 0) return y;
  x = dense(x, last);
  Convolution call{static_cast<const float*>(x.data_ptr()),
                   static_cast<const float*>(weight.data_ptr()),
                   {weight.stride(0), weight.stride(1), weight.stride(2), weight.stride(3)},
                   static_cast<const float*>(pointer(bias)),
                   static_cast<float*>(y.data_ptr()),
                   x.size(0),
                   x.size(2),
                   x.size(3),
                   inputs,
                   height,
                   width,
                   outputs,
                   around,
                   resizing};
  if (transposed) {  // a convolution with the filter turned by half a turn
    call.weight += 2 * (weight.stride(2) + weight.stride(3));
    std::swap(call.weight_steps[0], call.weight_steps[1]);
    for (int64_t d : {2, 3}) call.weight_steps[d] = -call.weight_steps[d];
  }
  kernels().convolution(call, threads);
  return y;
}

}  // namespace
}  // namespace stylegan2_ops

// For `regen doctor`: which instructions the kernels use on this processor.
extern "C" const char* stylegan2_ops_cpu_capability() {
  return stylegan2_ops::kernels().capability;
}

STABLE_TORCH_LIBRARY_IMPL(stylegan2_ops, CPU, m) {
  m.impl("bias_act", TORCH_BOX(&stylegan2_ops::bias_act));
  m.impl("bias_act_backward", TORCH_BOX(&stylegan2_ops::bias_act_backward));
  m.impl("convolution", TORCH_BOX(&stylegan2_ops::convolution));
  m.impl("demodulation", TORCH_BOX(&stylegan2_ops::demodulation));
  m.impl("upfirdn2d", TORCH_BOX(&stylegan2_ops::upfirdn2d));
  m.impl("upfirdn2d_bias_act", TORCH_BOX(&stylegan2_ops::upfirdn2d_bias_act));
  m.impl("weight_gradient", TORCH_BOX(&stylegan2_ops::weight_gradient));
}
