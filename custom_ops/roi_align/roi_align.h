// RoIAlign over a feature pyramid on the CPU, forward and backward, in plain C++17 without
// TensorFlow.
//
// Features are NHWC. For each box the weights of its rows and columns are worked out once
// (roi_align_geometry.h); a bin is then a weighted sum of a few feature pixels, and the inner loop
// runs over their channels (roi_align_vector.h). The caller brings the threads: pool_rois takes a
// range of RoIs, scatter_rois a range of channels. Either split gives bit-equal results, whatever
// the number of threads, because each output element is summed by one thread in the order of the
// RoIs.

#ifndef KMASKRCNN_ROI_ALIGN_H_
#define KMASKRCNN_ROI_ALIGN_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "roi_align_geometry.h"
#include "roi_align_vector.h"

// One binary for every x86-64 processor: the loader picks the clone. Sanitizers run before that
// choice, so they get one version.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(KMASKRCNN_NO_CLONES)
#define KMR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KMR_CLONES
#endif

namespace kmaskrcnn {

// One pyramid level: (batch, height, width, channels), and feature pixels per input pixel.
template <typename T>
struct Level {
  T* data;
  int height;
  int width;
  Real<std::remove_const_t<T>> scale;
};

template <typename T>
struct Pyramid {
  std::vector<Level<T>> levels;
  int64_t batch;
  int64_t channels;
};

// boxes: (count, 4) x1 y1 x2 y2 in input pixels; batch_indices and levels: (count,).
template <typename R>
struct Rois {
  const R* boxes;
  const int32_t* batch_indices;
  const int32_t* levels;
  int64_t count;
};

// The first RoI whose batch index or level does not exist, or -1.
template <typename R>
int64_t first_bad_roi(const Rois<R>& rois, int64_t batch, int64_t num_levels) {
  for (int64_t roi = 0; roi < rois.count; ++roi) {
    const bool known = rois.batch_indices[roi] >= 0 && rois.batch_indices[roi] < batch &&
                       rois.levels[roi] >= 0 && rois.levels[roi] < num_levels;
    if (!known) return roi;
  }
  return -1;
}

// For each bin of an axis, the feature rows (or columns) it reads and their weights; samples that
// share one are added up.
template <typename R>
struct AxisTaps {
  std::vector<int> begin;  // bin b owns [begin[b], begin[b + 1])
  std::vector<int> index;
  std::vector<R> weight;

  void add(size_t bin_begin, int position, R value) {
    if (value == R(0)) return;
    const size_t count = index.size();
    for (size_t back = 1; back <= 3 && back + bin_begin <= count; ++back) {
      if (index[count - back] != position) continue;
      weight[count - back] += value;
      return;
    }
    index.push_back(position);
    weight.push_back(value);
  }

  __attribute__((noinline)) void build(const Axis<R>& axis, int bins, int size) {
    begin.assign(1, 0);
    index.clear();
    weight.clear();
    for (int bin = 0; bin < bins; ++bin) {
      const size_t bin_begin = index.size();
      const SampleRange range = sample_range(axis, bin, size);
      Taps<R> taps;
      for (int64_t sample = range.first; sample < range.last; ++sample) {
        if (!sample_taps(sample_position(axis, bin, sample), size, &taps)) continue;
        add(bin_begin, taps.low, taps.low_weight / R(axis.samples));
        add(bin_begin, taps.high, taps.high_weight / R(axis.samples));
      }
      begin.push_back(static_cast<int>(index.size()));
    }
  }
};

// What one thread reuses from RoI to RoI.
template <typename R>
struct Workspace {
  AxisTaps<R> rows;
  AxisTaps<R> columns;
  std::vector<int64_t> offsets;  // of one bin: element offsets of its pixels' first channel
  std::vector<R> weights;
};

// Plain pointers into a workspace, for the kernels.
template <typename R>
struct RoiPlan {
  const AxisTaps<R>* rows;
  const AxisTaps<R>* columns;
  int64_t* offsets;
  R* weights;
  int64_t width;
  int64_t channels;
  int pooled_height;
  int pooled_width;
};

template <typename R>
RoiPlan<R> plan_roi(const R* box, R scale, int height, int width, int64_t channels,
                    const Options& options, Workspace<R>* space) {
  const Axis<R> y = make_axis(box[1], box[3], scale, options.pooled_height, options.sampling_ratio,
                              options.aligned);
  const Axis<R> x = make_axis(box[0], box[2], scale, options.pooled_width, options.sampling_ratio,
                              options.aligned);
  const bool empty = y.samples == 0 || x.samples == 0;
  space->rows.build(y, options.pooled_height, empty ? 0 : height);
  space->columns.build(x, options.pooled_width, empty ? 0 : width);
  size_t rows = 0;
  size_t columns = 0;
  for (int bin = 0; bin < options.pooled_height; ++bin)
    rows = std::max<size_t>(rows, space->rows.begin[bin + 1] - space->rows.begin[bin]);
  for (int bin = 0; bin < options.pooled_width; ++bin)
    columns = std::max<size_t>(columns, space->columns.begin[bin + 1] - space->columns.begin[bin]);
  space->offsets.resize(rows * columns);
  space->weights.resize(rows * columns);
  return {&space->rows, &space->columns, space->offsets.data(), space->weights.data(),
          width,        channels,        options.pooled_height, options.pooled_width};
}

// Writes the pixels of one bin into the plan's lists; returns how many.
template <typename R>
KMR_INLINE int64_t list_bin(const RoiPlan<R>& plan, int bin_y, int bin_x) {
  int64_t count = 0;
  for (int row = plan.rows->begin[bin_y]; row < plan.rows->begin[bin_y + 1]; ++row) {
    for (int column = plan.columns->begin[bin_x]; column < plan.columns->begin[bin_x + 1];
         ++column, ++count) {
      plan.offsets[count] =
          (plan.rows->index[row] * plan.width + plan.columns->index[column]) * plan.channels;
      plan.weights[count] = plan.rows->weight[row] * plan.columns->weight[column];
    }
  }
  return count;
}

template <int kVectors, typename T>
KMR_INLINE void pool_channels(const T* image, const RoiPlan<Real<T>>& plan, int64_t count,
                              T* pooled) {
  using R = Real<T>;
  Vector<R> sum[kVectors] = {};
  for (int64_t tap = 0; tap < count; ++tap) {
    const T* pixel = image + plan.offsets[tap];
    const R weight = plan.weights[tap];
    for (int i = 0; i < kVectors; ++i) {
      Vector<R> value;
      load(pixel + i * kLanes<R>, value);
      sum[i] += value * weight;
    }
  }
  for (int i = 0; i < kVectors; ++i) store(sum[i], pooled + i * kLanes<R>);
}

template <typename T>
KMR_INLINE void pool_last_channels(const T* image, const RoiPlan<Real<T>>& plan, int64_t count,
                                   int64_t channels, T* pooled) {
  Vector<Real<T>> sum = {};
  for (int64_t tap = 0; tap < count; ++tap) {
    Vector<Real<T>> value;
    load_part(image + plan.offsets[tap], channels, value);
    sum += value * plan.weights[tap];
  }
  store_part(sum, channels, pooled);
}

template <typename T>
KMR_INLINE void pool_bins_body(const T* image, const RoiPlan<Real<T>>& plan, T* pooled) {
  constexpr int64_t kStep = kLanes<Real<T>>;
  for (int bin_y = 0; bin_y < plan.pooled_height; ++bin_y) {
    for (int bin_x = 0; bin_x < plan.pooled_width; ++bin_x, pooled += plan.channels) {
      const int64_t count = list_bin(plan, bin_y, bin_x);
      int64_t c = 0;
      for (; c + 4 * kStep <= plan.channels; c += 4 * kStep)
        pool_channels<4>(image + c, plan, count, pooled + c);
      for (; c + kStep <= plan.channels; c += kStep)
        pool_channels<1>(image + c, plan, count, pooled + c);
      if (c < plan.channels)
        pool_last_channels(image + c, plan, count, plan.channels - c, pooled + c);
    }
  }
}

template <int kVectors, typename T>
KMR_INLINE void scatter_channels(const T* upstream, const RoiPlan<Real<T>>& plan, int64_t count,
                                 Real<T>* gradient) {
  using R = Real<T>;
  Vector<R> flow[kVectors];
  for (int i = 0; i < kVectors; ++i) load(upstream + i * kLanes<R>, flow[i]);
  for (int64_t tap = 0; tap < count; ++tap) {
    R* pixel = gradient + plan.offsets[tap];
    const R weight = plan.weights[tap];
    for (int i = 0; i < kVectors; ++i) {
      Vector<R> value;
      load(pixel + i * kLanes<R>, value);
      value += flow[i] * weight;
      store(value, pixel + i * kLanes<R>);
    }
  }
}

template <typename T>
KMR_INLINE void scatter_last_channels(const T* upstream, const RoiPlan<Real<T>>& plan,
                                      int64_t count, int64_t channels, Real<T>* gradient) {
  Vector<Real<T>> flow;
  load_part(upstream, channels, flow);
  for (int64_t tap = 0; tap < count; ++tap) {
    Vector<Real<T>> value;
    load_part(gradient + plan.offsets[tap], channels, value);
    value += flow * plan.weights[tap];
    store_part(value, channels, gradient + plan.offsets[tap]);
  }
}

template <typename T>
KMR_INLINE void scatter_bins_body(const T* upstream, const RoiPlan<Real<T>>& plan, int64_t first,
                                  int64_t last, Real<T>* image) {
  constexpr int64_t kStep = kLanes<Real<T>>;
  for (int bin_y = 0; bin_y < plan.pooled_height; ++bin_y) {
    for (int bin_x = 0; bin_x < plan.pooled_width; ++bin_x, upstream += plan.channels) {
      const int64_t count = list_bin(plan, bin_y, bin_x);
      int64_t c = first;
      for (; c + 4 * kStep <= last; c += 4 * kStep)
        scatter_channels<4>(upstream + c, plan, count, image + c);
      for (; c + kStep <= last; c += kStep)
        scatter_channels<1>(upstream + c, plan, count, image + c);
      if (c < last) scatter_last_channels(upstream + c, plan, count, last - c, image + c);
    }
  }
}

#define KMR_DEFINE_KERNELS(T)                                                                     \
  KMR_CLONES [[maybe_unused]] static void pool_bins(const T* image, const RoiPlan<Real<T>>& plan, \
                                                    T* pooled) {                                  \
    pool_bins_body(image, plan, pooled);                                                          \
  }                                                                                               \
  KMR_CLONES [[maybe_unused]] static void scatter_bins(                                           \
      const T* upstream, const RoiPlan<Real<T>>& plan, int64_t first, int64_t last,               \
      Real<T>* image) {                                                                           \
    scatter_bins_body(upstream, plan, first, last, image);                                        \
  }
KMR_DEFINE_KERNELS(float)
KMR_DEFINE_KERNELS(double)
KMR_DEFINE_KERNELS(BFloat16)
KMR_DEFINE_KERNELS(Half)
#undef KMR_DEFINE_KERNELS

// pooled: (rois.count, pooled_height, pooled_width, channels); RoIs first <= roi < last are
// written. Indices must have been checked.
template <typename T>
void pool_rois(const Pyramid<const T>& pyramid, const Rois<Real<T>>& rois, const Options& options,
               int64_t first, int64_t last, T* pooled) {
  Workspace<Real<T>> space;
  const int64_t size = int64_t{options.pooled_height} * options.pooled_width * pyramid.channels;
  for (int64_t roi = first; roi < last; ++roi) {
    const Level<const T>& level = pyramid.levels[rois.levels[roi]];
    const T* image = level.data + int64_t{rois.batch_indices[roi]} * level.height * level.width *
                                      pyramid.channels;
    const RoiPlan<Real<T>> plan = plan_roi(rois.boxes + 4 * roi, level.scale, level.height,
                                           level.width, pyramid.channels, options, &space);
    pool_bins(image, plan, pooled + roi * size);
  }
}

// Adds d loss / d features to `gradient` (zeros at first), for channels first <= c < last of every
// RoI, from upstream, shaped as pooled.
template <typename T>
void scatter_rois(const Pyramid<Real<T>>& gradient, const Rois<Real<T>>& rois,
                  const Options& options, int64_t first, int64_t last, const T* upstream) {
  Workspace<Real<T>> space;
  const int64_t size = int64_t{options.pooled_height} * options.pooled_width * gradient.channels;
  for (int64_t roi = 0; roi < rois.count; ++roi) {
    const Level<Real<T>>& level = gradient.levels[rois.levels[roi]];
    Real<T>* image = level.data + int64_t{rois.batch_indices[roi]} * level.height * level.width *
                                      gradient.channels;
    const RoiPlan<Real<T>> plan = plan_roi(rois.boxes + 4 * roi, level.scale, level.height,
                                           level.width, gradient.channels, options, &space);
    scatter_bins(upstream + roi * size, plan, first, last, image);
  }
}

// From the accumulated gradient to the features' 16-bit type.
template <typename T>
void round_to(const float* source, int64_t first, int64_t last, T* target) {
  Float16Lanes lanes;
  int64_t i = first;
  for (; i + 16 <= last; i += 16) {
    load(source + i, lanes);
    store(lanes, target + i);
  }
  if (i == last) return;
  load_part(source + i, last - i, lanes);
  store_part(lanes, last - i, target + i);
}

// Channels per thread: whole vectors, so that no thread count changes which arithmetic an element
// sees.
inline int64_t channels_per_shard(int64_t channels, int64_t threads) {
  constexpr int64_t kVector = 16;
  const int64_t share =
      (channels + std::max<int64_t>(threads, 1) - 1) / std::max<int64_t>(threads, 1);
  return std::max(kVector, (share + kVector - 1) / kVector * kVector);
}

}  // namespace kmaskrcnn

#endif  // KMASKRCNN_ROI_ALIGN_H_
