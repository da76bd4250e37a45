// 3x3 convolutions by Winograd's minimal filtering, F(4x4, 3x3): a tile of 4x4 outputs takes 36
// multiplications of each pair of channels instead of 144 (Lavin & Gray, "Fast Algorithms for
// Convolutional Neural Networks", CVPR 2016, section 4).
//
// Along one dimension the polynomials of tile and filter are evaluated at the points 0, +-p, +-q and
// infinity. With p = 2/3 and q = 3/2 rounding errors are about twice those of the direct sum, where
// the textbook's 1 and 2 make them five times as large; and as p q = 1, most factors are 1.
//
// Transforms work on vectors of channels, which lie next to each other in memory.
#pragma once

#include "numbers.h"

namespace stylegan2_ops {
namespace CAPABILITY {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
constexpr int64_t kRows = 12;  // whose sums, of two vectors each, fill the registers
#elif defined(__AVX__)
constexpr int64_t kLanes = 8;
constexpr int64_t kRows = 6;
#else
constexpr int64_t kLanes = 4;
constexpr int64_t kRows = 6;
#endif
constexpr int64_t kPanel = 2 * kLanes;
constexpr int64_t kTile = 4, kPatch = 6, kTaps = 3;  // of outputs, of inputs, of the filter
constexpr int64_t kPoints = kPatch * kPatch;
constexpr int64_t kManyFilters = 1 << 16;  // whose transforms no cache of one core holds

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

INLINE Vector load(const float* at) {
  Vector v;
  std::memcpy(&v, at, sizeof v);
  return v;
}
INLINE void store(float* at, const Vector& v) { std::memcpy(at, &v, sizeof v); }

constexpr float kP = 2.f / 3, kQ = 3.f / 2;
constexpr float kP2 = kP * kP, kQ2 = kQ * kQ, kP3 = kP2 * kP, kQ3 = kQ2 * kQ;
constexpr float kSum = kP2 + kQ2;

// What a patch is at each point: of inputs [6] to [6].
INLINE void of_patch(const Vector d[kPatch], Vector v[kPatch]) {
  const Vector even_p = d[4] - kQ2 * d[2], odd_p = kP * d[3] - (kP * kQ2) * d[1];
  const Vector even_q = d[4] - kP2 * d[2], odd_q = kQ * d[3] - (kQ * kP2) * d[1];
  v[0] = d[0] + d[4] - kSum * d[2];
  v[1] = even_p + odd_p;
  v[2] = even_p - odd_p;
  v[3] = even_q + odd_q;
  v[4] = even_q - odd_q;
  v[5] = d[1] + d[5] - kSum * d[3];
}

// What a filter is at each point, with the factors of the interpolation: of taps [3] to [6].
INLINE void of_filter(const Vector g[kTaps], Vector u[kPatch]) {
  constexpr float at_p = 1 / (2 * kP2 * (kP2 - kQ2)), at_q = 1 / (2 * kQ2 * (kQ2 - kP2));
  const Vector even_p = at_p * g[0] + (at_p * kP2) * g[2], odd_p = (at_p * kP) * g[1];
  const Vector even_q = at_q * g[0] + (at_q * kQ2) * g[2], odd_q = (at_q * kQ) * g[1];
  u[0] = g[0];
  u[1] = even_p + odd_p;
  u[2] = even_p - odd_p;
  u[3] = even_q + odd_q;
  u[4] = even_q - odd_q;
  u[5] = g[2];
}

// Outputs from the products at each point: of [6] to [4].
INLINE void to_tile(const Vector m[kPatch], Vector y[kTile]) {
  const Vector even_p = m[1] + m[2], odd_p = m[1] - m[2];
  const Vector even_q = m[3] + m[4], odd_q = m[3] - m[4];
  y[0] = m[0] + even_p + even_q;
  y[1] = kP * odd_p + kQ * odd_q;
  y[2] = kP2 * even_p + kQ2 * even_q;
  y[3] = kP3 * odd_p + kQ3 * odd_q + m[5];
}

// The transpose of `to_tile`: of gradients of outputs [4] to [6].
INLINE void of_tile(const Vector y[kTile], Vector m[kPatch]) {
  const Vector even_p = y[0] + kP2 * y[2], odd_p = kP * y[1] + kP3 * y[3];
  const Vector even_q = y[0] + kQ2 * y[2], odd_q = kQ * y[1] + kQ3 * y[3];
  m[0] = y[0];
  m[1] = even_p + odd_p;
  m[2] = even_p - odd_p;
  m[3] = even_q + odd_q;
  m[4] = even_q - odd_q;
  m[5] = y[3];
}

// The transpose of `of_filter`: of gradients of products [6] to taps [3].
INLINE void to_filter(const Vector u[kPatch], Vector g[kTaps]) {
  constexpr float at_p = 1 / (2 * kP2 * (kP2 - kQ2)), at_q = 1 / (2 * kQ2 * (kQ2 - kP2));
  const Vector even_p = at_p * (u[1] + u[2]), odd_p = (at_p * kP) * (u[1] - u[2]);
  const Vector even_q = at_q * (u[3] + u[4]), odd_q = (at_q * kQ) * (u[3] - u[4]);
  g[0] = u[0] + even_p + even_q;
  g[1] = odd_p + odd_q;
  g[2] = kP2 * even_p + kQ2 * even_q + u[5];
}

// A transform of both dimensions: of [from][from] vectors that `in(row, column)` gives to [to][to] that
// `out(row, column, vector)` takes.
template <int64_t from, int64_t to, class Transform, class In, class Out>
INLINE void both_ways(const Transform& transform, const In& in, const Out& out) {
  Vector half[to][from];
  for (int64_t j = 0; j < from; ++j) {
    Vector column[from], transformed[to];
    for (int64_t i = 0; i < from; ++i) column[i] = in(i, j);
    transform(column, transformed);
    for (int64_t i = 0; i < to; ++i) half[i][j] = transformed[i];
  }
  for (int64_t i = 0; i < to; ++i) {
    Vector transformed[to];
    transform(half[i], transformed);
    for (int64_t j = 0; j < to; ++j) out(i, j, transformed[j]);
  }
}

// Tiles of images, counted over samples, then rows, then columns.
struct Tiles {
  int64_t down, across, count;
  Tiles(int64_t samples, int64_t height, int64_t width)
      : down((height + kTile - 1) / kTile),
        across((width + kTile - 1) / kTile),
        count(samples * down * across) {}
  int64_t sample(int64_t tile) const { return tile / (down * across); }
  int64_t top(int64_t tile) const { return tile / across % down * kTile; }
  int64_t left(int64_t tile) const { return tile % across * kTile; }
};

// Writes the transform of the patch whose first row and column are `top` and `left` of an image
// [height, width, channels], zeros around it; `at(point, channel)` says where.
template <class At>
INLINE void transform_patch(const float* image, int64_t height, int64_t width, int64_t channels,
                            int64_t top, int64_t left, const At& at) {
  const bool inside = top >= 0 && left >= 0 && top + kPatch <= height && left + kPatch <= width;
  const float* from = image + (top * width + left) * channels;
  const int64_t row = width * channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    const auto put = [&](int64_t i, int64_t j, const Vector& v) {
      store(at(i * kPatch + j, c), v);
    };
    if (inside) {
      both_ways<kPatch, kPatch>(
          of_patch, [&](int64_t i, int64_t j) { return load(from + i * row + j * channels + c); },
          put);
      continue;
    }
    both_ways<kPatch, kPatch>(
        of_patch,
        [&](int64_t i, int64_t j) {
          const int64_t y = top + i, x = left + j;
          if (y < 0 || x < 0 || y >= height || x >= width) return Vector{};
          return load(image + (y * width + x) * channels + c);
        },
        put);
  }
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
