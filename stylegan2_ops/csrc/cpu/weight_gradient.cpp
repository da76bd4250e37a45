// The gradient of a 3x3 convolution's weight: how all pairs of channels of two images correlate.
//
// Of a convolution's three passes this is the one that libraries leave at half of an AVX2
// processor's peak. Rows are first laid out so that the innermost loop reads memory in order:
// channels of `a` in groups of four, each of which is broadcast, those of `b` in groups that fill a
// vector. The sums of three taps of 4 * kLanes pairs of channels then stay in twelve registers over
// all positions of a block of rows.

#include "vectors.h"

namespace stylegan2_ops {
namespace CAPABILITY {
namespace {

constexpr int64_t kTaps = 3, kGroup = 4;
constexpr int64_t kSums = kTaps * kTaps * kGroup * kLanes;  // of a group of `a` and a vector of `b`
constexpr int64_t kPositions = 256;     // of a row of `b` in a block: it stays in the nearest cache
constexpr int64_t kColumns = 64;        // channels of `b` that a task works on
constexpr int64_t kTasks = 16;          // at least, where there are as many blocks
constexpr int64_t kLongPiece = 2048;    // positions that are worth sums of their own
constexpr int64_t kMostSums = 1 << 23;  // numbers in all pieces' sums, unless tasks were too few

// Adds to sums[tap][channel of a][channel of b] what `rows` rows of `width` positions correlate in.
// Never inlined: with its steps known, compilers carry vectors over from one position to the next
// and run out of registers.
__attribute__((noinline)) void correlate(const float* a, const float* b, int64_t rows,
                                         int64_t width, int64_t step, int64_t row_step,
                                         float* sums) {
  Vector c[kTaps][kGroup] = {};
  for (int64_t row = 0; row < rows; ++row, b += row_step) {
    const float* from = b;
    for (int64_t j = 0; j < width; ++j, a += kGroup, from += step) {
      const Vector b0 = load(from), b1 = load(from + kLanes), b2 = load(from + 2 * kLanes);
      for (int64_t r = 0; r < kGroup; ++r) {
        const Vector v = a[r] - Vector{};
        c[0][r] += v * b0;
        c[1][r] += v * b1;
        c[2][r] += v * b2;
      }
    }
  }
  for (int64_t t = 0; t < kTaps; ++t) {
    for (int64_t r = 0; r < kGroup; ++r) {
      float* to = sums + (t * kGroup + r) * kLanes;
      store(to, load(to) + c[t][r]);
    }
  }
}

// Moves channels [0, count) of `width` positions into groups of `group`, each with all its
// positions, and zeros where the last group has too few.
template <int64_t group>
INLINE void lay_out(const float* x, int64_t width, int64_t channels, int64_t count, float* out,
                    int64_t group_step) {
  for (int64_t j = 0; j < width; ++j, x += channels, out += group) {
    float* to = out;
    int64_t c = 0;
    for (; c + group <= count; c += group, to += group_step) {
      std::memcpy(to, x + c, group * sizeof(float));
    }
    for (int64_t i = 0; c < count && i < group; ++i) to[i] = c + i < count ? x[c + i] : 0;
  }
}

// How the work is cut: into blocks of rows of one sample, pieces of several blocks that share their
// sums, and tasks, a piece each for some of the channels of `b`. None of it depends on the number
// of threads, nor do the sums.
struct Cut {
  int64_t rows, blocks_of_sample, blocks, pieces;
  int64_t columns, a_groups;  // parts of the channels of `b` and of `a`
  int64_t wide, tall;         // positions of `b` that a block meets
  explicit Cut(const WeightGradient& g)
      : rows(smaller(g.height, (kPositions + g.stride * g.width - 1) / (g.stride * g.width))),
        blocks_of_sample((g.height + rows - 1) / rows),
        blocks(g.samples * blocks_of_sample),
        columns((g.b_channels + kColumns - 1) / kColumns),
        a_groups((g.a_channels + kGroup - 1) / kGroup),
        wide(g.stride * (g.width - 1) + kTaps),
        tall(g.stride * (rows - 1) + kTaps) {
    const int64_t wanted = smaller(g.samples * g.height * g.width / kLongPiece,
                                   kMostSums / (columns * sums_of_task()));
    pieces = smaller(blocks, larger(wanted, (kTasks + columns - 1) / columns));
  }
  int64_t sums_of_task() const { return a_groups * (kColumns / kLanes) * kSums; }
};

// One task: all blocks of a piece, for channels [first, last) of `b`.
void correlate_piece(const WeightGradient& g, const Cut& cut, int64_t piece, int64_t first,
                     int64_t last, float* sums) {
  const int64_t vectors = (last - first + kLanes - 1) / kLanes;
  const int64_t a_step = cut.rows * g.width * kGroup, b_step = cut.tall * cut.wide * kLanes;
  Scratch<float> a(cut.a_groups * a_step), b(vectors * b_step);
  for (int64_t i = 0; i < cut.sums_of_task(); ++i) sums[i] = 0;
  const int64_t begin = cut.blocks * piece / cut.pieces;
  const int64_t end = cut.blocks * (piece + 1) / cut.pieces;
  for (int64_t block = begin; block < end; ++block) {
    const int64_t n = block / cut.blocks_of_sample, top = block % cut.blocks_of_sample * cut.rows;
    const int64_t rows = smaller(cut.rows, g.height - top);
    const float* from = g.a + (n * g.height + top) * g.width * g.a_channels;
    lay_out<kGroup>(from, rows * g.width, g.a_channels, g.a_channels, a.data, a_step);
    // Columns [left, right) of the rows of `b` lie inside of it; around them are zeros.
    const int64_t left = smaller(g.padding, cut.wide);
    const int64_t right = larger(left, smaller(cut.wide, g.b_width + g.padding));
    for (int64_t i = 0; i < g.stride * (rows - 1) + kTaps; ++i) {
      const int64_t y = g.stride * top + i - g.padding;
      const bool inside = y >= 0 && y < g.b_height;
      float* to = b.data + i * cut.wide * kLanes;
      for (int64_t v = 0; v < vectors; ++v) {
        float* row = to + v * b_step;
        const int64_t until = inside ? left : cut.wide, after = inside ? right : cut.wide;
        for (int64_t k = 0; k < until * kLanes; ++k) row[k] = 0;
        for (int64_t k = after * kLanes; k < cut.wide * kLanes; ++k) row[k] = 0;
      }
      if (!inside) continue;
      const int64_t at = ((n * g.b_height + y) * g.b_width + left - g.padding) * g.b_channels;
      lay_out<kLanes>(g.b + at + first, right - left, g.b_channels, last - first,
                      to + left * kLanes, b_step);
    }
    const int64_t step = g.stride * kLanes, row_step = step * cut.wide;
    for (int64_t v = 0; v < vectors; ++v) {
      for (int64_t group = 0; group < cut.a_groups; ++group) {
        float* of_pair = sums + (v * cut.a_groups + group) * kSums;
        for (int64_t t = 0; t < kTaps; ++t) {
          const float* row = b.data + v * b_step + t * cut.wide * kLanes;
          correlate(a.data + group * a_step, row, rows, g.width, step, row_step,
                    of_pair + t * kTaps * kGroup * kLanes);
        }
      }
    }
  }
}

}  // namespace

void weight_gradient(const WeightGradient& g, const Threads& threads) {
  const Cut cut(g);
  Scratch<float> sums(cut.pieces * cut.columns * cut.sums_of_task());
  parallel(threads, cut.pieces * cut.columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % cut.columns * kColumns;
      correlate_piece(g, cut, task / cut.columns, first, smaller(g.b_channels, first + kColumns),
                      sums.data + task * cut.sums_of_task());
    }
  });
  // All pieces into the first, then from groups and vectors to channels.
  const int64_t count = cut.columns * cut.sums_of_task();
  parallel(threads, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t piece = 1; piece < cut.pieces; ++piece) {
      const float* more = sums.data + piece * count;
      for (int64_t i = begin; i < end; ++i) sums.data[i] += more[i];
    }
  });
  parallel(threads, g.a_channels, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t t = 0; t < kTaps * kTaps; ++t) {
        float* to = g.y + (i * kTaps * kTaps + t) * g.b_channels;
        for (int64_t j = 0; j < g.b_channels; ++j) {
          const int64_t pair = j % kColumns / kLanes * cut.a_groups + i / kGroup;
          to[j] = sums.data[j / kColumns * cut.sums_of_task() + pair * kSums +
                            (t * kGroup + i % kGroup) * kLanes + j % kLanes];
        }
      }
    }
  });
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
