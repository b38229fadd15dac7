#include "warmdemo/fft.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <stdexcept>

namespace warmdemo {
namespace {

template <class T>
constexpr T pi = T(3.14159265358979323846264338327950288L);

template <class T>
using Signal = std::vector<std::complex<T>>;

/// One transform of a length that has only the prime factors 2, 3, 5 and 7.
template <class T>
class MixedRadix {
public:
    MixedRadix(std::size_t size, T sign) : roots_(size) {
        for (std::size_t k = 0; k < size; ++k)
            roots_[k] =
                std::polar(T(1), sign * 2 * pi<T> * static_cast<T>(k) / static_cast<T>(size));
    }

    static bool handles(std::size_t size) {
        for (const std::size_t prime : {2, 3, 5, 7})
            while (size > 0 && size % prime == 0) size /= prime;
        return size == 1;
    }

    Signal<T> operator()(const Signal<T>& in) const {
        Signal<T> out(in.size());
        transform(in.data(), out.data(), in.size(), 1);
        return out;
    }

private:
    void transform(const std::complex<T>* in, std::complex<T>* out, std::size_t size,
                   std::size_t stride) const {
        if (size == 1)
            *out = *in;
        else if (size % 4 == 0)
            pass<4>(in, out, size, stride);
        else if (size % 2 == 0)
            pass<2>(in, out, size, stride);
        else if (size % 3 == 0)
            pass<3>(in, out, size, stride);
        else if (size % 5 == 0)
            pass<5>(in, out, size, stride);
        else
            pass<7>(in, out, size, stride);
    }

    // A radix known at compile time unrolls the small transforms.
    template <std::size_t Radix>
    void pass(const std::complex<T>* in, std::complex<T>* out, std::size_t size,
              std::size_t stride) const {
        const std::size_t part = size / Radix;
        for (std::size_t k = 0; k < Radix; ++k)
            transform(in + k * stride, out + k * part, part, stride * Radix);
        std::array<std::complex<T>, Radix> small_roots, terms;
        for (std::size_t k = 0; k < Radix; ++k) small_roots[k] = roots_[k * part * stride];
        for (std::size_t j = 0; j < part; ++j) {
            for (std::size_t k = 0; k < Radix; ++k)
                terms[k] = out[j + k * part] * roots_[j * k * stride];
            for (std::size_t q = 0; q < Radix; ++q) {
                std::complex<T> sum = terms[0];
                for (std::size_t k = 1; k < Radix; ++k)
                    sum += terms[k] * small_roots[q * k % Radix];
                out[j + q * part] = sum;
            }
        }
    }

    Signal<T> roots_;
};

/// Both factors have the same length, which MixedRadix handles.
template <class T>
Signal<T> circular_convolution(const Signal<T>& a, const Signal<T>& b) {
    const MixedRadix<T> forward(a.size(), -1), backward(a.size(), 1);
    Signal<T> product = forward(a);
    const Signal<T> other = forward(b);
    const T scale = T(1) / static_cast<T>(a.size());
    for (std::size_t k = 0; k < product.size(); ++k) product[k] *= other[k] * scale;
    return backward(product);
}

std::size_t next_power_of_two(std::size_t size) {
    std::size_t power = 1;
    while (power < size) power *= 2;
    return power;
}

/// Bluestein's transform: any length as a convolution of a convenient one.
template <class T>
Signal<T> bluestein(const Signal<T>& in, T sign) {
    const std::size_t size = in.size(), padded = next_power_of_two(2 * size - 1);
    Signal<T> chirp(size), left(padded), right(padded);
    for (std::size_t k = 0; k < size; ++k) {
        // Reduced first: the square of a large index would cost the angle its precision.
        const auto square = static_cast<T>(k * k % (2 * size));
        chirp[k] = std::polar(T(1), sign * pi<T> * square / static_cast<T>(size));
        left[k] = in[k] * chirp[k];
        right[k] = right[(padded - k) % padded] = std::conj(chirp[k]);
    }
    Signal<T> result = circular_convolution(left, right);
    result.resize(size);
    for (std::size_t k = 0; k < size; ++k) result[k] *= chirp[k];
    return result;
}

}  // namespace

template <class T>
std::vector<std::complex<T>> fft(const std::vector<std::complex<T>>& signal, Direction direction) {
    if (signal.empty()) return {};
    const T sign = direction == Direction::forward ? -1 : 1;
    const std::size_t size = signal.size();
    Signal<T> result =
        MixedRadix<T>::handles(size) ? MixedRadix<T>(size, sign)(signal) : bluestein(signal, sign);
    if (direction == Direction::inverse)
        for (auto& value : result) value /= static_cast<T>(size);
    return result;
}

template <class T>
std::vector<T> power_spectrum(const std::vector<T>& signal) {
    if (signal.empty()) throw std::invalid_argument("the signal is empty");
    const Signal<T> spectrum = fft(Signal<T>(signal.begin(), signal.end()), Direction::forward);
    std::vector<T> result(signal.size() / 2 + 1);
    for (std::size_t k = 0; k < result.size(); ++k) result[k] = std::norm(spectrum[k]);
    return result;
}

template <class T>
std::vector<T> convolve(const std::vector<T>& a, const std::vector<T>& b) {
    if (a.empty() || b.empty()) return {};
    Signal<T> left(a.begin(), a.end()), right(b.begin(), b.end());
    const std::size_t size = a.size() + b.size() - 1;
    left.resize(next_power_of_two(size));
    right.resize(left.size());
    const Signal<T> product = circular_convolution(left, right);
    std::vector<T> result(size);
    for (std::size_t k = 0; k < size; ++k) result[k] = product[k].real();
    return result;
}

#define WARMDEMO_INSTANTIATE(T)                                                                \
    template std::vector<std::complex<T>> fft(const std::vector<std::complex<T>>&, Direction); \
    template std::vector<T> power_spectrum(const std::vector<T>&);                             \
    template std::vector<T> convolve(const std::vector<T>&, const std::vector<T>&);

WARMDEMO_INSTANTIATE(float)
WARMDEMO_INSTANTIATE(double)
WARMDEMO_INSTANTIATE(long double)

}  // namespace warmdemo
