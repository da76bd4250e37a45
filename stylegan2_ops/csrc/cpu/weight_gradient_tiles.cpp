// The gradient of a 3x3 convolution's weight, as the transpose of what convolution.cpp does with it:
// the transforms of both images are multiplied at each point, summed over tiles, and only the sums are
// transformed back.

#include "winograd.h"

namespace stylegan2_ops {
namespace CAPABILITY {
namespace {

// Numbers of a block's tiles at all points: a cache of one core holds them, or, where it does not hold
// the sums, as many as a cache of all cores holds, for which the sums are read and written less often.
constexpr int64_t kBlock = 1 << 17, kLargeBlock = 1 << 21, kFewestTiles = 24;

constexpr int64_t kTilesOfPiece = 192;                  // at least: they are worth sums of their own
constexpr int64_t kMostSums = 1 << 24;                  // numbers in all pieces' sums
constexpr int64_t kFewestPieces = 8, kMostPieces = 16;  // that these have room for

const Threads kAlone{[](int64_t count, int64_t, void (*body)(int64_t, int64_t, void*),
                        void* context) { body(0, count, context); }};

// How the work is cut: into pieces that are summed by a thread each, or one that all work on where
// sums are too large for that, and these into blocks of tiles. None of it depends on the number of
// threads, nor do the sums.
// Steps from point to point, and from tile to tile of `a`, are no powers of two, which share sets.
template <class S>
struct Cut {
  Tiles tiles;
  int64_t panels, most, pieces, a_row, a_step, b_step, columns, sums_step;
  explicit Cut(const WeightGradient& g)
      : tiles(S::kTile, g.samples, g.height, g.width),
        panels((g.b_channels + kPanel - 1) / kPanel) {
    const int64_t block = g.a_channels * g.b_channels < kManyFilters ? kBlock : kLargeBlock;
    const int64_t fitting = block / (S::kPoints * (g.a_channels + g.b_channels));
    most = smaller(tiles.count, larger(fitting, kFewestTiles));
    a_row = g.a_channels + 16;
    a_step = most * a_row;
    b_step = panels * most * kPanel + kPanel;
    columns = panels * kPanel;
    sums_step = g.a_channels * columns + kPanel;
    const int64_t room = smaller(kMostPieces, kMostSums / (S::kFilters * sums_step));
    const int64_t paying = room < kFewestPieces ? 1 : smaller(room, tiles.count / kTilesOfPiece);
    pieces = 1;
    while (2 * pieces <= paying) pieces *= 2;
  }
  int64_t first_of(int64_t piece) const { return tiles.count * piece / pieces; }
};

// sums[row][column] += sum over t of a[t][row] b[t][column], for the first `rows` of kRows rows and
// kPanel columns.
__attribute__((noinline)) void accumulate(const float* a, int64_t a_row, const float* b,
                                          int64_t tiles, float* sums, int64_t step, int64_t rows) {
  Vector c[kRows][2] = {};
  for (int64_t t = 0; t < tiles; ++t, a += a_row, b += kPanel) {
    const Vector b0 = load(b), b1 = load(b + kLanes);
    for (int64_t r = 0; r < kRows; ++r) {
      const Vector at = a[r] - Vector{};
      c[r][0] += at * b0;
      c[r][1] += at * b1;
    }
  }
#pragma GCC unroll 16  // else the sums would go through memory
  for (int64_t r = 0; r < kRows; ++r) {
    if (r == rows) break;
    store(sums + r * step, load(sums + r * step) + c[r][0]);
    store(sums + r * step + kLanes, load(sums + r * step + kLanes) + c[r][1]);
  }
}

// Adds tiles [first, last) to the sums at all points.
template <class S>
void add_block(const WeightGradient& g, const Cut<S>& cut, int64_t first, int64_t last, float* a,
               float* b, float* sums, const Threads& threads) {
  const Images from_a{g.a, g.height, g.width, g.a_channels};
  const Images from_b{g.b, g.b_height, g.b_width, g.b_channels};
  parallel(threads, last - first, 8, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t n = cut.tiles.sample(first + t);
      const int64_t row = cut.tiles.row(first + t), column = cut.tiles.column(first + t);
      float* to = a + t * cut.a_row;
      transform_part<S::kTile, S::kSide>(
          S::of_tile, from_a, n, row * S::kTile, column * S::kTile,
          [&](int64_t point, int64_t c) { return to + point * cut.a_step + c; });
      transform_part<S::kPatch, S::kSide>(
          S::of_patch, from_b, n, row * S::kStep - g.padding, column * S::kStep - g.padding,
          [&](int64_t point, int64_t c) {
            const int64_t panel = c / kPanel;
            return b + point * cut.b_step + (panel * cut.most + t) * kPanel + c % kPanel;
          });
    }
  });
  const int64_t groups = (g.a_channels + kRows - 1) / kRows;
  parallel(threads, S::kFilters * groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t filter = task / groups, row = task % groups * kRows;
      for (int64_t point = 0; point < S::kPoints; ++point) {
        if (S::filter_of(point) != filter) continue;
        for (int64_t panel = 0; panel < cut.panels; ++panel) {
          accumulate(a + point * cut.a_step + row, cut.a_row,
                     b + point * cut.b_step + panel * cut.most * kPanel, last - first,
                     sums + filter * cut.sums_step + row * cut.columns + panel * kPanel,
                     cut.columns, smaller(kRows, g.a_channels - row));
        }
      }
    }
  });
}

template <class S>
void add_piece(const WeightGradient& g, const Cut<S>& cut, int64_t piece, float* sums,
               const Threads& threads) {
  Scratch<float> a(S::kPoints * cut.a_step), b(S::kPoints * cut.b_step);
  // Of `a` and `b`, rows and columns that pad a block.
  for (int64_t i = 0; i < S::kPoints * cut.a_step; ++i) a.data[i] = 0;
  for (int64_t i = 0; i < S::kPoints * cut.b_step; ++i) b.data[i] = 0;
  for (int64_t i = 0; i < S::kFilters * cut.sums_step; ++i) sums[i] = 0;
  const int64_t end = cut.first_of(piece + 1);
  for (int64_t first = cut.first_of(piece); first < end; first += cut.most) {
    add_block<S>(g, cut, first, smaller(end, first + cut.most), a.data, b.data, sums, threads);
  }
}

// Transforms the sums back to taps.
template <class S>
void write_gradient(const WeightGradient& g, const Cut<S>& cut, int64_t i, const float* sums) {
  for (int64_t c = 0; c < g.b_channels; c += kLanes) {
    const float* from = sums + i * cut.columns + c;
    both_ways<S::kFilterSide, kTaps>(
        S::to_filter,
        [&](int64_t y, int64_t x) {
          return load(from + (y * S::kFilterSide + x) * cut.sums_step);
        },
        [&](int64_t y, int64_t x, const Vector& v) {
          store(g.y + ((i * kTaps + y) * kTaps + x) * g.b_channels + c, v);
        });
  }
}

template <class S>
void gradient(const WeightGradient& g, const Threads& threads) {
  const Cut<S> cut(g);
  const int64_t count = S::kFilters * cut.sums_step;
  Scratch<float> sums(cut.pieces * count);
  if (cut.pieces == 1) add_piece<S>(g, cut, 0, sums.data, threads);
  if (cut.pieces > 1) {
    parallel(threads, cut.pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) add_piece<S>(g, cut, i, sums.data + i * count, kAlone);
    });
    parallel(threads, count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t piece = 1; piece < cut.pieces; ++piece) {
        const float* more = sums.data + piece * count;
        for (int64_t i = begin; i < end; ++i) sums.data[i] += more[i];
      }
    });
  }
  parallel(threads, g.a_channels, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) write_gradient<S>(g, cut, i, sums.data);
  });
}

}  // namespace

void weight_gradient_in_tiles(const WeightGradient& g, const Threads& threads) {
  if (g.stride == 1) return gradient<Plain>(g, threads);
  gradient<Halving>(g, threads);
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
