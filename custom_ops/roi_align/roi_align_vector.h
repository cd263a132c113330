// Sixty-four bytes of float32 or float64 at a time, read from and written to any of the four
// feature types.
//
// GCC and Clang vector extensions: the compiler turns them into whatever the target of the
// surrounding function has (SSE2, AVX2, AVX-512, NEON), so one text serves every clone of a kernel.

#ifndef KMASKRCNN_ROI_ALIGN_VECTOR_H_
#define KMASKRCNN_ROI_ALIGN_VECTOR_H_

#include <cstdint>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors never cross a call: everything here is inlined
#endif

#define KMR_INLINE inline __attribute__((always_inline))

namespace kmaskrcnn {

// The two 16-bit types as plain storage; layout as Eigen::bfloat16 and Eigen::half.
struct BFloat16 {
  uint16_t bits;
};
struct Half {
  uint16_t bits;
};

// What a type is accumulated in, and what its boxes are computed in.
template <typename T>
struct Accumulator {
  using type = float;
};
template <>
struct Accumulator<double> {
  using type = double;
};
template <typename T>
using Real = typename Accumulator<T>::type;

using Float16Lanes = float __attribute__((vector_size(64)));
using Double8Lanes = double __attribute__((vector_size(64)));
using Bits16Lanes = uint32_t __attribute__((vector_size(64)));
using Short16Lanes = uint16_t __attribute__((vector_size(32)));

template <typename R>
struct VectorOf {
  using type = Float16Lanes;
};
template <>
struct VectorOf<double> {
  using type = Double8Lanes;
};
template <typename R>
using Vector = typename VectorOf<R>::type;
template <typename R>
constexpr int kLanes = static_cast<int>(64 / sizeof(R));

KMR_INLINE void load(const float* source, Float16Lanes& lanes) {
  std::memcpy(&lanes, source, sizeof lanes);
}
KMR_INLINE void load(const double* source, Double8Lanes& lanes) {
  std::memcpy(&lanes, source, sizeof lanes);
}
KMR_INLINE void store(const Float16Lanes& lanes, float* target) {
  std::memcpy(target, &lanes, sizeof lanes);
}
KMR_INLINE void store(const Double8Lanes& lanes, double* target) {
  std::memcpy(target, &lanes, sizeof lanes);
}

KMR_INLINE void load(const BFloat16* source, Float16Lanes& lanes) {
  Short16Lanes shorts;
  std::memcpy(&shorts, source, sizeof shorts);
  const Bits16Lanes bits = __builtin_convertvector(shorts, Bits16Lanes) << 16;
  std::memcpy(&lanes, &bits, sizeof lanes);
}

// Round to nearest even; NaN stays NaN.
KMR_INLINE void store(const Float16Lanes& lanes, BFloat16* target) {
  Bits16Lanes bits;
  std::memcpy(&bits, &lanes, sizeof bits);
  const Bits16Lanes rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const Bits16Lanes quiet = (bits >> 16) | 0x0040u;
  const Bits16Lanes result = (bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded;
  const Short16Lanes shorts = __builtin_convertvector(result, Short16Lanes);
  std::memcpy(static_cast<void*>(target), &shorts, sizeof shorts);
}

KMR_INLINE void load(const Half* source, Float16Lanes& lanes) {
  Short16Lanes shorts;
  std::memcpy(&shorts, source, sizeof shorts);
  const Bits16Lanes half = __builtin_convertvector(shorts, Bits16Lanes);
  const Bits16Lanes sign = (half & 0x8000u) << 16;
  const Bits16Lanes magnitude = half & 0x7fffu;
  const Bits16Lanes normal = (magnitude << 13) + (112u << 23);
  const Bits16Lanes special = (magnitude << 13) | 0x7f800000u;  // infinity and NaN
  const Float16Lanes tiny =
      __builtin_convertvector(magnitude, Float16Lanes) * 5.9604644775390625e-8f;  // 2^-24
  Bits16Lanes subnormal;
  std::memcpy(&subnormal, &tiny, sizeof tiny);
  Bits16Lanes bits = magnitude >= 0x7c00u ? special : normal;
  bits = magnitude < 0x0400u ? subnormal : bits;
  bits |= sign;
  std::memcpy(&lanes, &bits, sizeof lanes);
}

// Round to nearest even, with subnormals; after F. Giesen's float_to_half_fast3_rtne.
KMR_INLINE void store(const Float16Lanes& lanes, Half* target) {
  Bits16Lanes bits;
  std::memcpy(&bits, &lanes, sizeof bits);
  const Bits16Lanes sign = (bits >> 16) & 0x8000u;
  const Bits16Lanes magnitude = bits & 0x7fffffffu;
  Float16Lanes shifted;
  std::memcpy(&shifted, &magnitude, sizeof shifted);
  shifted = shifted + 0.5f;
  Bits16Lanes subnormal;
  std::memcpy(&subnormal, &shifted, sizeof shifted);
  subnormal = subnormal - 0x3f000000u;
  const Bits16Lanes normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  const Bits16Lanes infinite = magnitude - magnitude + 0x7c00u;
  const Bits16Lanes special = magnitude > 0x7f800000u ? infinite + 0x0200u : infinite;
  Bits16Lanes result = magnitude < (113u << 23) ? subnormal : normal;
  result = magnitude >= (143u << 23) ? special : result;
  const Short16Lanes shorts = __builtin_convertvector(result | sign, Short16Lanes);
  std::memcpy(static_cast<void*>(target), &shorts, sizeof shorts);
}

// The last `count` < kLanes channels, which must not be read or written beyond.
template <typename T>
KMR_INLINE void load_part(const T* source, int64_t count, Vector<Real<T>>& lanes) {
  T buffer[kLanes<Real<T>>] = {};
  std::memcpy(static_cast<void*>(buffer), source, static_cast<size_t>(count) * sizeof(T));
  load(buffer, lanes);
}
template <typename T>
KMR_INLINE void store_part(const Vector<Real<T>>& lanes, int64_t count, T* target) {
  T buffer[kLanes<Real<T>>];
  store(lanes, buffer);
  std::memcpy(static_cast<void*>(target), buffer, static_cast<size_t>(count) * sizeof(T));
}

}  // namespace kmaskrcnn

#endif  // KMASKRCNN_ROI_ALIGN_VECTOR_H_
