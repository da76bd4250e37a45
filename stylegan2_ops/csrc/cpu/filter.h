// A filter prepared for the kernels.
#pragma once

#include <cmath>
#include <vector>

#include "../arguments.h"

namespace stylegan2_ops {

// The filter as the kernels want it: in correlation order, with its gain, in factors if it has any.
struct Filter {
  std::vector<double> taps, column, row;

  Filter(const Tensor& f, bool flip, double gain, bool exact) : taps(f.numel()) {
    const int64_t count = f.numel(), width = f.size(1), height = f.size(0);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t from = flip ? i : count - 1 - i;
      taps[i] = gain * (f.scalar_type() == ScalarType::Double
                            ? static_cast<const double*>(f.data_ptr())[from]
                            : static_cast<const float*>(f.data_ptr())[from]);
    }
    int64_t largest = 0;
    for (int64_t i = 1; i < count; ++i) {
      if (std::abs(taps[i]) > std::abs(taps[largest])) largest = i;
    }
    const double pivot = taps[largest], tolerance = std::abs(pivot) * (exact ? 1e-14 : 3e-7);
    for (int64_t y = 0; y < height; ++y) {
      column.push_back(pivot == 0 ? 0 : taps[y * width + largest % width] / pivot);
    }
    row.assign(taps.begin() + largest / width * width,
               taps.begin() + (largest / width + 1) * width);
    for (int64_t i = 0; i < count; ++i) {
      if (!(std::abs(taps[i] - column[i / width] * row[i % width]) <= tolerance)) {
        column.clear();  // not the product of a column and a row
        return;
      }
    }
  }
};

}  // namespace stylegan2_ops
