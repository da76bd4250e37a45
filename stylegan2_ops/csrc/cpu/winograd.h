// 3x3 convolutions by Winograd's minimal filtering (Lavin & Gray, "Fast Algorithms for Convolutional
// Neural Networks", CVPR 2016, section 4): images and filters, as polynomials, are evaluated at a few
// points, where convolving them is multiplying, and what the products interpolate is the result.
//
// Three schemes say how, along one dimension; both dimensions are treated alike. Multiplications are
// those of a pair of channels, in two dimensions.
//
//   Plain      stride 1: a tile of 4 outputs from a patch of 6 inputs at 6 points, 36 multiplications
//              instead of 144. The points are 0, +-p, +-q and infinity. With p = 2/3 and q = 3/2 errors
//              are about twice those of the direct sum, where the textbook's 1 and 2 make them five
//              times as large; and p q = 1 saves a multiplication of each.
//   Halving    stride 2: 3 outputs from 7 inputs. Those of even number meet the outer taps, which are a
//              filter of 2 taps at the points 0, 1, -1 and infinity; those of odd number meet the
//              middle one, and are points of their own: 49 multiplications instead of 81.
//   Enlarging  its transpose: 6 outputs from 4 inputs, as many.
//
// Transforms work on vectors of channels, which lie next to each other in memory.
#pragma once

#include "vectors.h"

namespace stylegan2_ops {
namespace CAPABILITY {

#if defined(__AVX512F__)
constexpr int64_t kRows = 12;  // whose sums, of two vectors each, fill the registers
#else
constexpr int64_t kRows = 6;
#endif
constexpr int64_t kPanel = 2 * kLanes;
constexpr int64_t kTaps = 3;
constexpr int64_t kManyFilters = 1 << 16;  // whose transforms no cache of one core holds

// What all schemes have, along one dimension: kPatch inputs from kStep times the tile's number minus
// the padding on, kTile outputs, points, and those of the filter, the last of which may serve several.
template <int64_t patch, int64_t step, int64_t tile, int64_t points, int64_t filters>
struct Scheme {
  static constexpr int64_t kPatch = patch, kStep = step, kTile = tile;
  static constexpr int64_t kSide = points, kFilterSide = filters;
  static constexpr int64_t kPoints = points * points, kFilters = filters * filters;
  // The point of the filter that point `i` of both dimensions meets.
  static INLINE int64_t filter_of(int64_t i) {
    return smaller(i / points, filters - 1) * filters + smaller(i % points, filters - 1);
  }
};

struct Plain : Scheme<6, 4, 4, 6, 6> {
  static constexpr float kP = 2.f / 3, kQ = 3.f / 2;
  static constexpr float kP2 = kP * kP, kQ2 = kQ * kQ, kP3 = kP2 * kP, kQ3 = kQ2 * kQ;
  static constexpr float kSum = kP2 + kQ2;
  static constexpr float kAtP = 1 / (2 * kP2 * (kP2 - kQ2)), kAtQ = 1 / (2 * kQ2 * (kQ2 - kP2));

  // A patch at each point.
  static INLINE void of_patch(const Vector d[kPatch], Vector v[kSide]) {
    const Vector even_p = d[4] - kQ2 * d[2], odd_p = kP * d[3] - (kP * kQ2) * d[1];
    const Vector even_q = d[4] - kP2 * d[2], odd_q = kQ * d[3] - (kQ * kP2) * d[1];
    v[0] = d[0] + d[4] - kSum * d[2];
    v[1] = even_p + odd_p;
    v[2] = even_p - odd_p;
    v[3] = even_q + odd_q;
    v[4] = even_q - odd_q;
    v[5] = d[1] + d[5] - kSum * d[3];
  }

  // A filter at each of its points, with the factors of the interpolation.
  static INLINE void of_filter(const Vector g[kTaps], Vector u[kFilterSide]) {
    const Vector even_p = kAtP * g[0] + (kAtP * kP2) * g[2], odd_p = (kAtP * kP) * g[1];
    const Vector even_q = kAtQ * g[0] + (kAtQ * kQ2) * g[2], odd_q = (kAtQ * kQ) * g[1];
    u[0] = g[0];
    u[1] = even_p + odd_p;
    u[2] = even_p - odd_p;
    u[3] = even_q + odd_q;
    u[4] = even_q - odd_q;
    u[5] = g[2];
  }

  // Outputs from the products.
  static INLINE void to_tile(const Vector m[kSide], Vector y[kTile]) {
    const Vector even_p = m[1] + m[2], odd_p = m[1] - m[2];
    const Vector even_q = m[3] + m[4], odd_q = m[3] - m[4];
    y[0] = m[0] + even_p + even_q;
    y[1] = kP * odd_p + kQ * odd_q;
    y[2] = kP2 * even_p + kQ2 * even_q;
    y[3] = kP3 * odd_p + kQ3 * odd_q + m[5];
  }

  // Gradients of products from those of outputs: the transpose of `to_tile`.
  static INLINE void of_tile(const Vector y[kTile], Vector m[kSide]) {
    const Vector even_p = y[0] + kP2 * y[2], odd_p = kP * y[1] + kP3 * y[3];
    const Vector even_q = y[0] + kQ2 * y[2], odd_q = kQ * y[1] + kQ3 * y[3];
    m[0] = y[0];
    m[1] = even_p + odd_p;
    m[2] = even_p - odd_p;
    m[3] = even_q + odd_q;
    m[4] = even_q - odd_q;
    m[5] = y[3];
  }

  // Gradients of taps from those of the filter's points: the transpose of `of_filter`.
  static INLINE void to_filter(const Vector u[kFilterSide], Vector g[kTaps]) {
    const Vector even_p = kAtP * (u[1] + u[2]), odd_p = (kAtP * kP) * (u[1] - u[2]);
    const Vector even_q = kAtQ * (u[3] + u[4]), odd_q = (kAtQ * kQ) * (u[3] - u[4]);
    g[0] = u[0] + even_p + even_q;
    g[1] = odd_p + odd_q;
    g[2] = kP2 * even_p + kQ2 * even_q + u[5];
  }
};

struct Halving : Scheme<7, 6, 3, 7, 5> {
  static INLINE void of_patch(const Vector d[kPatch], Vector v[kSide]) {
    v[0] = d[4] - d[0];
    v[1] = d[4] + d[2];
    v[2] = d[4] - d[2];
    v[3] = d[6] - d[2];
    v[4] = d[1];
    v[5] = d[3];
    v[6] = d[5];
  }
  static INLINE void of_filter(const Vector g[kTaps], Vector u[kFilterSide]) {
    u[0] = -g[0];
    u[1] = .5f * (g[0] + g[2]);
    u[2] = .5f * (g[0] - g[2]);
    u[3] = g[2];
    u[4] = g[1];
  }
  static INLINE void to_tile(const Vector m[kSide], Vector y[kTile]) {
    const Vector even = m[1] + m[2];
    y[0] = m[0] + even + m[4];
    y[1] = m[1] - m[2] + m[5];
    y[2] = even + m[3] + m[6];
  }
  static INLINE void of_tile(const Vector y[kTile], Vector m[kSide]) {
    const Vector outer = y[0] + y[2];
    m[0] = y[0];
    m[1] = outer + y[1];
    m[2] = outer - y[1];
    m[3] = y[2];
    m[4] = y[0];
    m[5] = y[1];
    m[6] = y[2];
  }
  static INLINE void to_filter(const Vector u[kFilterSide], Vector g[kTaps]) {
    g[0] = .5f * (u[1] + u[2]) - u[0];
    g[1] = u[4];
    g[2] = .5f * (u[1] - u[2]) + u[3];
  }
};

// Its filters are turned by half a turn, as those of all transposed convolutions are.
struct Enlarging : Scheme<4, 3, 6, 7, 5> {
  static INLINE void of_patch(const Vector d[kPatch], Vector v[kSide]) {
    v[0] = d[2] - d[0];
    v[1] = d[2] + d[1];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
    v[4] = d[1];
    v[5] = d[2];
    v[6] = d[3];
  }
  static INLINE void of_filter(const Vector g[kTaps], Vector u[kFilterSide]) {
    Halving::of_filter(g, u);
  }
  static INLINE void to_tile(const Vector m[kSide], Vector y[kTile]) {
    const Vector even = m[1] + m[2];
    y[0] = m[0] + even;
    y[1] = m[4];
    y[2] = m[1] - m[2];
    y[3] = m[5];
    y[4] = even + m[3];
    y[5] = m[6];
  }
};

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
  Tiles(int64_t tile, int64_t samples, int64_t height, int64_t width)
      : down((height + tile - 1) / tile),
        across((width + tile - 1) / tile),
        count(samples * down * across) {}
  int64_t sample(int64_t i) const { return i / (down * across); }
  int64_t row(int64_t i) const { return i / across % down; }
  int64_t column(int64_t i) const { return i % across; }
};

// Images [N, height, width, channels].
struct Images {
  const float* data;
  int64_t height, width, channels;
};

// Transforms [side, side] positions of sample `n` from (top, left) on, zeros around the image, with
// `transform`, to [to, to] points; `at(point, channel)` says where.
template <int64_t side, int64_t to, class Transform, class At>
INLINE void transform_part(const Transform& transform, const Images& x, int64_t n, int64_t top,
                           int64_t left, const At& at) {
  const bool inside = top >= 0 && left >= 0 && top + side <= x.height && left + side <= x.width;
  const float* image = x.data + n * x.height * x.width * x.channels;
  const float* from = inside ? image + (top * x.width + left) * x.channels : image;
  const int64_t row = x.width * x.channels;
  for (int64_t c = 0; c < x.channels; c += kLanes) {
    const auto put = [&](int64_t i, int64_t j, const Vector& v) { store(at(i * to + j, c), v); };
    if (inside) {
      both_ways<side, to>(
          transform,
          [&](int64_t i, int64_t j) { return load(from + i * row + j * x.channels + c); }, put);
      continue;
    }
    both_ways<side, to>(
        transform,
        [&](int64_t i, int64_t j) {
          const int64_t v = top + i, u = left + j;
          if (v < 0 || u < 0 || v >= x.height || u >= x.width) return Vector{};
          return load(image + (v * x.width + u) * x.channels + c);
        },
        put);
  }
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
