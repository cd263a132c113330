// RoIAlign on a CUDA device as flat C functions, for any framework or none: the caller owns the
// memory and the stream.

#ifndef KMASKRCNN_ROI_ALIGN_CUDA_H_
#define KMASKRCNN_ROI_ALIGN_CUDA_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KMR_MAX_LEVELS 8

// All pointers are to device memory, except those to this struct itself.
typedef struct {
  float* data[KMR_MAX_LEVELS];  // level l: (batch, height[l], width[l], channels) float32;
                                // features, or their gradient
  int32_t height[KMR_MAX_LEVELS];
  int32_t width[KMR_MAX_LEVELS];
  float scale[KMR_MAX_LEVELS];  // feature pixels per input pixel
  int32_t num_levels;
  int32_t batch;
  int32_t channels;
} KmrPyramid;

typedef struct {
  const float* boxes;            // (count, 4) x1 y1 x2 y2, input pixels
  const int32_t* batch_indices;  // (count,)
  const int32_t* levels;         // (count,)
  int32_t count;
} KmrRois;

typedef struct {
  int32_t pooled_height;
  int32_t pooled_width;
  int32_t sampling_ratio;  // 0: adaptive
  int32_t aligned;
} KmrOptions;

// pooled: (count, pooled_height, pooled_width, channels). RoIs whose image or level does not exist
// give zeros: a device cannot refuse. Returns a cudaError_t; 0 is success. `stream` is a
// cudaStream_t. The call returns before the device is done.
int kmr_roi_align_forward(const KmrPyramid* features, const KmrRois* rois,
                          const KmrOptions* options, float* pooled, void* stream);

// Adds to `gradients`, which the caller has set to zero. Atomic additions: the last bits differ
// from run to run, unlike on the CPU.
int kmr_roi_align_backward(const KmrPyramid* gradients, const KmrRois* rois,
                           const KmrOptions* options, const float* upstream, void* stream);

#ifdef __cplusplus
}
#endif

#endif  // KMASKRCNN_ROI_ALIGN_CUDA_H_
