// Hostile and ordinary inputs for roi_align.h, by a plain program without TensorFlow:
//
//   g++ -std=c++17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all roi_align_test.cc
//   -o test && ./test 100000 1
//
// Each round draws a pyramid, RoIs (NaN, infinite, gigantic, inverted, empty, outside, ordinary)
// and options of any of the four types in buffers of exactly the size they need, pools them, sends
// a gradient back, and checks that everything is finite, that <gradient, features> = <upstream,
// pooled>, and that the result equals a plain loop. Exits with 1 and a message on the first
// failure.

#include "roi_align.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace {

using kmaskrcnn::Axis;
using kmaskrcnn::BFloat16;
using kmaskrcnn::Half;
using kmaskrcnn::Options;
using kmaskrcnn::Pyramid;
using kmaskrcnn::Real;
using kmaskrcnn::Rois;

using Random = std::mt19937_64;

int draw(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}
double draw_real(Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

void require(bool holds, const char* what, long round) {
  if (holds) return;
  std::fprintf(stderr, "round %ld: %s\n", round, what);
  std::exit(1);
}

template <typename T>
double to_double(T value) {
  if constexpr (std::is_same_v<T, BFloat16> || std::is_same_v<T, Half>) {
    kmaskrcnn::Float16Lanes lanes;
    kmaskrcnn::load_part(&value, 1, lanes);
    return lanes[0];
  } else {
    return value;
  }
}

template <typename T>
T from_double(double value) {
  if constexpr (std::is_same_v<T, BFloat16> || std::is_same_v<T, Half>) {
    kmaskrcnn::Float16Lanes lanes = {static_cast<float>(value)};
    T result;
    kmaskrcnn::store_part(lanes, 1, &result);
    return result;
  } else {
    return static_cast<T>(value);
  }
}

// A coordinate that an attacker or a diverged network might send.
double hostile_coordinate(Random& random) {
  static const double values[] = {std::numeric_limits<double>::quiet_NaN(),
                                  std::numeric_limits<double>::infinity(),
                                  -std::numeric_limits<double>::infinity(),
                                  3.4e38,
                                  -3.4e38,
                                  1.6777216e7,
                                  -1.6777216e7,
                                  1.7e7,
                                  2147483648.0,
                                  -2147483649.0,
                                  1e-40,
                                  -0.0,
                                  0.0,
                                  -1.0,
                                  1e6,
                                  -1e6};
  return values[draw(random, 0, 15)];
}

template <typename T>
struct Case {
  Options options;
  Pyramid<const T> features;
  Pyramid<T> gradients;
  std::vector<std::vector<T>> feature_data;
  std::vector<std::vector<T>> gradient_data;
  std::vector<Real<T>> boxes;
  std::vector<int32_t> batch_indices;
  std::vector<int32_t> levels;
  Rois<Real<T>> rois;
};

template <typename T>
void draw_pyramid(Random& random, Case<T>* c) {
  const int num_levels = draw(random, 1, 3);
  c->features.batch = c->gradients.batch = draw(random, 1, 2);
  c->features.channels = c->gradients.channels =
      draw(random, 0, 9) ? draw(random, 1, 20) : draw(random, 0, 140);
  for (int level = 0; level < num_levels; ++level) {
    const int height = draw(random, 0, 19) ? draw(random, 1, 12) : 0;
    const int width = draw(random, 0, 19) ? draw(random, 1, 12) : 0;
    const size_t size =
        static_cast<size_t>(c->features.batch * height * width * c->features.channels);
    std::vector<T> data(size);
    for (T& value : data) value = from_double<T>(draw_real(random, -2, 2));
    c->feature_data.push_back(std::move(data));
    c->gradient_data.emplace_back(size);
    const Real<T> scale =
        Real<T>(draw(random, 0, 9) ? 1.0 / (1 << draw(random, 0, 4)) : draw_real(random, 0.01, 3));
    c->features.levels.push_back({c->feature_data.back().data(), height, width, scale});
    c->gradients.levels.push_back({c->gradient_data.back().data(), height, width, scale});
  }
}

template <typename T>
void draw_rois(Random& random, Case<T>* c) {
  const int count = draw(random, 0, 5);
  for (int roi = 0; roi < count; ++roi) {
    const bool hostile = draw(random, 0, 1);
    for (int i = 0; i < 4; ++i) {
      const double ordinary =
          draw(random, 0, 3) ? draw_real(random, -20, 60) : draw(random, -3, 14);
      c->boxes.push_back(static_cast<Real<T>>(
          hostile && draw(random, 0, 1) ? hostile_coordinate(random) : ordinary));
    }
    c->batch_indices.push_back(draw(random, 0, static_cast<int>(c->features.batch) - 1));
    c->levels.push_back(draw(random, 0, static_cast<int>(c->features.levels.size()) - 1));
  }
  c->rois = {c->boxes.data(), c->batch_indices.data(), c->levels.data(), count};
}

// The op refuses such indices before anything is read.
template <typename R>
void check_bad_indices(Random& random, const Rois<R>& rois, int64_t batch, int64_t num_levels,
                       long round) {
  if (rois.count == 0) return;
  static const int32_t bad[] = {-1, std::numeric_limits<int32_t>::min(),
                                std::numeric_limits<int32_t>::max(), 1000};
  std::vector<int32_t> indices(rois.batch_indices, rois.batch_indices + rois.count);
  std::vector<int32_t> levels(rois.levels, rois.levels + rois.count);
  const int victim = draw(random, 0, static_cast<int>(rois.count) - 1);
  (draw(random, 0, 1) ? indices : levels)[victim] = bad[draw(random, 0, 3)];
  const Rois<R> spoilt = {rois.boxes, indices.data(), levels.data(), rois.count};
  require(kmaskrcnn::first_bad_roi(spoilt, batch, num_levels) == victim, "a bad index went unseen",
          round);
}

// One bin of one channel as a plain loop over its samples.
template <typename T>
double plain_bin(const Case<T>& c, int64_t roi, const Axis<Real<T>>& y, const Axis<Real<T>>& x,
                 int bin_y, int bin_x, int64_t channel) {
  using R = Real<T>;
  const auto& level = c.features.levels[c.levels[roi]];
  const T* image =
      level.data + int64_t{c.batch_indices[roi]} * level.height * level.width * c.features.channels;
  double sum = 0;
  kmaskrcnn::Taps<R> rows;
  kmaskrcnn::Taps<R> columns;
  for (int64_t i = 0; i < y.samples; ++i) {
    if (!kmaskrcnn::sample_taps(kmaskrcnn::sample_position(y, bin_y, i), level.height, &rows))
      continue;
    for (int64_t j = 0; j < x.samples; ++j) {
      if (!kmaskrcnn::sample_taps(kmaskrcnn::sample_position(x, bin_x, j), level.width, &columns))
        continue;
      const auto at = [&](int row, int column) {
        return to_double(
            image[(int64_t{row} * level.width + column) * c.features.channels + channel]);
      };
      sum += double(rows.low_weight) * (columns.low_weight * at(rows.low, columns.low) +
                                        columns.high_weight * at(rows.low, columns.high)) +
             double(rows.high_weight) * (columns.low_weight * at(rows.high, columns.low) +
                                         columns.high_weight * at(rows.high, columns.high));
    }
  }
  return sum / (static_cast<double>(y.samples) * static_cast<double>(x.samples));
}

template <typename T>
constexpr double tolerance() {
  if (std::is_same_v<T, double>) return 1e-11;
  if (std::is_same_v<T, float>) return 3e-5;
  return std::is_same_v<T, Half> ? 3e-3 : 3e-2;
}

// One bin of each RoI, drawn by chance, against the plain loop (which would take for ever on
// gigantic boxes).
template <typename T>
void check_against_loop(Random& random, const Case<T>& c, const std::vector<T>& pooled,
                        long round) {
  const Options& o = c.options;
  if (c.features.channels == 0) return;
  for (int64_t roi = 0; roi < c.rois.count; ++roi) {
    const Real<T>* box = c.rois.boxes + 4 * roi;
    const Real<T> scale = c.features.levels[c.levels[roi]].scale;
    const auto y =
        kmaskrcnn::make_axis(box[1], box[3], scale, o.pooled_height, o.sampling_ratio, o.aligned);
    const auto x =
        kmaskrcnn::make_axis(box[0], box[2], scale, o.pooled_width, o.sampling_ratio, o.aligned);
    if (y.samples > 2000 || x.samples > 2000) continue;
    const int bin_y = draw(random, 0, o.pooled_height - 1);
    const int bin_x = draw(random, 0, o.pooled_width - 1);
    const int64_t channel = draw(random, 0, static_cast<int>(c.features.channels) - 1);
    const bool empty = y.samples == 0 || x.samples == 0;
    const double expected = empty ? 0 : plain_bin(c, roi, y, x, bin_y, bin_x, channel);
    const int64_t place =
        ((roi * o.pooled_height + bin_y) * o.pooled_width + bin_x) * c.features.channels + channel;
    require(std::fabs(to_double(pooled[place]) - expected) <= tolerance<T>(),
            "pooled differs from the plain loop", round);
  }
}

// Scatters by bands of so many rows, the last band first, into gradients that hold rubbish.
template <typename T>
void scatter_in_bands(Case<T>* c, const std::vector<T>& upstream, int height) {
  for (auto& data : c->gradient_data) std::fill(data.begin(), data.end(), from_double<T>(9));
  auto bands = kmaskrcnn::make_bands(c->gradients, height);
  std::reverse(bands.begin(), bands.end());
  for (const auto& band : bands)
    kmaskrcnn::scatter_band(c->gradients, c->rois, c->options, band, upstream.data());
}

template <typename T>
void check_gradient(Random& random, Case<T>* c, const std::vector<T>& pooled, long round) {
  std::vector<T> upstream(pooled.size());
  for (T& value : upstream) value = from_double<T>(draw_real(random, -1, 1));
  scatter_in_bands(c, upstream, 1000);
  const auto at_once = c->gradient_data;
  scatter_in_bands(c, upstream, draw(random, 1, 9));
  double forward = 0;
  double backward = 0;
  for (size_t i = 0; i < pooled.size(); ++i)
    forward += to_double(upstream[i]) * to_double(pooled[i]);
  for (size_t level = 0; level < c->feature_data.size(); ++level) {
    for (size_t i = 0; i < c->feature_data[level].size(); ++i) {
      const double gradient = to_double(c->gradient_data[level][i]);
      require(std::isfinite(gradient), "a gradient is not finite", round);
      require(gradient == to_double(at_once[level][i]), "the gradient depends on the bands", round);
      backward += gradient * to_double(c->feature_data[level][i]);
    }
  }
  const double limit = tolerance<T>() * (1 + static_cast<double>(pooled.size()));
  require(std::fabs(forward - backward) <= limit, "the gradient is not the transpose of pooling",
          round);
}

template <typename T>
void run(Random& random, long round) {
  Case<T> c;
  draw_pyramid(random, &c);
  draw_rois(random, &c);
  c.options = {draw(random, 1, 4), draw(random, 1, 4), draw(random, 0, 3), draw(random, 0, 1) == 1};
  const int64_t num_levels = static_cast<int64_t>(c.features.levels.size());
  require(kmaskrcnn::first_bad_roi(c.rois, c.features.batch, num_levels) == -1,
          "a good index was refused", round);
  check_bad_indices(random, c.rois, c.features.batch, num_levels, round);
  const int64_t size =
      c.rois.count * c.options.pooled_height * c.options.pooled_width * c.features.channels;
  std::vector<T> pooled(static_cast<size_t>(size));
  const auto order = kmaskrcnn::order_by_place(c.features, c.rois);
  kmaskrcnn::pool_rois(c.features, c.rois, c.options, order.data(), c.rois.count, pooled.data());
  for (const T& value : pooled)
    require(std::isfinite(to_double(value)), "a pooled value is not finite", round);
  check_against_loop(random, c, pooled, round);
  check_gradient(random, &c, pooled, round);
}

// Every 16-bit pattern survives the way to float32 and back.
template <typename T>
void check_conversions(uint32_t infinity) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const T value = {static_cast<uint16_t>(bits)};
    const double number = to_double(value);
    const uint16_t back = from_double<T>(number).bits;
    const bool nan = (bits & 0x7fffu) > infinity;
    require(nan ? std::isnan(number) && (back & 0x7fffu) > infinity : back == bits,
            "a 16-bit value does not survive", bits);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::atol(argv[1]) : 1000;
  Random random(argc > 2 ? std::atol(argv[2]) : 0);
  check_conversions<BFloat16>(0x7f80u);
  check_conversions<Half>(0x7c00u);
  for (long round = 0; round < rounds; ++round) {
    switch (round % 4) {
      case 0:
        run<float>(random, round);
        break;
      case 1:
        run<double>(random, round);
        break;
      case 2:
        run<BFloat16>(random, round);
        break;
      default:
        run<Half>(random, round);
    }
  }
  std::printf("%ld rounds without a report\n", rounds);
  return 0;
}
