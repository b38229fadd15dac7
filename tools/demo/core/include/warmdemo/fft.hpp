#pragma once

#include <complex>
#include <vector>

namespace warmdemo {

enum class Direction { forward, inverse };

/// The discrete Fourier transform of any length; the inverse is scaled by 1/n.
template <class T>
std::vector<std::complex<T>> fft(const std::vector<std::complex<T>>& signal, Direction direction);

/// Squared magnitudes of the first n/2 + 1 frequencies of a real signal.
template <class T>
std::vector<T> power_spectrum(const std::vector<T>& signal);

/// The full linear convolution, of length a + b - 1.
template <class T>
std::vector<T> convolve(const std::vector<T>& a, const std::vector<T>& b);

}  // namespace warmdemo
