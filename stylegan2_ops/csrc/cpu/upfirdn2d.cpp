// Upsample, pad, filter, downsample, and optionally the epilogue of a StyleGAN2 layer.
//
// Each output row is made piece by piece, so that everything but the input and the output stays in
// the nearest cache: `gather` adds up the input rows that the filter's column reaches (or copies one
// row where the filter is not separable), `filter_row` filters that along the row, `finish` applies
// the epilogue and stores. All three run over contiguous memory in both layouts.

#include "epilogue.h"
#include "rows.h"

namespace stylegan2_ops {
namespace CAPABILITY {
namespace {

template <int act, class T>
void filter(const Upfirdn2d& a, const Threads& threads) {
  using A = typename Number<T>::Sum;
  const Plan<T> plan(a);
  const int64_t inner = plan.inner, width = a.out_width, channels = a.shape.channels;
  const Epilogue plain{nullptr, nullptr, nullptr, true, kLinear, 0, 1, -1};
  const Epilogue& e = a.epilogue ? *a.epilogue : plain;
  const Finish<A> finish(e.act, e.alpha, e.gain, e.clamp);
  const A *noise = static_cast<const A*>(e.noise), *scale = static_cast<const A*>(e.scale);
  const A* b = static_cast<const A*>(e.b);
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  // The common blur ends in registers; everything else in a buffer that is finished afterwards.
  constexpr bool common = act != kOthers;
  [[maybe_unused]] const bool direct =
      common && a.column && a.fw == 4 && a.upx == 1 && a.downx == 1;
  const int64_t rows = plan.planes * a.out_height;
  parallel(threads, rows, kGrain / larger(1, width * inner), [&](int64_t first, int64_t last) {
    Work<T> work(plan);
    ChannelRun<A> run(inner, noise == nullptr);
    int64_t filled = -1;
    for (int64_t r = first; r < last; ++r) {
      const int64_t plane = r / a.out_height, oy = r % a.out_height;
      const int64_t n = a.shape.channels_last ? plane : plane / channels, c = plane % channels;
      const T* from = x + plane * a.height * a.width * inner;
      const A* row_noise =
          noise ? noise + ((e.shared_noise ? 0 : n * a.out_height) + oy) * width : nullptr;
      if (a.shape.channels_last && n != filled) run.fill(e, filled = n);
      for (int64_t begin = 0; begin < width; begin += plan.piece) {
        const int64_t end = smaller(width, begin + plan.piece);
        T* to = y + (r * width + begin) * inner;
        const A* some_noise = row_noise ? row_noise + begin : nullptr;
        const auto finished = [&](auto read, const Source<A, A>& source) {
          using Read = decltype(read);
          if (a.shape.channels_last) {
            finish_positions<act, Read>(source, to, end - begin, run, some_noise, finish);
          } else {
            finish_channel<act, Read>(source, to, end - begin, scale ? scale[plane] : A(1),
                                      b ? b[c] : A(0), some_noise, finish);
          }
        };
        if constexpr (common) {
          if (direct && work.gather_rows(from, oy, plan.low(begin), plan.high(end))) {
            const A* f = plan.row.data;
            finished(FourTaps(), {work.gathered.data, inner, {f[0], f[1], f[2], f[3]}});
            continue;
          }
        }
        work.make(from, oy, begin, end, work.sums.data);
        finished(Plain(), {work.sums.data});
      }
    }
  });
}

}  // namespace

void upfirdn2d(const Upfirdn2d& a, const Threads& threads) {
  with_type(a.type, [&](auto number) {
    using T = decltype(number);
    if (!a.epilogue) return filter<kLinear, T>(a, threads);
    with_act(a.epilogue->act, [&](auto act) { filter<decltype(act)::value, T>(a, threads); });
  });
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
