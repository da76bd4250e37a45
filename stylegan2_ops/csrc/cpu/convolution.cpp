// A 3x3 convolution. Filters are transformed once; then blocks of tiles are transformed, multiplied
// with the filters at each point, and transformed back, all while they are in the nearest caches.

#include "winograd.h"

namespace stylegan2_ops {
namespace CAPABILITY {
namespace {

constexpr int64_t kBlock = 1 << 16;  // numbers of a block's tiles at all points, about
constexpr int64_t kInputs = 16;      // whose filters are transformed together
constexpr int64_t kTasks = 8;        // at least, where there are enough tiles or outputs
constexpr int64_t kOutputs = 128;    // of a task at least: fewer would not pay for their patches

// m[row][column] = sum over i of v[row][i] u[i][column], for kRows rows and kPanel columns.
__attribute__((noinline)) void multiply(const float* v, int64_t v_step, const float* u,
                                        int64_t depth, float* m, int64_t m_step) {
  Vector sums[kRows][2] = {};
  for (int64_t i = 0; i < depth; ++i, u += kPanel) {
    const Vector u0 = load(u), u1 = load(u + kLanes);
    for (int64_t r = 0; r < kRows; ++r) {
      const Vector at = v[r * v_step + i] - Vector{};
      sums[r][0] += at * u0;
      sums[r][1] += at * u1;
    }
  }
#pragma GCC unroll 16  // else the sums would go through memory
  for (int64_t r = 0; r < kRows; ++r) {
    store(m + r * m_step, sums[r][0]);
    store(m + r * m_step + kLanes, sums[r][1]);
  }
}

// How the work is cut: into blocks of tiles, and, where these are few, groups of panels of outputs. No
// output depends on it.
template <class S>
struct Cut {
  Tiles tiles;
  int64_t panels, blocks, most;    // panels of outputs; tiles of a block, padded to full rows
  int64_t groups;                  // of panels
  int64_t u_step, v_step, m_step;  // from point to point; no powers of two, which share cache sets
  explicit Cut(const Convolution& g)
      : tiles(S::kTile, g.samples, g.out_height, g.out_width),
        panels((g.outputs + kPanel - 1) / kPanel) {
    // Fewer tiles would not pay for reading the filters.
    const int64_t fewest = g.inputs * g.outputs < kManyFilters ? 24 : 48;
    const int64_t fitting = kBlock / (S::kPoints * (g.inputs + g.outputs));
    const int64_t wanted = larger(fitting / kRows * kRows, fewest);
    blocks = larger((tiles.count + wanted - 1) / wanted,
                    smaller(kTasks, larger(tiles.count / fewest, 1)));
    const int64_t share = (tiles.count + blocks - 1) / blocks;
    most = (share + kRows - 1) / kRows * kRows;
    groups = larger(1, smaller(kTasks / blocks, panels * kPanel / kOutputs));
    u_step = panels * g.inputs * kPanel + kPanel;
    v_step = most * g.inputs + kPanel;
    m_step = most * panels * kPanel + kPanel;
  }
};

// Filters of a panel of outputs at each point, as [point][panel][input][output of the panel].
template <class S>
void transform_filters(const Convolution& g, const Cut<S>& cut, int64_t panel, float* u) {
  const int64_t* step = g.weight_steps;
  const int64_t first = panel * kPanel, count = smaller(kPanel, g.outputs - first);
  for (int64_t begin = 0; begin < g.inputs; begin += kInputs) {
    // Read in the order of memory where inputs are innermost, so that each line is read once.
    float taps[kTaps * kTaps][kInputs][kPanel] = {};
    for (int64_t o = 0; o < count; ++o) {
      for (int64_t t = 0; t < kTaps * kTaps; ++t) {
        const float* from = g.weight + (first + o) * step[0] + begin * step[1] +
                            t / kTaps * step[2] + t % kTaps * step[3];
        for (int64_t i = 0; i < kInputs; ++i) taps[t][i][o] = from[i * step[1]];
      }
    }
    for (int64_t i = 0; i < kInputs; ++i) {
      float* to = u + (panel * g.inputs + begin + i) * kPanel;
      for (int64_t o = 0; o < kPanel; o += kLanes) {
        both_ways<kTaps, S::kFilterSide>(
            S::of_filter, [&](int64_t y, int64_t x) { return load(taps[y * kTaps + x][i] + o); },
            [&](int64_t y, int64_t x, const Vector& v) {
              store(to + (y * S::kFilterSide + x) * cut.u_step + o, v);
            });
      }
    }
  }
}

// Writes outputs [begin, end) of tile `tile` from its products.
template <class S>
INLINE void write_tile(const Convolution& g, const Cut<S>& cut, int64_t tile, int64_t begin,
                       int64_t end, const float* m) {
  const int64_t top = cut.tiles.row(tile) * S::kTile, left = cut.tiles.column(tile) * S::kTile;
  const int64_t rows = smaller(S::kTile, g.out_height - top);
  const int64_t columns = smaller(S::kTile, g.out_width - left);
  float* y = g.y + ((cut.tiles.sample(tile) * g.out_height + top) * g.out_width + left) * g.outputs;
  for (int64_t o = begin; o < end; o += kLanes) {
    const Vector bias = g.bias ? load(g.bias + o) : Vector{};
    both_ways<S::kSide, S::kTile>(
        S::to_tile,
        [&](int64_t i, int64_t j) { return load(m + (i * S::kSide + j) * cut.m_step + o); },
        [&](int64_t i, int64_t j, const Vector& v) {
          if (i < rows && j < columns) {
            store(y + (i * g.out_width + j) * g.outputs + o, v + bias);
          }
        });
  }
}

template <class S>
void convolve_block(const Convolution& g, const Cut<S>& cut, int64_t task, const float* u, float* v,
                    float* m) {
  const int64_t block = task / cut.groups, group = task % cut.groups;
  const int64_t first = cut.tiles.count * block / cut.blocks;
  const int64_t last = cut.tiles.count * (block + 1) / cut.blocks;
  const int64_t begin = cut.panels * group / cut.groups;
  const int64_t end = cut.panels * (group + 1) / cut.groups;
  const int64_t padded = cut.panels * kPanel;
  const Images x{g.x, g.height, g.width, g.inputs};
  for (int64_t tile = first; tile < last; ++tile) {
    float* to = v + (tile - first) * g.inputs;
    transform_part<S::kPatch, S::kSide>(
        S::of_patch, x, cut.tiles.sample(tile), cut.tiles.row(tile) * S::kStep - g.padding,
        cut.tiles.column(tile) * S::kStep - g.padding,
        [&](int64_t point, int64_t c) { return to + point * cut.v_step + c; });
  }
  for (int64_t point = 0; point < S::kPoints; ++point) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const float* filters = u + S::filter_of(point) * cut.u_step + panel * g.inputs * kPanel;
      for (int64_t row = 0; row < last - first; row += kRows) {
        multiply(v + point * cut.v_step + row * g.inputs, g.inputs, filters, g.inputs,
                 m + point * cut.m_step + row * padded + panel * kPanel, padded);
      }
    }
  }
  for (int64_t tile = first; tile < last; ++tile) {
    write_tile<S>(g, cut, tile, begin * kPanel, smaller(g.outputs, end * kPanel),
                  m + (tile - first) * padded);
  }
}

template <class S>
void convolve(const Convolution& g, const Threads& threads) {
  const Cut<S> cut(g);
  Scratch<float> u(S::kFilters * cut.u_step);
  parallel(threads, cut.panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) transform_filters<S>(g, cut, panel, u.data);
  });
  parallel(threads, cut.blocks * cut.groups, 1, [&](int64_t begin, int64_t end) {
    Scratch<float> v(S::kPoints * cut.v_step), m(S::kPoints * cut.m_step);
    for (int64_t i = 0; i < S::kPoints * cut.v_step; ++i) v.data[i] = 0;  // rows that pad a block
    for (int64_t task = begin; task < end; ++task) {
      convolve_block<S>(g, cut, task, u.data, v.data, m.data);
    }
  });
}

}  // namespace

void convolution(const Convolution& g, const Threads& threads) {
  switch (g.resizing) {
    case Resizing::none: return convolve<Plain>(g, threads);
    case Resizing::halving: return convolve<Halving>(g, threads);
    case Resizing::enlarging: return convolve<Enlarging>(g, threads);
  }
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
