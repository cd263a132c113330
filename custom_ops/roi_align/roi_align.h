// RoIAlign over a feature pyramid on the CPU, forward and backward, in plain C++17 without
// TensorFlow.
//
// Features are NHWC. For each box the weights of its rows and columns are worked out once
// (roi_align_geometry.h); a bin is then a weighted sum of a few feature pixels, and the inner loop
// runs over their channels (roi_align_vector.h). The caller brings the threads: pool_rois takes
// some of the RoIs, scatter_band a few rows of a gradient. Either split gives bit-equal results,
// whatever the number of threads, because each output element is summed by one thread in the order
// of the RoIs. Memory is what takes the time, so that neighbouring RoIs are pooled one after
// another, and all channels of a pixel are read and written at once.

#ifndef KMASKRCNN_ROI_ALIGN_H_
#define KMASKRCNN_ROI_ALIGN_H_

#include <algorithm>
#include <cstdint>
#include <tuple>
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

// Rows (or columns) of a feature map: [first, last).
struct Span {
  int first;
  int last;
};

// For each bin of an axis, the feature rows (or columns) of a span that it reads, counted from the
// span's first, and their weights; samples that share one are added up.
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

  __attribute__((noinline)) void build(const Axis<R>& axis, int bins, int size, Span span) {
    const auto has = [=](int position) { return position >= span.first && position < span.last; };
    begin.assign(1, 0);
    index.clear();
    weight.clear();
    for (int bin = 0; bin < bins; ++bin) {
      const size_t bin_begin = index.size();
      const SampleRange range = sample_range(axis, bin, size);
      Taps<R> taps;
      for (int64_t sample = range.first; sample < range.last; ++sample) {
        if (!sample_taps(sample_position(axis, bin, sample), size, &taps)) continue;
        if (has(taps.low)) add(bin_begin, taps.low - span.first, taps.low_weight / R(axis.samples));
        if (has(taps.high))
          add(bin_begin, taps.high - span.first, taps.high_weight / R(axis.samples));
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

// A box on its level, axis by axis.
template <typename R>
struct RoiAxes {
  Axis<R> y;
  Axis<R> x;
};

template <typename R>
RoiAxes<R> find_axes(const R* box, R scale, const Options& options) {
  return {make_axis(box[1], box[3], scale, options.pooled_height, options.sampling_ratio,
                    options.aligned),
          make_axis(box[0], box[2], scale, options.pooled_width, options.sampling_ratio,
                    options.aligned)};
}

// Whether the box can read one of the rows; samples up to a pixel outside the map read its border.
template <typename R>
bool reaches(const RoiAxes<R>& axes, const Options& options, Span rows) {
  if (axes.y.samples == 0 || axes.x.samples == 0) return false;
  const R end = axes.y.start + R(options.pooled_height) * axes.y.bin;
  return std::max(axes.y.start, end) + R(2) >= R(rows.first) &&
         std::min(axes.y.start, end) - R(2) <= R(rows.last);
}

// What the bins read of some rows of a map of height × width pixels.
template <typename R>
RoiPlan<R> plan_roi(const RoiAxes<R>& axes, int height, int width, Span kept, int64_t channels,
                    const Options& options, Workspace<R>* space) {
  const bool empty = axes.y.samples == 0 || axes.x.samples == 0;
  space->rows.build(axes.y, options.pooled_height, empty ? 0 : height, kept);
  space->columns.build(axes.x, options.pooled_width, empty ? 0 : width, {0, width});
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
KMR_INLINE void scatter_bins_body(const T* upstream, const RoiPlan<Real<T>>& plan, Real<T>* sums) {
  constexpr int64_t kStep = kLanes<Real<T>>;
  for (int bin_y = 0; bin_y < plan.pooled_height; ++bin_y) {
    for (int bin_x = 0; bin_x < plan.pooled_width; ++bin_x, upstream += plan.channels) {
      const int64_t count = list_bin(plan, bin_y, bin_x);
      int64_t c = 0;
      for (; c + 4 * kStep <= plan.channels; c += 4 * kStep)
        scatter_channels<4>(upstream + c, plan, count, sums + c);
      for (; c + kStep <= plan.channels; c += kStep)
        scatter_channels<1>(upstream + c, plan, count, sums + c);
      if (c < plan.channels)
        scatter_last_channels(upstream + c, plan, count, plan.channels - c, sums + c);
    }
  }
}

#define KMR_DEFINE_KERNELS(T)                                                                     \
  KMR_CLONES [[maybe_unused]] static void pool_bins(const T* image, const RoiPlan<Real<T>>& plan, \
                                                    T* pooled) {                                  \
    pool_bins_body(image, plan, pooled);                                                          \
  }                                                                                               \
  KMR_CLONES [[maybe_unused]] static void scatter_bins(                                           \
      const T* upstream, const RoiPlan<Real<T>>& plan, Real<T>* sums) {                           \
    scatter_bins_body(upstream, plan, sums);                                                      \
  }
KMR_DEFINE_KERNELS(float)
KMR_DEFINE_KERNELS(double)
KMR_DEFINE_KERNELS(BFloat16)
KMR_DEFINE_KERNELS(Half)
#undef KMR_DEFINE_KERNELS

// All RoIs in an order in which neighbours share pixels that are still cached: by level, image,
// strip of rows and column. Indices must have been checked.
template <typename T>
std::vector<int64_t> order_by_place(const Pyramid<const T>& pyramid, const Rois<Real<T>>& rois) {
  using R = Real<T>;
  constexpr int32_t kStrip = 16;  // feature pixels
  const auto middle = [&](int64_t roi, int axis) {
    const R* box = rois.boxes + 4 * roi + axis;
    const R place = (box[0] + box[2]) / 2 * pyramid.levels[rois.levels[roi]].scale;
    return place > 0 ? static_cast<int32_t>(std::min(place, R(1 << 20))) : 0;  // 0 for NaN
  };
  std::vector<std::tuple<int32_t, int32_t, int32_t, int32_t, int64_t>> places;
  for (int64_t roi = 0; roi < rois.count; ++roi)
    places.emplace_back(rois.levels[roi], rois.batch_indices[roi], middle(roi, 1) / kStrip,
                        middle(roi, 0), roi);
  std::sort(places.begin(), places.end());
  std::vector<int64_t> order;
  for (const auto& place : places) order.push_back(std::get<4>(place));
  return order;
}

// pooled: (rois.count, pooled_height, pooled_width, channels); the `count` RoIs of the list
// `chosen` are written. Indices must have been checked.
template <typename T>
void pool_rois(const Pyramid<const T>& pyramid, const Rois<Real<T>>& rois, const Options& options,
               const int64_t* chosen, int64_t count, T* pooled) {
  Workspace<Real<T>> space;
  const int64_t size = int64_t{options.pooled_height} * options.pooled_width * pyramid.channels;
  for (const int64_t* next = chosen; next < chosen + count; ++next) {
    const int64_t roi = *next;
    const Level<const T>& level = pyramid.levels[rois.levels[roi]];
    const T* image = level.data + int64_t{rois.batch_indices[roi]} * level.height * level.width *
                                      pyramid.channels;
    const auto axes = find_axes(rois.boxes + 4 * roi, level.scale, options);
    const auto plan = plan_roi(axes, level.height, level.width, {0, level.height}, pyramid.channels,
                               options, &space);
    pool_bins(image, plan, pooled + roi * size);
  }
}

// Some rows of the gradient of one image's level: what one thread sums at a time.
struct Band {
  int32_t level;
  int32_t image;
  Span rows;
};

// Bands of at most `height` rows that cover the pyramid. A band fits the cache, and a box of the
// pyramid's usual size reaches two or three.
template <typename T>
std::vector<Band> make_bands(const Pyramid<T>& pyramid, int height = 16) {
  std::vector<Band> bands;
  for (size_t level = 0; level < pyramid.levels.size(); ++level) {
    for (int64_t image = 0; image < pyramid.batch; ++image) {
      for (int64_t row = 0; row < pyramid.levels[level].height; row += height) {
        const int64_t end = std::min<int64_t>(row + height, pyramid.levels[level].height);
        bands.push_back({static_cast<int32_t>(level),
                         static_cast<int32_t>(image),
                         {static_cast<int>(row), static_cast<int>(end)}});
      }
    }
  }
  return bands;
}

// Adds a band's part of d loss / d features to `sums`, its rows' first channel.
template <typename T>
void add_band(const Level<T>& level, int64_t channels, const Rois<Real<T>>& rois,
              const Options& options, const Band& band, const T* upstream, Real<T>* sums) {
  Workspace<Real<T>> space;
  const int64_t size = int64_t{options.pooled_height} * options.pooled_width * channels;
  for (int64_t roi = 0; roi < rois.count; ++roi) {
    if (rois.levels[roi] != band.level || rois.batch_indices[roi] != band.image) continue;
    const auto axes = find_axes(rois.boxes + 4 * roi, level.scale, options);
    if (!reaches(axes, options, band.rows)) continue;
    const auto plan =
        plan_roi(axes, level.height, level.width, band.rows, channels, options, &space);
    scatter_bins(upstream + roi * size, plan, sums);
  }
}

// From the accumulated gradient to the features' 16-bit type.
template <typename T>
void round_to(const float* source, int64_t count, T* target) {
  Float16Lanes lanes;
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    load(source + i, lanes);
    store(lanes, target + i);
  }
  if (i == count) return;
  load_part(source + i, count - i, lanes);
  store_part(lanes, count - i, target + i);
}

// Writes a band of d loss / d features, from upstream, shaped as pooled. 16-bit gradients are
// summed in float32 beside, and rounded once.
template <typename T>
void scatter_band(const Pyramid<T>& gradient, const Rois<Real<T>>& rois, const Options& options,
                  const Band& band, const T* upstream) {
  using R = Real<T>;
  const Level<T>& level = gradient.levels[band.level];
  const int64_t row = level.width * gradient.channels;
  T* target = level.data + (int64_t{band.image} * level.height + band.rows.first) * row;
  const int64_t count = (band.rows.last - band.rows.first) * row;
  if constexpr (std::is_same_v<T, R>) {
    std::fill(target, target + count, R(0));
    add_band(level, gradient.channels, rois, options, band, upstream, target);
  } else {
    std::vector<R> sums(static_cast<size_t>(count));
    add_band(level, gradient.channels, rois, options, band, upstream, sums.data());
    round_to(sums.data(), count, target);
  }
}

}  // namespace kmaskrcnn

#endif  // KMASKRCNN_ROI_ALIGN_H_
