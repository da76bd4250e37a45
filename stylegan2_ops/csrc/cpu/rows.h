// Making one piece of an output row of upfirdn2d: which inputs it needs, added up along the filter's
// column, then filtered along its row. All loops run over contiguous memory in both layouts.
#pragma once

#include "numbers.h"

namespace stylegan2_ops {
namespace CAPABILITY {

constexpr int64_t kPiece = 1 << 11;  // numbers of a piece of a row, unless that is too few columns
constexpr int64_t kColumns = 16;
constexpr int64_t kTerms = 4;        // rows or taps added up in one go

INLINE int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Which taps of one dimension meet a real input at output o: first, first + up, ... below taps, of
// inputs start, start + 1, ... (some of which may lie outside of the input).
struct Taps {
  int64_t first, start;
  Taps(int64_t o, int64_t up, int64_t down, int64_t before) {
    const int64_t at = o * down - before;  // position of tap 0 among the upsampled inputs
    first = -(at - floor_div(at, up) * up);
    first += first < 0 ? up : 0;
    start = (at + first) / up;
  }
};

// sum[i] (+)= factors[k] * rows[k][i] for up to four rows.
template <bool add, int terms, class A, class S>
INLINE void add_up(A* __restrict sum, const S* const* rows, const A* factors, int64_t count) {
  const S *__restrict r0 = rows[0], *__restrict r1 = rows[terms > 1], *__restrict r2 =
                                        rows[terms > 2 ? 2 : 0],
                                    *__restrict r3 = rows[terms > 3 ? 3 : 0];
  const A f0 = factors[0], f1 = terms > 1 ? factors[1] : A(0);
  const A f2 = terms > 2 ? factors[2] : A(0), f3 = terms > 3 ? factors[3] : A(0);
  for (int64_t i = 0; i < count; ++i) {
    A v = f0 * Number<S>::read(r0[i]);
    if (terms > 1) v += f1 * Number<S>::read(r1[i]);
    if (terms > 2) v += f2 * Number<S>::read(r2[i]);
    if (terms > 3) v += f3 * Number<S>::read(r3[i]);
    sum[i] = add ? sum[i] + v : v;
  }
}

template <bool add, class A, class S>
INLINE void add_up_terms(A* sum, const S* const* rows, const A* factors, int64_t terms,
                         int64_t count) {
  switch (terms) {
    case 1: return add_up<add, 1>(sum, rows, factors, count);
    case 2: return add_up<add, 2>(sum, rows, factors, count);
    case 3: return add_up<add, 3>(sum, rows, factors, count);
    default: return add_up<add, 4>(sum, rows, factors, count);
  }
}

// The same for any number of rows.
template <class A, class S>
INLINE void add_up_all(A* sum, const S* const* rows, const A* factors, int64_t terms, int64_t count,
                       bool add) {
  if (terms == 0 && !add) {
    for (int64_t i = 0; i < count; ++i) sum[i] = A(0);
  }
  for (int64_t k = 0; k < terms; k += kTerms, add = true) {
    const int64_t some = smaller(kTerms, terms - k);
    add ? add_up_terms<true>(sum, rows + k, factors + k, some, count)
        : add_up_terms<false>(sum, rows + k, factors + k, some, count);
  }
}

// Filters and geometry of one call, in the type of the sums.
template <class T>
struct Plan {
  using A = typename Number<T>::Sum;
  const Upfirdn2d& a;
  int64_t inner, planes, reach, piece;  // piece: output columns
  Scratch<A> taps, column, row;

  explicit Plan(const Upfirdn2d& a)
      : a(a),
        inner(a.shape.channels_last ? a.shape.channels : 1),
        planes(a.shape.channels_last ? a.shape.samples : a.shape.samples * a.shape.channels),
        taps(a.fh * a.fw),
        column(a.fh),
        row(a.fw) {
    const int64_t per_output = larger(1, a.downx / a.upx);
    piece = larger(larger(1, kColumns / per_output), kPiece / (inner * per_output));
    reach = ((piece - 1) * a.downx + a.fw - 1) / a.upx + 2;  // input columns of a piece, at most
    for (int64_t i = 0; i < a.fh * a.fw; ++i) taps.data[i] = A(a.taps[i]);
    for (int64_t i = 0; a.column && i < a.fh; ++i) column.data[i] = A(a.column[i]);
    for (int64_t i = 0; a.column && i < a.fw; ++i) row.data[i] = A(a.row[i]);
  }

  // Input columns [low, high) that output columns [begin, end) are made from.
  int64_t low(int64_t begin) const { return floor_div(begin * a.downx - a.x0, a.upx); }
  int64_t high(int64_t end) const {
    return floor_div((end - 1) * a.downx - a.x0 + a.fw - 1, a.upx) + 1;
  }
};

// What one thread works with.
template <class T>
struct Work {
  using A = typename Number<T>::Sum;
  const Plan<T>& plan;
  Scratch<A> gathered, phase, sums;
  Scratch<const T*> rows;
  Scratch<A> factors;
  Scratch<const A*> shifted;
  Scratch<A> weights;

  explicit Work(const Plan<T>& plan)
      : plan(plan),
        gathered(plan.reach * plan.inner),
        phase(plan.piece * plan.inner),
        sums(plan.piece * plan.inner),
        rows(plan.a.fh),
        factors(plan.a.fh),
        shifted(plan.a.fw),
        weights(plan.a.fw) {}

  // Input columns [low, high) of `terms` rows, added up, with zeros outside of the input.
  void gather(int64_t terms, int64_t low, int64_t high) {
    const int64_t inner = plan.inner, width = plan.a.width;
    const int64_t from = smaller(larger(low, 0), high), to = larger(from, smaller(high, width));
    A* out = gathered.data;
    for (int64_t i = 0; i < (from - low) * inner; ++i) out[i] = A(0);
    for (int64_t i = (to - low) * inner; i < (high - low) * inner; ++i) out[i] = A(0);
    const T* moved[kTerms];
    bool add = false;
    for (int64_t k = 0; k < terms; k += kTerms, add = true) {
      const int64_t some = smaller(kTerms, terms - k);
      for (int64_t j = 0; j < some; ++j) moved[j] = rows.data[k + j] + from * inner;
      add_up_all(out + (from - low) * inner, moved, factors.data + k, some, (to - from) * inner,
                 add);
    }
  }

  // Output columns [begin, end) from the gathered columns that begin at `low`.
  void filter_row(const A* taps, int64_t begin, int64_t end, int64_t low, A* out, bool add) {
    const Upfirdn2d& a = plan.a;
    const int64_t inner = plan.inner;
    if (a.upx == 1 && a.downx == 1) {
      for (int64_t k = 0; k < a.fw; ++k) {
        shifted.data[k] = gathered.data + (begin - a.x0 + k - low) * inner;
      }
      return add_up_all(out, shifted.data, taps, a.fw, (end - begin) * inner, add);
    }
    if (inner == 1 && a.downx == 1) return filter_phases(taps, begin, end, low, out, add);
    for (int64_t o = begin; o < end; ++o) {
      const Taps t(o, a.upx, a.downx, a.x0);
      int64_t terms = 0;
      for (int64_t k = t.first; k < a.fw; k += a.upx, ++terms) {
        shifted.data[terms] = gathered.data + (t.start + terms - low) * inner;
        weights.data[terms] = taps[k];
      }
      add_up_all(out + (o - begin) * inner, shifted.data, weights.data, terms, inner, add);
    }
  }

  // Upsampling of single columns: all outputs of a phase share their taps.
  void filter_phases(const A* taps, int64_t begin, int64_t end, int64_t low, A* out, bool add) {
    const Upfirdn2d& a = plan.a;
    for (int64_t o = begin; o < smaller(end, begin + a.upx); ++o) {
      const Taps t(o, a.upx, 1, a.x0);
      const int64_t count = (end - o + a.upx - 1) / a.upx, up = a.upx;
      int64_t terms = 0;
      for (int64_t k = t.first; k < a.fw; k += up, ++terms) {
        shifted.data[terms] = gathered.data + (t.start + terms - low);
        weights.data[terms] = taps[k];
      }
      add_up_all(phase.data, shifted.data, weights.data, terms, count, false);
      A* to = out + (o - begin);
      const A* from = phase.data;
      if (up == 2 && !add) {
        for (int64_t i = 0; i < count; ++i) to[2 * i] = from[i];
      } else {
        for (int64_t i = 0; i < count; ++i) to[up * i] = add ? to[up * i] + from[i] : from[i];
      }
    }
  }

  // Adds up the input rows that output row `oy` needs; false if there are none. Separable only.
  bool gather_rows(const T* x, int64_t oy, int64_t low, int64_t high) {
    const Upfirdn2d& a = plan.a;
    const Taps t(oy, a.upy, a.downy, a.y0);
    int64_t terms = 0, y = t.start;
    for (int64_t k = t.first; k < a.fh; k += a.upy, ++y) {
      if (y < 0 || y >= a.height) continue;
      rows.data[terms] = x + y * a.width * plan.inner;
      factors.data[terms++] = plan.column.data[k];
    }
    if (terms) gather(terms, low, high);
    return terms > 0;
  }

  // Output columns [begin, end) of row `oy` of one plane, before the epilogue.
  void make(const T* x, int64_t oy, int64_t begin, int64_t end, A* out) {
    const Upfirdn2d& a = plan.a;
    const int64_t low = plan.low(begin), high = plan.high(end);
    bool begun = false;
    if (a.column) {
      begun = gather_rows(x, oy, low, high);
      if (begun) filter_row(plan.row.data, begin, end, low, out, false);
    } else {
      const Taps t(oy, a.upy, a.downy, a.y0);
      for (int64_t k = t.first, y = t.start; k < a.fh; k += a.upy, ++y) {
        if (y < 0 || y >= a.height) continue;
        rows.data[0] = x + y * a.width * plan.inner;
        factors.data[0] = A(1);
        gather(1, low, high);
        filter_row(plan.taps.data + k * a.fw, begin, end, low, out, begun);
        begun = true;
      }
    }
    for (int64_t i = 0; !begun && i < (end - begin) * plan.inner; ++i) out[i] = A(0);
  }
};

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
