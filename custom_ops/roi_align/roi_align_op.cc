// The TensorFlow side of roi_align.h: two ops with shape inference, input checks, and TensorFlow's
// own thread pool.

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

#include "roi_align.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace kmaskrcnn {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpInputList;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::OpOutputList;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

// boxes, batch_indices and levels at inputs first, first + 1, first + 2; returns R.
absl::Status infer_rois(InferenceContext* c, int first, DimensionHandle* count) {
  ShapeHandle boxes;
  ShapeHandle indices;
  ShapeHandle levels;
  DimensionHandle unused;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first), 2, &boxes));
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(boxes, 1), 4, &unused));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 1), 1, &indices));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 2), 1, &levels));
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(boxes, 0), c->Dim(indices, 0), count));
  return c->Merge(*count, c->Dim(levels, 0), count);
}

absl::Status infer_pooled(InferenceContext* c) {
  int num_levels = 0;
  int height = 0;
  int width = 0;
  TF_RETURN_IF_ERROR(c->GetAttr("N", &num_levels));
  TF_RETURN_IF_ERROR(c->GetAttr("pooled_height", &height));
  TF_RETURN_IF_ERROR(c->GetAttr("pooled_width", &width));
  DimensionHandle channels = c->UnknownDim();
  DimensionHandle batch = c->UnknownDim();
  for (int level = 0; level < num_levels; ++level) {
    ShapeHandle features;
    TF_RETURN_IF_ERROR(c->WithRank(c->input(level), 4, &features));
    TF_RETURN_IF_ERROR(c->Merge(batch, c->Dim(features, 0), &batch));
    TF_RETURN_IF_ERROR(c->Merge(channels, c->Dim(features, 3), &channels));
  }
  DimensionHandle count;
  TF_RETURN_IF_ERROR(infer_rois(c, num_levels, &count));
  c->set_output(0, c->MakeShape({count, c->MakeDim(height), c->MakeDim(width), channels}));
  return absl::OkStatus();
}

absl::Status infer_gradient(InferenceContext* c) {
  int num_levels = 0;
  TF_RETURN_IF_ERROR(c->GetAttr("N", &num_levels));
  ShapeHandle upstream;
  DimensionHandle count;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &upstream));
  TF_RETURN_IF_ERROR(infer_rois(c, 1, &count));
  for (int level = 0; level < num_levels; ++level) {
    ShapeHandle shape;
    TF_RETURN_IF_ERROR(c->MakeShapeFromShapeTensor(4 + level, &shape));
    TF_RETURN_IF_ERROR(c->WithRank(shape, 4, &shape));
    c->set_output(level, shape);
  }
  return absl::OkStatus();
}

REGISTER_OP("KmaskrcnnRoiAlign")
    .Input("features: N * T")
    .Input("boxes: G")
    .Input("batch_indices: int32")
    .Input("levels: int32")
    .Attr("N: int >= 1")
    .Attr("T: {float, double, half, bfloat16}")
    .Attr("G: {float, double}")
    .Attr("scales: list(float) >= 1")
    .Attr("pooled_height: int >= 1")
    .Attr("pooled_width: int >= 1")
    .Attr("sampling_ratio: int >= 0 = 2")
    .Attr("aligned: bool = true")
    .Output("pooled: T")
    .SetShapeFn(infer_pooled);

REGISTER_OP("KmaskrcnnRoiAlignGrad")
    .Input("upstream: T")
    .Input("boxes: G")
    .Input("batch_indices: int32")
    .Input("levels: int32")
    .Input("shapes: N * int32")
    .Attr("N: int >= 1")
    .Attr("T: {float, double, half, bfloat16}")
    .Attr("G: {float, double}")
    .Attr("scales: list(float) >= 1")
    .Attr("pooled_height: int >= 1")
    .Attr("pooled_width: int >= 1")
    .Attr("sampling_ratio: int >= 0 = 2")
    .Attr("aligned: bool = true")
    .Output("gradients: N * T")
    .SetShapeFn(infer_gradient);

using Workers = tensorflow::thread::ThreadPool;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
    "-Wdeprecated-declarations"  // newest TensorFlow has another spelling, which the oldest lacks
// fn(first, last) over [0, total) on TensorFlow's threads; cost in processor cycles per unit.
void parallel_for(Workers* workers, int64_t total, int64_t cost,
                  const std::function<void(int64_t, int64_t)>& fn) {
  const Workers::SchedulingParams adaptive(Workers::SchedulingStrategy::kAdaptive, cost,
                                           std::nullopt);
  workers->ParallelFor(total, adaptive, fn);
}

// fn(unit) for each of [0, total), each on the next thread that is free: for few, unequal units.
void parallel_for_each(Workers* workers, int64_t total, const std::function<void(int64_t)>& fn) {
  const Workers::SchedulingParams one_by_one(Workers::SchedulingStrategy::kFixedBlockSize,
                                             std::nullopt, 1);
  workers->ParallelFor(total, one_by_one, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) fn(unit);
  });
}
#pragma GCC diagnostic pop

// The header's 16-bit types have the layout of Eigen's.
template <typename T>
struct Storage {
  using type = T;
};
template <>
struct Storage<Eigen::bfloat16> {
  using type = BFloat16;
};
template <>
struct Storage<Eigen::half> {
  using type = Half;
};

template <typename Stored, typename T>
Stored* data(const Tensor& tensor) {
  return reinterpret_cast<Stored*>(const_cast<T*>(tensor.flat<T>().data()));
}

// What the forward and the gradient op share: attributes, and the checks of boxes, indices and
// levels.
template <typename T>
class RoiAlignBase : public OpKernel {
 public:
  using Stored = typename Storage<T>::type;
  using R = Real<Stored>;

  explicit RoiAlignBase(OpKernelConstruction* context) : OpKernel(context) {
    int num_levels = 0;
    OP_REQUIRES_OK(context, context->GetAttr("N", &num_levels));
    OP_REQUIRES_OK(context, context->GetAttr("scales", &scales_));
    OP_REQUIRES_OK(context, context->GetAttr("pooled_height", &options_.pooled_height));
    OP_REQUIRES_OK(context, context->GetAttr("pooled_width", &options_.pooled_width));
    OP_REQUIRES_OK(context, context->GetAttr("sampling_ratio", &options_.sampling_ratio));
    OP_REQUIRES_OK(context, context->GetAttr("aligned", &options_.aligned));
    OP_REQUIRES(
        context, static_cast<int>(scales_.size()) == num_levels,
        absl::InvalidArgumentError(absl::StrCat("roi_align: expected one scale per level (",
                                                num_levels, "), got ", scales_.size(), " scales")));
    OP_REQUIRES(context, options_.sampling_ratio <= kLargestSamplingRatio,
                absl::InvalidArgumentError(
                    absl::StrCat("roi_align: sampling_ratio must be 0 (adaptive) to ",
                                 kLargestSamplingRatio, ", got ", options_.sampling_ratio)));
  }

 protected:
  // False after an error, which is then set on the context.
  bool read_rois(OpKernelContext* context, int first, int64_t batch, Rois<R>* rois) const {
    const Tensor& boxes = context->input(first);
    const Tensor& indices = context->input(first + 1);
    const Tensor& levels = context->input(first + 2);
    const bool fits = boxes.dims() == 2 && boxes.dim_size(1) == 4 && indices.dims() == 1 &&
                      levels.dims() == 1 && indices.dim_size(0) == boxes.dim_size(0) &&
                      levels.dim_size(0) == boxes.dim_size(0);
    if (!fits) {
      context->SetStatus(absl::InvalidArgumentError(
          absl::StrCat("roi_align: expected boxes (R, 4), batch_indices (R,) and levels (R,), got ",
                       boxes.shape().DebugString(), ", ", indices.shape().DebugString(), " and ",
                       levels.shape().DebugString())));
      return false;
    }
    *rois = {boxes.flat<R>().data(), indices.flat<int32_t>().data(), levels.flat<int32_t>().data(),
             boxes.dim_size(0)};
    const int64_t num_levels = static_cast<int64_t>(scales_.size());
    const int64_t bad = first_bad_roi(*rois, batch, num_levels);
    if (bad < 0) return true;
    context->SetStatus(absl::InvalidArgumentError(absl::StrCat(
        "roi_align: RoI ", bad, " names image ", rois->batch_indices[bad], " and level ",
        rois->levels[bad], "; the features have ", batch, " images and ", num_levels, " levels")));
    return false;
  }

  // Processor cycles of one RoI, for TensorFlow's scheduler.
  int64_t roi_cost(int64_t channels) const {
    const int64_t samples = options_.sampling_ratio > 0 ? options_.sampling_ratio : 3;
    return int64_t{options_.pooled_height} * options_.pooled_width * samples * samples *
           (channels + 16);
  }

  std::vector<float> scales_;
  Options options_{};
};

// Checks (batch, height, width, channels) of one level against the first one's.
absl::Status check_level(const TensorShape& shape, const TensorShape& first, int level) {
  if (shape.dims() != 4) {
    return absl::InvalidArgumentError(absl::StrCat(
        "roi_align: level ", level, " must be (B, H, W, F), got ", shape.DebugString()));
  }
  if (shape.dim_size(0) != first.dim_size(0) || shape.dim_size(3) != first.dim_size(3)) {
    return absl::InvalidArgumentError(
        absl::StrCat("roi_align: all levels must have the same B and F; level 0 is ",
                     first.DebugString(), ", level ", level, " is ", shape.DebugString()));
  }
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  if (shape.dim_size(1) > kLargest || shape.dim_size(2) > kLargest) {
    return absl::InvalidArgumentError(
        absl::StrCat("roi_align: level ", level, " is too large: ", shape.DebugString()));
  }
  return absl::OkStatus();
}

template <typename T>
class RoiAlignOp : public RoiAlignBase<T> {
 public:
  using typename RoiAlignBase<T>::Stored;
  using typename RoiAlignBase<T>::R;
  using RoiAlignBase<T>::RoiAlignBase;

  void Compute(OpKernelContext* context) override {
    OpInputList features;
    OP_REQUIRES_OK(context, context->input_list("features", &features));
    Pyramid<const Stored> pyramid;
    OP_REQUIRES_OK(context, read_pyramid(features, &pyramid));
    Rois<R> rois;
    if (!this->read_rois(context, features.size(), pyramid.batch, &rois)) return;
    TensorShape shape;
    OP_REQUIRES_OK(context, shape.AddDimWithStatus(rois.count));
    OP_REQUIRES_OK(context, shape.AddDimWithStatus(this->options_.pooled_height));
    OP_REQUIRES_OK(context, shape.AddDimWithStatus(this->options_.pooled_width));
    OP_REQUIRES_OK(context, shape.AddDimWithStatus(pyramid.channels));
    Tensor* pooled = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &pooled));
    if (pooled->NumElements() == 0) return;
    Stored* target = data<Stored, T>(*pooled);
    auto* workers = context->device()->tensorflow_cpu_worker_threads()->workers;
    const std::vector<int64_t> order = order_by_place(pyramid, rois);
    parallel_for(
        workers, rois.count, this->roi_cost(pyramid.channels), [&](int64_t first, int64_t last) {
          pool_rois(pyramid, rois, this->options_, order.data() + first, last - first, target);
        });
  }

 private:
  absl::Status read_pyramid(const OpInputList& features, Pyramid<const Stored>* pyramid) const {
    for (int level = 0; level < features.size(); ++level) {
      TF_RETURN_IF_ERROR(check_level(features[level].shape(), features[0].shape(), level));
      pyramid->levels.push_back(
          {data<const Stored, T>(features[level]), static_cast<int>(features[level].dim_size(1)),
           static_cast<int>(features[level].dim_size(2)), static_cast<R>(this->scales_[level])});
    }
    pyramid->batch = features[0].dim_size(0);
    pyramid->channels = features[0].dim_size(3);
    return absl::OkStatus();
  }
};

template <typename T>
class RoiAlignGradOp : public RoiAlignBase<T> {
 public:
  using typename RoiAlignBase<T>::Stored;
  using typename RoiAlignBase<T>::R;
  using RoiAlignBase<T>::RoiAlignBase;

  void Compute(OpKernelContext* context) override {
    OpOutputList outputs;
    OP_REQUIRES_OK(context, context->output_list("gradients", &outputs));
    Pyramid<Stored> pyramid;
    OP_REQUIRES_OK(context, allocate(context, &outputs, &pyramid));
    Rois<R> rois;
    if (!this->read_rois(context, 1, pyramid.batch, &rois)) return;
    const Tensor& upstream = context->input(0);
    const TensorShape expected(
        {rois.count, this->options_.pooled_height, this->options_.pooled_width, pyramid.channels});
    OP_REQUIRES(context, upstream.shape() == expected,
                absl::InvalidArgumentError(absl::StrCat("roi_align gradient: expected upstream ",
                                                        expected.DebugString(), ", got ",
                                                        upstream.shape().DebugString())));
    const std::vector<Band> bands = make_bands(pyramid);
    const Stored* flow = data<const Stored, T>(upstream);
    auto* workers = context->device()->tensorflow_cpu_worker_threads()->workers;
    parallel_for_each(workers, static_cast<int64_t>(bands.size()), [&](int64_t band) {
      scatter_band(pyramid, rois, this->options_, bands[band], flow);
    });
  }

 private:
  absl::Status allocate(OpKernelContext* context, OpOutputList* outputs,
                        Pyramid<Stored>* pyramid) const {
    OpInputList shapes;
    TF_RETURN_IF_ERROR(context->input_list("shapes", &shapes));
    TensorShape first;
    for (int level = 0; level < shapes.size(); ++level) {
      TensorShape shape;
      if (shapes[level].dims() != 1 || shapes[level].dim_size(0) != 4) {
        return absl::InvalidArgumentError(absl::StrCat("roi_align gradient: shape of level ", level,
                                                       " must be four numbers, got ",
                                                       shapes[level].DebugString()));
      }
      TF_RETURN_IF_ERROR(
          tensorflow::TensorShapeUtils::MakeShape(shapes[level].vec<int32_t>(), &shape));
      if (level == 0) first = shape;
      TF_RETURN_IF_ERROR(check_level(shape, first, level));
      Tensor* output = nullptr;
      TF_RETURN_IF_ERROR(outputs->allocate(level, shape, &output));
      pyramid->levels.push_back({data<Stored, T>(*output), static_cast<int>(shape.dim_size(1)),
                                 static_cast<int>(shape.dim_size(2)),
                                 static_cast<R>(this->scales_[level])});
    }
    pyramid->batch = first.dim_size(0);
    pyramid->channels = first.dim_size(3);
    return absl::OkStatus();
  }
};

#define KMR_REGISTER(T)                                                   \
  REGISTER_KERNEL_BUILDER(Name("KmaskrcnnRoiAlign")                       \
                              .Device(DEVICE_CPU)                         \
                              .TypeConstraint<T>("T")                     \
                              .TypeConstraint<RoiAlignOp<T>::R>("G"),     \
                          RoiAlignOp<T>);                                 \
  REGISTER_KERNEL_BUILDER(Name("KmaskrcnnRoiAlignGrad")                   \
                              .Device(DEVICE_CPU)                         \
                              .TypeConstraint<T>("T")                     \
                              .TypeConstraint<RoiAlignGradOp<T>::R>("G"), \
                          RoiAlignGradOp<T>);
KMR_REGISTER(float)
KMR_REGISTER(double)
KMR_REGISTER(Eigen::bfloat16)
KMR_REGISTER(Eigen::half)
#undef KMR_REGISTER

}  // namespace
}  // namespace kmaskrcnn
