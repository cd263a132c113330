// The CUDA kernels of RoIAlign: one block per bin, its threads side by side over the channels, so
// that every access to NHWC memory is coalesced. Where to sample is roi_align_geometry.h, the same
// text as on the CPU.

#include <cuda_runtime.h>

#include "roi_align_cuda.h"
#include "roi_align_geometry.h"

namespace {

using kmaskrcnn::Axis;
using kmaskrcnn::SampleRange;
using kmaskrcnn::Taps;

// One bin of one RoI: its samples on both axes, and the image they lie in.
struct Bin {
  Axis<float> y;
  Axis<float> x;
  SampleRange rows;
  SampleRange columns;
  int bin_y;
  int bin_x;
  int height;
  int width;
  float* image;  // null: nothing to sample
  float share;   // one over the number of samples
};

__device__ Bin find_bin(const KmrPyramid& pyramid, const KmrRois& rois, const KmrOptions& options,
                        int64_t index) {
  Bin bin = {};
  bin.bin_x = static_cast<int>(index % options.pooled_width);
  bin.bin_y = static_cast<int>(index / options.pooled_width % options.pooled_height);
  const int64_t roi = index / options.pooled_width / options.pooled_height;
  const int level = rois.levels[roi];
  const int image = rois.batch_indices[roi];
  if (level < 0 || level >= pyramid.num_levels || image < 0 || image >= pyramid.batch) return bin;
  const float* box = rois.boxes + 4 * roi;
  const float scale = pyramid.scale[level];
  const bool aligned = options.aligned != 0;
  bin.y = kmaskrcnn::make_axis(box[1], box[3], scale, options.pooled_height, options.sampling_ratio,
                               aligned);
  bin.x = kmaskrcnn::make_axis(box[0], box[2], scale, options.pooled_width, options.sampling_ratio,
                               aligned);
  if (bin.y.samples == 0 || bin.x.samples == 0) return bin;
  bin.height = pyramid.height[level];
  bin.width = pyramid.width[level];
  bin.rows = kmaskrcnn::sample_range(bin.y, bin.bin_y, bin.height);
  bin.columns = kmaskrcnn::sample_range(bin.x, bin.bin_x, bin.width);
  bin.image =
      pyramid.data[level] + static_cast<int64_t>(image) * bin.height * bin.width * pyramid.channels;
  bin.share = 1.0f / (static_cast<float>(bin.y.samples) * static_cast<float>(bin.x.samples));
  return bin;
}

// visit(pixel offset, weight) for the four pixels of each sample on the map.
template <typename Visit>
__device__ void visit_pixels(const Bin& bin, int channels, Visit visit) {
  if (bin.image == nullptr) return;
  for (int64_t row = bin.rows.first; row < bin.rows.last; ++row) {
    Taps<float> y;
    if (!kmaskrcnn::sample_taps(kmaskrcnn::sample_position(bin.y, bin.bin_y, row), bin.height, &y))
      continue;
    for (int64_t column = bin.columns.first; column < bin.columns.last; ++column) {
      Taps<float> x;
      if (!kmaskrcnn::sample_taps(kmaskrcnn::sample_position(bin.x, bin.bin_x, column), bin.width,
                                  &x))
        continue;
      const int64_t low = static_cast<int64_t>(y.low) * bin.width;
      const int64_t high = static_cast<int64_t>(y.high) * bin.width;
      visit((low + x.low) * channels, y.low_weight * x.low_weight * bin.share);
      visit((low + x.high) * channels, y.low_weight * x.high_weight * bin.share);
      visit((high + x.low) * channels, y.high_weight * x.low_weight * bin.share);
      visit((high + x.high) * channels, y.high_weight * x.high_weight * bin.share);
    }
  }
}

__global__ void forward_kernel(KmrPyramid features, KmrRois rois, KmrOptions options,
                               int64_t num_bins, float* pooled) {
  for (int64_t index = blockIdx.x; index < num_bins; index += gridDim.x) {
    const Bin bin = find_bin(features, rois, options, index);
    for (int channel = threadIdx.x; channel < features.channels; channel += blockDim.x) {
      float sum = 0;
      visit_pixels(bin, features.channels, [&](int64_t pixel, float weight) {
        sum += weight * bin.image[pixel + channel];
      });
      pooled[index * features.channels + channel] = sum;
    }
  }
}

__global__ void backward_kernel(KmrPyramid gradients, KmrRois rois, KmrOptions options,
                                int64_t num_bins, const float* upstream) {
  for (int64_t index = blockIdx.x; index < num_bins; index += gridDim.x) {
    const Bin bin = find_bin(gradients, rois, options, index);
    for (int channel = threadIdx.x; channel < gradients.channels; channel += blockDim.x) {
      const float flow = upstream[index * gradients.channels + channel];
      visit_pixels(bin, gradients.channels, [&](int64_t pixel, float weight) {
        if (weight != 0.0f) atomicAdd(bin.image + pixel + channel, weight * flow);
      });
    }
  }
}

bool fits(const KmrPyramid& pyramid, const KmrRois& rois, const KmrOptions& options) {
  if (pyramid.num_levels < 1 || pyramid.num_levels > KMR_MAX_LEVELS || pyramid.batch < 0 ||
      pyramid.channels < 0)
    return false;
  for (int level = 0; level < pyramid.num_levels; ++level) {
    if (pyramid.height[level] < 0 || pyramid.width[level] < 0) return false;
  }
  return rois.count >= 0 && options.pooled_height > 0 && options.pooled_width > 0 &&
         options.sampling_ratio >= 0 && options.sampling_ratio <= kmaskrcnn::kLargestSamplingRatio;
}

// As many threads as there are channels, in whole warps, up to 256; the grid walks over all bins.
template <typename Kernel, typename Data>
int launch(Kernel kernel, const KmrPyramid& pyramid, const KmrRois& rois, const KmrOptions& options,
           Data* data, void* stream) {
  if (!fits(pyramid, rois, options)) return cudaErrorInvalidValue;
  const int64_t num_bins =
      static_cast<int64_t>(rois.count) * options.pooled_height * options.pooled_width;
  if (num_bins == 0 || pyramid.channels == 0) return cudaSuccess;
  const int threads = pyramid.channels >= 256 ? 256 : (pyramid.channels + 31) / 32 * 32;
  const int64_t largest = 1 << 30;
  const unsigned blocks = static_cast<unsigned>(num_bins < largest ? num_bins : largest);
  kernel<<<blocks, threads, 0, static_cast<cudaStream_t>(stream)>>>(pyramid, rois, options,
                                                                    num_bins, data);
  return cudaGetLastError();
}

}  // namespace

extern "C" int kmr_roi_align_forward(const KmrPyramid* features, const KmrRois* rois,
                                     const KmrOptions* options, float* pooled, void* stream) {
  return launch(forward_kernel, *features, *rois, *options, pooled, stream);
}

extern "C" int kmr_roi_align_backward(const KmrPyramid* gradients, const KmrRois* rois,
                                      const KmrOptions* options, const float* upstream,
                                      void* stream) {
  return launch(backward_kernel, *gradients, *rois, *options, upstream, stream);
}
