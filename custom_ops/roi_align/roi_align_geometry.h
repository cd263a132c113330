// Where RoIAlign samples: the arithmetic of one axis of one box, for the CPU and for CUDA, without
// TensorFlow.
//
// He et al., Mask R-CNN, 2017, section 3 (RoIAlign); sample positions and border rules are
// torchvision's (ops/cpu/roi_align_common.h). Every rule acts on rows and columns apart, so a box
// is two axes and a bin's weights are products of two short lists.

#ifndef KMASKRCNN_ROI_ALIGN_GEOMETRY_H_
#define KMASKRCNN_ROI_ALIGN_GEOMETRY_H_

#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define KMR_HOST_DEVICE __host__ __device__
#else
#define KMR_HOST_DEVICE
#endif

namespace kmaskrcnn {

// Beyond 2^24 float32 cannot tell neighbouring pixels apart; boxes that reach further give zeros.
// It also bounds the number of samples.
constexpr double kLargestCoordinate = 16777216.0;
constexpr int kLargestSamplingRatio = 128;

struct Options {
  int pooled_height;
  int pooled_width;
  int sampling_ratio;  // samples per bin and axis; 0: ceil(bin size), as many as the bin has pixels
  bool aligned;  // true: pixel centres lie at +0.5; false: the older convention, and boxes are at
                 // least one feature pixel
};

// One axis of a box in feature pixels: bin b covers [start + b * bin, start + (b + 1) * bin). An
// inverted box has a negative bin.
template <typename Real>
struct Axis {
  Real start;
  Real bin;
  int64_t samples;  // per bin; 0: nothing to sample, the output is zero
};

template <typename Real>
KMR_HOST_DEVICE inline Axis<Real> make_axis(Real low, Real high, Real scale, int bins,
                                            int sampling_ratio, bool aligned) {
  const Real offset = aligned ? Real(0.5) : Real(0);
  const Real start = low * scale - offset;
  const Real end = high * scale - offset;
  const Real limit = Real(kLargestCoordinate);
  const bool usable =
      start >= -limit && start <= limit && end >= -limit && end <= limit;  // false for NaN
  if (!usable) return {Real(0), Real(0), 0};
  Real length = end - start;
  if (!aligned && length < Real(1)) length = Real(1);
  const Real bin = length / Real(bins);
  if (sampling_ratio > 0) return {start, bin, sampling_ratio};
  return {start, bin, bin > Real(0) ? static_cast<int64_t>(std::ceil(bin)) : 0};
}

template <typename Real>
KMR_HOST_DEVICE inline Real sample_position(const Axis<Real>& axis, int bin, int64_t sample) {
  return axis.start + Real(bin) * axis.bin +
         (Real(sample) + Real(0.5)) * axis.bin / Real(axis.samples);
}

// The two feature rows (or columns) that one sample reads, and their weights.
template <typename Real>
struct Taps {
  int low;
  int high;
  Real low_weight;
  Real high_weight;
};

// False where the sample lies outside [-1, size] and counts as zero. Positions within one pixel of
// the border read the border.
template <typename Real>
KMR_HOST_DEVICE inline bool sample_taps(Real position, int size, Taps<Real>* taps) {
  const bool inside = size > 0 && position >= Real(-1) && position <= Real(size);
  if (!inside) return false;
  const Real clamped = position > Real(0) ? position : Real(0);
  const int low = static_cast<int>(clamped);
  if (low >= size - 1) {
    *taps = {size - 1, size - 1, Real(1), Real(0)};
    return true;
  }
  const Real fraction = clamped - Real(low);
  *taps = {low, low + 1, Real(1) - fraction, fraction};
  return true;
}

struct SampleRange {
  int64_t first;
  int64_t last;  // exclusive
};

// The samples of a bin that can lie on the feature map. Adaptive sampling of a box far larger than
// the map has millions of samples, nearly all outside and therefore zero: only those near the map
// are visited, so that work is bounded by the map and nothing is lost.
template <typename Real>
KMR_HOST_DEVICE inline SampleRange sample_range(const Axis<Real>& axis, int bin, int size) {
  if (axis.samples <= kLargestSamplingRatio) return {0, axis.samples};
  constexpr double kMargin = 8;  // rounding of positions near the largest coordinate
  const double step = static_cast<double>(axis.bin) / static_cast<double>(axis.samples);
  const double base =
      static_cast<double>(axis.start) + static_cast<double>(bin) * static_cast<double>(axis.bin);
  const double samples = static_cast<double>(axis.samples);
  const double first =
      std::fmin(std::fmax(std::floor((-1.0 - base) / step) - kMargin, 0.0), samples);
  const double last = std::fmin(std::fmax(std::ceil((size - base) / step) + kMargin, 0.0), samples);
  return {static_cast<int64_t>(first), static_cast<int64_t>(last)};
}

}  // namespace kmaskrcnn

#endif  // KMASKRCNN_ROI_ALIGN_GEOMETRY_H_
