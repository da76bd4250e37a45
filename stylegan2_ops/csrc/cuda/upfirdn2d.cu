// upfirdn2d on CUDA, alone and with the epilogue of a layer: picks a kernel and registers.
//
// Filters of 4 x 4 taps with factors of 1 or 2 have kernels of their own, as fast as memory allows;
// everything else takes upfirdn2d_any.

#include <torch/csrc/stable/library.h>

#include <cstdlib>

#include "launch.cuh"
#include "operators.h"
#include "upfirdn2d_any.cuh"
#include "upfirdn2d_pixels.cuh"
#include "upfirdn2d_planes.cuh"

namespace stylegan2_ops::gpu {
namespace {

// Below this width a tile of planes would be mostly empty.
constexpr int kLeastPlaneWidth = 33;

// Cuts the outputs into tiles; returns how many there are of one sample and one piece of channels.
template <typename Tile, typename T>
int64_t cut(Upfirdn2d<T>& a) {
  const int64_t x = ceil_div(a.out_width + a.shift_x, Tile::columns);
  const int64_t y = ceil_div(a.out_height + a.shift_y, Tile::rows);
  a.tiles_x = Divisor<uint32_t>(x);
  a.tiles_y = Divisor<uint32_t>(y);
  return x * y;
}

template <typename T, int UP, int DOWN>
void run_planes(const Queue& queue, Upfirdn2d<T> a) {
  using Tile = PlaneTile<T, UP, DOWN>;
  const int64_t blocks = cut<Tile>(a) * a.samples * a.channels;
  a.pieces = Divisor<uint32_t>(a.channels);
  a.vectors = a.out_width % 4 == 0 && a.shift_x == 0 && aligned(a.y, a.epilogue.noise);
  queue.run(upfirdn2d_planes<T, UP, DOWN>, blocks, dim3(Tile::lanes, Tile::warps), a);
}

template <typename T, int UP, int DOWN, bool FUSED>
void run_pixels(const Queue& queue, Upfirdn2d<T> a) {
  using Tile = PixelTile<T, UP, DOWN>;
  const int64_t pieces = ceil_div(a.channels, Tile::channels);
  const int64_t blocks = cut<Tile>(a) * a.samples * pieces;
  a.pieces = Divisor<uint32_t>(pieces);
  const auto kernel = upfirdn2d_pixels<T, UP, DOWN, FUSED>;
  // All that a multiprocessor has for its blocks, not for the cache: nothing is read twice there.
  (void)cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                             cudaSharedmemCarveoutMaxShared);
  queue.run(kernel, blocks, dim3(Tile::threads), a);
}

template <typename T, int UP, int DOWN>
void run_tiled(const Queue& queue, const Upfirdn2d<T>& a, bool last) {
  if (!last) return run_planes<T, UP, DOWN>(queue, a);
  a.fused ? run_pixels<T, UP, DOWN, true>(queue, a) : run_pixels<T, UP, DOWN, false>(queue, a);
}

template <typename T, int N, bool LAST, typename Index>
void run_any(const Queue& queue, const Upfirdn2d<T>& a) {
  const int64_t vectors = a.samples * a.channels * a.out_height * a.out_width / N;
  const AnyUpfirdn2d<T, Index> call{a, static_cast<Index>(vectors), Divisor<Index>(a.out_width),
                                    Divisor<Index>(a.out_height), Divisor<Index>(a.channels / N)};
  queue.run(upfirdn2d_any<T, N, LAST, Index>, ceil_div(vectors, kFilterThreads),
            dim3(kFilterThreads), call);
}

template <typename T, int N, bool LAST>
void run_any(const Queue& queue, const Upfirdn2d<T>& a) {
  const bool few = a.samples * a.channels * a.out_height * a.out_width <= kMost32;
  few ? run_any<T, N, LAST, uint32_t>(queue, a) : run_any<T, N, LAST, uint64_t>(queue, a);
}

// Whether kernels for 4 x 4 taps fit the call.
template <typename T>
bool is_tiled(const Upfirdn2d<T>& a, bool last) {
  if (a.fh != kTaps || a.fw != kTaps || a.upx != a.upy || a.downx != a.downy) return false;
  if (a.upx > 2 || a.downx > 2 || a.upx * a.downx > 2) return false;
  if (a.fused && !is_piecewise(a.epilogue.act)) return false;
  if (!last) return a.out_width >= kLeastPlaneWidth;
  return a.channels % kVector<T> == 0 && a.channels <= kMost32 &&
         aligned(a.x, a.y, a.epilogue.scale, a.epilogue.b);
}

template <typename T>
void run(const Queue& queue, Upfirdn2d<T> a, bool last) {
  if (!is_tiled(a, last)) {
    constexpr int N = sizeof(T) == 8 ? 2 : 4;
    const bool vectors = a.channels % N == 0 && aligned(a.x, a.y, a.epilogue.scale, a.epilogue.b);
    if (!last) return run_any<T, 1, false>(queue, a);
    return vectors ? run_any<T, N, true>(queue, a) : run_any<T, 1, true>(queue, a);
  }
  a.shift_x = tile_shift(a.x0, a.upx);
  a.shift_y = tile_shift(a.y0, a.upy);
  if (a.upx == 2) return run_tiled<T, 2, 1>(queue, a, last);
  if (a.downx == 2) return run_tiled<T, 1, 2>(queue, a, last);
  return run_tiled<T, 1, 1>(queue, a, last);
}

// Kernels count along an axis in 32 bits, with room for the tiles that reach beyond it.
void check_sides(const Tensor& x, const Resampling& r) {
  const auto fits = [](int64_t size, int64_t up, int64_t down, int64_t before, int64_t after,
                       int64_t taps) {
    constexpr int64_t most = int64_t{1} << 29;
    const bool each = size < most && up < most && down < most && taps < most &&
                      std::abs(before) < most && std::abs(after) < most;
    return each && size * up + std::abs(before) + std::abs(after) + down + taps < most;
  };
  STD_TORCH_CHECK(fits(x.size(3), r.upx, r.downx, r.x0, r.x1, r.filter_width) &&
                      fits(x.size(2), r.upy, r.downy, r.y0, r.y1, r.filter_height) &&
                      r.filter_height * r.filter_width <= kMost32,
                  "height, width, padding and filter must stay below 2^29");
}

struct Parts {
  OptionalTensor scale, noise, b;
  Act act;
  double alpha, gain, clamp;
};

Tensor resample(Tensor x, Tensor f, const std::vector<int64_t>& up,
                const std::vector<int64_t>& down, const std::vector<int64_t>& padding,
                bool flip_filter, double gain, const std::optional<Parts>& parts) {
  const Resampling r = check_resampling(x, f, up, down, padding);
  check_sides(x, r);
  const Queue queue(x);
  const MemoryFormat format = format_of(x);
  x = dense(x, format);
  const std::vector<int64_t> sizes{x.size(0), x.size(1), r.out_height, r.out_width};
  if (parts) check_epilogue(x, sizes, parts->scale, parts->noise, parts->b);
  Tensor y = new_tensor(x, sizes, x.scalar_type(), format);
  if (y.numel() == 0) return y;
  const ScalarType sum_type = compute_type(x.scalar_type());
  if (f.scalar_type() != sum_type) f = torch::stable::to(f, sum_type);
  const auto side = [](int64_t size) { return static_cast<int>(size); };
  with_type(x.scalar_type(), [&](auto number) {
    using T = decltype(number);
    using S = Sum<T>;
    Upfirdn2d<T> a{};
    a.x = static_cast<const T*>(x.const_data_ptr());
    a.y = static_cast<T*>(y.mutable_data_ptr());
    a.f = static_cast<const S*>(f.const_data_ptr());
    a.samples = sizes[0], a.channels = sizes[1];
    a.height = side(x.size(2)), a.width = side(x.size(3));
    a.out_height = side(r.out_height), a.out_width = side(r.out_width);
    a.upx = side(r.upx), a.upy = side(r.upy), a.downx = side(r.downx), a.downy = side(r.downy);
    a.x0 = side(r.x0), a.y0 = side(r.y0);
    a.fh = side(r.filter_height), a.fw = side(r.filter_width);
    a.flip_filter = flip_filter, a.gain = static_cast<S>(gain);
    a.fused = parts.has_value();
    if (parts) {
      a.epilogue = make_epilogue<S>(parts->scale, parts->noise, parts->b,
                                    r.out_height * r.out_width, parts->act, parts->alpha,
                                    parts->gain, parts->clamp);
    }
    run(queue, a, format == MemoryFormat::ChannelsLast);
  });
  return y;
}

Tensor upfirdn2d(Tensor x, Tensor f, std::vector<int64_t> up, std::vector<int64_t> down,
                 std::vector<int64_t> padding, bool flip_filter, double gain) {
  return resample(x, f, up, down, padding, flip_filter, gain, std::nullopt);
}

// Activations that bend make code too long to unroll; they take a pass of their own.
Tensor upfirdn2d_bias_act(Tensor x, Tensor f, std::vector<int64_t> up, std::vector<int64_t> down,
                          std::vector<int64_t> padding, bool flip_filter, double filter_gain,
                          OptionalTensor scale, OptionalTensor noise, OptionalTensor b,
                          std::string act, double alpha, double gain, double clamp) {
  const Act which = act_by_name(act);
  if (is_piecewise(which)) {
    return resample(x, f, up, down, padding, flip_filter, filter_gain,
                    Parts{scale, noise, b, which, alpha, gain, clamp});
  }
  const Tensor y = resample(x, f, up, down, padding, flip_filter, filter_gain, std::nullopt);
  return bias_act(y, scale, noise, b, act, alpha, gain, clamp);
}

}  // namespace
}  // namespace stylegan2_ops::gpu

STABLE_TORCH_LIBRARY_IMPL(stylegan2_ops, CUDA, m) {
  m.impl("upfirdn2d", TORCH_BOX(&stylegan2_ops::gpu::upfirdn2d));
  m.impl("upfirdn2d_bias_act", TORCH_BOX(&stylegan2_ops::gpu::upfirdn2d_bias_act));
}
