// Checks the CUDA launcher against the CPU loop of roi_align.h and times both. Needs a GPU to run;
// without TensorFlow:
//
//   nvcc -O3 -std=c++17 -arch=native roi_align.cu roi_align_cuda_main.cc -o roi_align_cuda_check &&
//   ./roi_align_cuda_check
//
// "memory alone" is what it takes to read each feature and write each pooled value once, and for
// the gradient to read and write each sum once.
//
// Exits with 1 when a value differs by more than 1e-4 of the largest, with 2 without a device.

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "roi_align.h"
#include "roi_align_cuda.h"

namespace {

using kmaskrcnn::Options;
using kmaskrcnn::Pyramid;
using kmaskrcnn::Rois;

void check(int error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(static_cast<cudaError_t>(error)));
  std::exit(2);
}

template <typename T>
T* to_device(const std::vector<T>& host) {
  void* device = nullptr;
  check(cudaMalloc(&device, host.size() * sizeof(T)));
  check(cudaMemcpy(device, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
  return static_cast<T*>(device);
}

double largest_difference(const std::vector<float>& expected, const float* device) {
  std::vector<float> got(expected.size());
  check(cudaMemcpy(got.data(), device, got.size() * sizeof(float), cudaMemcpyDeviceToHost));
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    largest = std::max(largest, std::fabs(double(expected[i])));
    difference = std::max(difference, std::fabs(double(expected[i]) - double(got[i])));
  }
  return difference / std::max(largest, 1e-30);
}

template <typename Work>
double milliseconds(Work work) {
  work();
  check(cudaDeviceSynchronize());
  const auto start = std::chrono::steady_clock::now();
  constexpr int kTimes = 20;
  for (int i = 0; i < kTimes; ++i) work();
  check(cudaDeviceSynchronize());
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
             .count() /
         kTimes;
}

// What moving so many bytes takes at least: the rate is that of a copy within the device.
double copying_milliseconds(double bytes) {
  constexpr size_t kBytes = size_t{256} << 20;  // beyond any cache
  static const double rate = [] {
    void* source = nullptr;
    void* target = nullptr;
    check(cudaMalloc(&source, kBytes));
    check(cudaMalloc(&target, kBytes));
    const double time = milliseconds(
        [&] { check(cudaMemcpyAsync(target, source, kBytes, cudaMemcpyDeviceToDevice)); });
    cudaFree(source);
    cudaFree(target);
    return 2.0 * double(kBytes) / time;  // read and written
  }();
  return bytes / rate;
}

struct Problem {
  std::vector<std::vector<float>> features;
  std::vector<std::vector<float>> gradients;
  std::vector<float> boxes;
  std::vector<int32_t> images;
  std::vector<int32_t> levels;
};

constexpr int kBatch = 2;
constexpr int kChannels = 256;
constexpr int kHeight = 800;
constexpr int kWidth = 1088;
constexpr int kNumLevels = 4;

Problem make_problem(int count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(0, 1);
  Problem problem;
  for (int level = 0; level < kNumLevels; ++level) {
    std::vector<float> data(size_t{kBatch} * (kHeight >> (level + 2)) * (kWidth >> (level + 2)) *
                            kChannels);
    for (float& value : data) value = normal(random);
    problem.gradients.emplace_back(data.size(), 0.0f);
    problem.features.push_back(std::move(data));
  }
  for (int roi = 0; roi < count; ++roi) {
    const float x = uniform(random) * kWidth;
    const float y = uniform(random) * kHeight;
    const float side = 16 + uniform(random) * 400;
    const float box[] = {x - side / 2, y - side / 2, x + side / 2, roi % 50 ? y + side / 2 : NAN};
    problem.boxes.insert(problem.boxes.end(), box, box + 4);
    problem.images.push_back(roi % kBatch);
    problem.levels.push_back(std::min(kNumLevels - 1, static_cast<int>(side / 112)));
  }
  return problem;
}

template <typename T>
Pyramid<T> host_pyramid(std::vector<std::vector<float>>* data) {
  Pyramid<T> pyramid{{}, kBatch, kChannels};
  for (int level = 0; level < kNumLevels; ++level) {
    pyramid.levels.push_back({(*data)[level].data(), kHeight >> (level + 2), kWidth >> (level + 2),
                              1.0f / (4 << level)});
  }
  return pyramid;
}

KmrPyramid device_pyramid(const std::vector<std::vector<float>>& data) {
  KmrPyramid pyramid = {};
  pyramid.num_levels = kNumLevels;
  pyramid.batch = kBatch;
  pyramid.channels = kChannels;
  for (int level = 0; level < kNumLevels; ++level) {
    pyramid.data[level] = to_device(data[level]);
    pyramid.height[level] = kHeight >> (level + 2);
    pyramid.width[level] = kWidth >> (level + 2);
    pyramid.scale[level] = 1.0f / (4 << level);
  }
  return pyramid;
}

bool compare(int sampling_ratio, bool aligned) {
  Problem problem = make_problem(512);
  const Options options = {7, 7, sampling_ratio, aligned};
  const KmrOptions flat = {7, 7, sampling_ratio, aligned ? 1 : 0};
  const int count = static_cast<int>(problem.images.size());
  const Rois<float> rois = {problem.boxes.data(), problem.images.data(), problem.levels.data(),
                            count};
  const KmrRois device_rois = {to_device(problem.boxes), to_device(problem.images),
                               to_device(problem.levels), count};
  const KmrPyramid features = device_pyramid(problem.features);
  const KmrPyramid gradients = device_pyramid(problem.gradients);  // zeros
  std::vector<float> pooled(size_t(count) * 49 * kChannels);
  float* device_pooled = to_device(pooled);

  const double cpu = milliseconds([&] {
    const auto pyramid = host_pyramid<const float>(&problem.features);
    const auto order = kmaskrcnn::order_by_place(pyramid, rois);
    kmaskrcnn::pool_rois(pyramid, rois, options, order.data(), count, pooled.data());
  });
  check(kmr_roi_align_forward(&features, &device_rois, &flat, device_pooled, nullptr));
  const double forward_error = largest_difference(pooled, device_pooled);

  float* upstream = to_device(pooled);
  const auto sums = host_pyramid<float>(&problem.gradients);
  for (const auto& band : kmaskrcnn::make_bands(sums))
    kmaskrcnn::scatter_band(sums, rois, options, band, pooled.data());
  check(kmr_roi_align_backward(&gradients, &device_rois, &flat, upstream, nullptr));
  double backward_error = 0;
  for (int level = 0; level < kNumLevels; ++level) {
    backward_error = std::max(backward_error,
                              largest_difference(problem.gradients[level], gradients.data[level]));
  }
  const double forward = milliseconds([&] {
    check(kmr_roi_align_forward(&features, &device_rois, &flat, device_pooled, nullptr));
  });
  const double backward = milliseconds(
      [&] { check(kmr_roi_align_backward(&gradients, &device_rois, &flat, upstream, nullptr)); });
  double map_bytes = 0;
  for (const auto& data : problem.features) map_bytes += double(data.size() * sizeof(float));
  const double pooled_bytes = double(pooled.size() * sizeof(float));
  std::printf(
      "sampling %d aligned %d: difference %.1e forward, %.1e backward; GPU %.3f ms forward (memory "
      "alone %.3f), %.3f ms backward (%.3f); CPU, one thread, %.1f ms forward\n",
      sampling_ratio, aligned, forward_error, backward_error, forward,
      copying_milliseconds(map_bytes + pooled_bytes), backward,
      copying_milliseconds(2 * map_bytes + pooled_bytes), cpu);
  for (int level = 0; level < kNumLevels; ++level) {
    cudaFree(features.data[level]);
    cudaFree(gradients.data[level]);
  }
  cudaFree(device_pooled);
  cudaFree(upstream);
  return forward_error <= 1e-4 && backward_error <= 1e-4;
}

}  // namespace

int main() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::fprintf(stderr, "no CUDA device\n");
    return 2;
  }
  bool fine = true;
  for (const int sampling_ratio : {2, 0, 1}) {
    for (const bool aligned : {true, false}) fine = compare(sampling_ratio, aligned) && fine;
  }
  return fine ? 0 : 1;
}
