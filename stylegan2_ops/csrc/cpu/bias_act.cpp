// Bias, activation, gain and clamp with what precedes them in a StyleGAN2 layer, and its gradient.

#include "epilogue.h"

namespace stylegan2_ops {
namespace CAPABILITY {
namespace {

template <int act, class T>
void forward(const BiasAct& a, const Threads& threads) {
  using A = typename Number<T>::Sum;
  const Shape& s = a.shape;
  const Finish<A> finish(a.epilogue.act, a.epilogue.alpha, a.epilogue.gain, a.epilogue.clamp);
  const A* noise = static_cast<const A*>(a.epilogue.noise);
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  const int64_t noise_step = a.epilogue.shared_noise ? 0 : s.positions;
  if (s.channels_last) {
    const int64_t piece = larger(1, kGrain / s.channels);
    const int64_t pieces = (s.positions + piece - 1) / piece;
    parallel(threads, s.samples * pieces, 1, [&](int64_t first, int64_t last) {
      ChannelRun<A> run(s.channels, noise == nullptr);
      int64_t filled = -1;
      for (int64_t i = first; i < last; ++i) {
        const int64_t n = i / pieces, begin = i % pieces * piece;
        if (n != filled) run.fill(a.epilogue, filled = n);
        const int64_t at = (n * s.positions + begin) * s.channels;
        finish_positions<act, Plain>(Source<T, A>{x + at}, y + at,
                                     smaller(s.positions - begin, piece), run,
                                     noise ? noise + n * noise_step + begin : nullptr, finish);
      }
    });
    return;
  }
  const int64_t pieces = (s.positions + kGrain - 1) / kGrain;
  const A* scale = static_cast<const A*>(a.epilogue.scale);
  const A* b = static_cast<const A*>(a.epilogue.b);
  parallel(threads, s.samples * s.channels * pieces, kGrain / larger(1, s.positions),
           [&](int64_t first, int64_t last) {
             for (int64_t i = first; i < last; ++i) {
               const int64_t plane = i / pieces, begin = i % pieces * kGrain;
               const int64_t at = plane * s.positions + begin;
               const int64_t n = plane / s.channels, c = plane % s.channels;
               finish_channel<act, Plain>(
                   Source<T, A>{x + at}, y + at, smaller(s.positions - begin, kGrain),
                   scale ? scale[plane] : A(1), b ? b[c] : A(0),
                   noise ? noise + n * noise_step + begin : nullptr, finish);
             }
           });
}

// What a call needs beside dx and the sums of the bias: fewer numbers read, fewer added up.
template <bool x, bool y, bool noise>
struct Needs {
  static constexpr bool with_x = x;          // sums of dz * x, for the scale
  static constexpr bool with_y = y;          // y tells the slope; a linear act without clamp has one
  static constexpr bool with_noise = noise;  // sums over the channels
};

// Channels [0, count) of some positions, channels innermost. All sums are added to.
template <int act, class Need, class T, class A>
INLINE void backward_channels(const T* __restrict dy, const T* __restrict y, const T* __restrict x,
                              T* __restrict dx, int64_t positions, int64_t channels, int64_t count,
                              const A* __restrict scale, A* __restrict bias_sums,
                              A* __restrict scale_sums, A* __restrict noise_sums,
                              const Finish<A>& given) {
  const Finish<A> finish = given;
  for (int64_t p = 0; p < positions; ++p) {
    const int64_t at = p * channels;
    A total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t c = 0; c < count; ++c) {
      const A slope =
          Need::with_y ? finish.template slope<act>(Number<T>::read(y[at + c])) : finish.gain;
      const A dz = Number<T>::read(dy[at + c]) * slope;
      dx[at + c] = Number<T>::write(dz * scale[c]);
      bias_sums[c] += dz;
      if (Need::with_x) scale_sums[c] += dz * Number<T>::read(x[at + c]);
      if (Need::with_noise) total += dz;
    }
    if (Need::with_noise) noise_sums[p] += total;
  }
}

// The same for all channels, block by block on tiles that stay in the nearest cache.
template <int act, class Need, class T, class A>
INLINE void backward_positions(const T* dy, const T* y, const T* x, T* dx, int64_t positions,
                               int64_t channels, const A* scale, A* bias_sums, A* scale_sums,
                               A* noise_sums, const Finish<A>& finish) {
  const int64_t tile = larger(1, 2048 / channels);
  for (int64_t p = 0; p < positions; p += tile) {
    const int64_t some = smaller(tile, positions - p);
    for (int64_t c = 0; c < channels; c += kBlock) {
      const int64_t at = p * channels + c;
      const T* from = Need::with_x ? x + at : nullptr;
      if (c + kBlock <= channels) {
        A bias[kBlock] = {}, scaled[kBlock] = {};
        backward_channels<act, Need>(dy + at, y + at, from, dx + at, some, channels, kBlock,
                                       scale + c, bias, scaled, noise_sums + p, finish);
        for (int64_t i = 0; i < kBlock; ++i) bias_sums[c + i] += bias[i];
        for (int64_t i = 0; i < kBlock && Need::with_x; ++i) scale_sums[c + i] += scaled[i];
      } else {
        backward_channels<act, Need>(dy + at, y + at, from, dx + at, some, channels,
                                       channels - c, scale + c, bias_sums + c, scale_sums + c,
                                       noise_sums + p, finish);
      }
    }
  }
}

// Some positions of one channel; noise_sums is added to.
template <int act, class Need, class T, class A>
INLINE void backward_channel(const T* __restrict dy, const T* __restrict y, const T* __restrict x,
                             T* __restrict dx, int64_t positions, A scale, A& bias_sum,
                             A& scale_sum, A* __restrict noise_sums, const Finish<A>& finish) {
  A total = 0, scaled = 0;
#pragma omp simd reduction(+ : total, scaled)
  for (int64_t p = 0; p < positions; ++p) {
    const A slope =
        Need::with_y ? finish.template slope<act>(Number<T>::read(y[p])) : finish.gain;
    const A dz = Number<T>::read(dy[p]) * slope;
    dx[p] = Number<T>::write(dz * scale);
    total += dz;
    if (Need::with_x) scaled += dz * Number<T>::read(x[p]);
    if (Need::with_noise) noise_sums[p] += dz;
  }
  bias_sum = total;
  scale_sum = scaled;
}

template <class A>
INLINE void set_zero(A* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) values[i] = A(0);
}

template <int act, class Need, class T>
void backward(const BiasActBackward& a, const Threads& threads) {
  using A = typename Number<T>::Sum;
  const Shape& s = a.shape;
  const auto finish = Finish<A>::template of_outputs<T>(a.alpha, a.gain, a.clamp);
  const int64_t pieces = (s.positions + a.piece - 1) / a.piece;
  const T *dy = static_cast<const T*>(a.dy), *y = static_cast<const T*>(a.y);
  const T* x = static_cast<const T*>(a.x);
  const A* scale = static_cast<const A*>(a.scale);
  const int64_t most = smaller(a.piece, s.positions) * (s.channels_last ? s.channels : 1);
  parallel(threads, s.samples * pieces, 1, [&](int64_t first, int64_t last) {
    Scratch<A> ones(s.channels), bias(s.channels), scaled(s.channels);
    Scratch<A> noise(smaller(a.piece, s.positions));
    Scratch<T> unwanted(a.dx ? 1 : most);
    for (int64_t c = 0; c < s.channels; ++c) ones.data[c] = A(1);
    for (int64_t i = first; i < last; ++i) {
      const int64_t n = i / pieces, begin = i % pieces * a.piece;
      const int64_t count = smaller(a.piece, s.positions - begin);
      const A* factors = scale ? scale + n * s.channels : ones.data;
      A* bias_sums = a.bias_sums ? static_cast<A*>(a.bias_sums) + i * s.channels : bias.data;
      A* scale_sums = a.scale_sums ? static_cast<A*>(a.scale_sums) + i * s.channels : scaled.data;
      A* noise_sums = a.noise_sums ? static_cast<A*>(a.noise_sums) + n * s.positions + begin
                                   : noise.data;
      set_zero(bias_sums, s.channels);
      set_zero(scale_sums, s.channels);
      set_zero(noise_sums, count);
      T* dx = static_cast<T*>(a.dx);
      if (s.channels_last) {
        const int64_t at = (n * s.positions + begin) * s.channels;
        backward_positions<act, Need>(dy + at, y + at, Need::with_x ? x + at : nullptr,
                                        dx ? dx + at : unwanted.data, count, s.channels, factors, bias_sums, scale_sums,
                                        noise_sums, finish);
      } else {
        for (int64_t c = 0; c < s.channels; ++c) {
          const int64_t at = (n * s.channels + c) * s.positions + begin;
          backward_channel<act, Need>(dy + at, y + at, Need::with_x ? x + at : nullptr,
                                        dx ? dx + at : unwanted.data, count, factors[c], bias_sums[c], scale_sums[c], noise_sums,
                                        finish);
        }
      }
    }
  });
}

void bias_act(const BiasAct& a, const Threads& threads) {
  with_type(a.type, [&](auto number) {
    with_act(a.epilogue.act,
             [&](auto act) { forward<decltype(act)::value, decltype(number)>(a, threads); });
  });
}

template <int act, bool with_y>
void backward_of(const BiasActBackward& a, const Threads& threads) {
  with_type(a.type, [&](auto number) {
    using T = decltype(number);
    if (a.x && a.noise_sums) return backward<act, Needs<true, with_y, true>, T>(a, threads);
    if (a.x) return backward<act, Needs<true, with_y, false>, T>(a, threads);
    if (a.noise_sums) return backward<act, Needs<false, with_y, true>, T>(a, threads);
    backward<act, Needs<false, with_y, false>, T>(a, threads);
  });
}

void bias_act_backward(const BiasActBackward& a, const Threads& threads) {
  if (a.act == kLinear && a.clamp < 0) return backward_of<kLinear, false>(a, threads);
  if (a.act == kLinear) return backward_of<kLinear, true>(a, threads);
  if (a.act == kRelu) return backward_of<kRelu, true>(a, threads);
  backward_of<kLrelu, true>(a, threads);
}

}  // namespace

void upfirdn2d(const Upfirdn2d&, const Threads&);
void demodulation(const Demodulation&, const Threads&);
void weight_gradient(const WeightGradient&, const Threads&);
void weight_gradient_in_tiles(const WeightGradient&, const Threads&);
void convolution(const Convolution&, const Threads&);

extern const Kernels kernels;
const Kernels kernels = {
#define STRINGIFY(x) #x
#define NAME_OF(x) STRINGIFY(x)
    NAME_OF(CAPABILITY), bias_act,        bias_act_backward,        upfirdn2d,
    demodulation,        weight_gradient, weight_gradient_in_tiles, convolution};

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
