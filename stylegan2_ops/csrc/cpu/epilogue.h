// clamp(gain * act(v * scale + noise + b)) on a run of numbers, and the slope of that in v.
#pragma once

#include <cmath>

#include "numbers.h"

namespace stylegan2_ops {
namespace CAPABILITY {

// In the order of Act in arguments.h.
enum { kLinear, kRelu, kLrelu, kTanh, kSigmoid, kElu, kSelu, kSoftplus, kSwish };

// kOthers stands for those that are told apart at run time: they cost far more than the switch.
constexpr int kOthers = -1;

template <class A>
INLINE A activate(int act, A v) {
  switch (act) {
    case kTanh: return std::tanh(v);
    case kSigmoid: return A(1) / (A(1) + std::exp(-v));
    case kElu: return v < 0 ? std::expm1(v) : v;
    case kSelu:
      return A(1.0507009873554804934193349852946) *
             (v < 0 ? A(1.6732632423543772848170429916717) * std::expm1(v) : v);
    case kSoftplus: return v > 20 ? v : std::log1p(std::exp(v));
    case kSwish: return v / (A(1) + std::exp(-v));
    default: return v < 0 ? A(0) : v;  // relu
  }
}

// Calls body(constant) with the activation as a compile-time constant.
template <int act>
struct Constant {
  static constexpr int value = act;
};
template <class Body>
INLINE void with_act(int act, const Body& body) {
  switch (act) {
    case kLinear: return body(Constant<kLinear>());
    case kLrelu: return body(Constant<kLrelu>());
    default: return body(Constant<kOthers>());
  }
}

// What follows the affine part, with its numbers in the type of the sums.
template <class A>
struct Finish {
  int which;
  A alpha, gain, limit;
  A edge;  // magnitude of y that the clamp made; NaN, which no y equals, where there is no clamp

  Finish(int which, double alpha, double gain, double clamp)
      : which(which),
        alpha(A(alpha)),
        gain(A(gain)),
        limit(clamp < 0 ? A(INFINITY) : A(clamp)),
        edge(A(NAN)) {}

  // For slopes told from y of type T, to which the clamp was rounded as well.
  template <class T>
  static Finish of_outputs(double alpha, double gain, double clamp) {
    Finish finish(kLinear, alpha, gain, clamp);
    if (clamp >= 0) finish.edge = Number<T>::read(Number<T>::write(A(clamp)));
    return finish;
  }

  template <int act>
  INLINE A value(A v) const {
    if (act == kLrelu) v = v < 0 ? v * alpha : v;
    if (act == kOthers) v = activate(which, v);
    v *= gain;
    v = v < -limit ? -limit : v;
    return v > limit ? limit : v;
  }

  // d value / d v, told from y = value(v); for linear, relu and lrelu with gain > 0, alpha >= 0.
  template <int act>
  INLINE A slope(A y) const {
    const A negative = act == kLinear ? gain : act == kRelu ? A(0) : gain * alpha;  // also at 0
    const A slope = y <= 0 ? negative : gain;
    return y >= edge || y <= -edge ? A(0) : slope;
  }
};

// What a finished number is made from: x[i] itself, or four taps over x[i], x[i + step], ...
struct Plain {
  template <class S, class A>
  static INLINE A read(const S* x, int64_t, const A*) {
    return Number<S>::read(*x);
  }
};
struct FourTaps {
  template <class S, class A>
  static INLINE A read(const S* x, int64_t step, const A* f) {
    return f[0] * Number<S>::read(x[0]) + f[1] * Number<S>::read(x[step]) +
           f[2] * Number<S>::read(x[2 * step]) + f[3] * Number<S>::read(x[3 * step]);
  }
};

// Where the numbers to finish come from; taps and the step between them matter to FourTaps only.
template <class S, class A>
struct Source {
  const S* x;
  int64_t step = 0;
  A taps[4] = {};
};

constexpr int64_t kBlock = 32;  // channels in registers at a time

// Channels [0, count) of some positions, channels innermost. With a constant count the compiler
// keeps their scale and bias in registers.
template <int act, class Read, class T, class S, class A>
INLINE void finish_channels(const Source<S, A>& source, T* __restrict y, int64_t positions,
                            int64_t channels, int64_t count, const A* __restrict scale,
                            const A* __restrict b, const A* __restrict noise,
                            const Finish<A>& given) {
  const Finish<A> finish = given;
  const S* __restrict x = source.x;
  const int64_t step = source.step;
  const A zero = 0, taps[4] = {source.taps[0], source.taps[1], source.taps[2], source.taps[3]};
  const A* __restrict noises = noise ? noise : &zero;
  const int64_t noise_step = noise ? 1 : 0;
  for (int64_t p = 0; p < positions; ++p) {
    const A added = noises[p * noise_step];
    for (int64_t i = 0; i < count; ++i) {
      const A v = Read::read(x + p * channels + i, step, taps) * scale[i] + (b[i] + added);
      y[p * channels + i] = Number<T>::write(finish.template value<act>(v));
    }
  }
}

// Scale and bias of one sample's channels, with 1 and 0 where there are none. Where there are few
// channels and no noise, `copies` positions stand side by side as if they were more channels.
template <class A>
struct ChannelRun {
  int64_t channels, copies;
  Scratch<A> scale, b;
  ChannelRun(int64_t channels, bool alone)
      : channels(channels),
        copies(alone && channels < kBlock ? kBlock : 1),
        scale(channels * copies),
        b(channels * copies) {}
  void fill(const Epilogue& e, int64_t sample) {
    const A* s = static_cast<const A*>(e.scale);
    const A* bias = static_cast<const A*>(e.b);
    for (int64_t i = 0; i < channels * copies; ++i) {
      scale.data[i] = s ? s[sample * channels + i % channels] : A(1);
      b.data[i] = bias ? bias[i % channels] : A(0);
    }
  }
};

// Some positions of one sample with all their channels, channels innermost.
template <int act, class Read, class T, class S, class A>
INLINE void finish_positions(Source<S, A> source, T* y, int64_t positions, const ChannelRun<A>& run,
                             const A* noise, const Finish<A>& finish) {
  const int64_t grouped = positions / run.copies, channels = run.channels * run.copies;
  const int64_t tile = larger(1, 2048 / channels);  // stays in the nearest cache over all blocks
  const S* x = source.x;
  for (int64_t p = 0; p < grouped; p += tile) {
    const int64_t count = smaller(tile, grouped - p);
    const A* some_noise = noise ? noise + p : nullptr;
    int64_t c = 0;
    for (; c + kBlock <= channels; c += kBlock) {
      source.x = x + p * channels + c;
      finish_channels<act, Read>(source, y + p * channels + c, count, channels, kBlock,
                                 run.scale.data + c, run.b.data + c, some_noise, finish);
    }
    source.x = x + p * channels + c;
    if (c < channels) {
      finish_channels<act, Read>(source, y + p * channels + c, count, channels, channels - c,
                                 run.scale.data + c, run.b.data + c, some_noise, finish);
    }
  }
  const int64_t done = grouped * run.copies;
  source.x = x + done * run.channels;
  if (done < positions) {
    finish_channels<act, Read>(source, y + done * run.channels, positions - done, run.channels,
                               run.channels, run.scale.data, run.b.data,
                               noise ? noise + done : nullptr, finish);
  }
}

// Some positions of one channel, side by side; noise may be null.
template <int act, class Read, class T, class S, class A>
INLINE void finish_channel(const Source<S, A>& source, T* __restrict y, int64_t count, A scale, A b,
                           const A* __restrict noise, const Finish<A>& given) {
  const Finish<A> finish = given;
  const S* __restrict x = source.x;
  const int64_t step = source.step;
  const A taps[4] = {source.taps[0], source.taps[1], source.taps[2], source.taps[3]};
  if (noise) {
    for (int64_t i = 0; i < count; ++i) {
      const A v = Read::read(x + i, step, taps) * scale + (b + noise[i]);
      y[i] = Number<T>::write(finish.template value<act>(v));
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      const A v = Read::read(x + i, step, taps) * scale + b;
      y[i] = Number<T>::write(finish.template value<act>(v));
    }
  }
}

}  // namespace CAPABILITY
}  // namespace stylegan2_ops
