#pragma once

#include <complex>
#include <cstddef>
#include <utility>
#include <vector>

namespace warmdemo {

/// A polynomial with real coefficients, the constant one first.
template <class T>
class Polynomial {
public:
    explicit Polynomial(std::vector<T> coefficients);
    static Polynomial from_roots(const std::vector<T>& roots);

    const std::vector<T>& coefficients() const noexcept { return coefficients_; }
    std::size_t degree() const noexcept { return coefficients_.size() - 1; }

    T operator()(T x) const;
    std::complex<T> operator()(std::complex<T> x) const;

    Polynomial operator+(const Polynomial& other) const;
    Polynomial operator*(const Polynomial& other) const;
    Polynomial derivative() const;

    /// Quotient and remainder; std::domain_error for the zero divisor.
    std::pair<Polynomial, Polynomial> divide(const Polynomial& divisor) const;

    /// All the complex roots, by Aberth's and Ehrlich's simultaneous iteration, sorted by real and
    /// then imaginary part.
    std::vector<std::complex<T>> roots() const;

private:
    std::vector<T> coefficients_;
};

}  // namespace warmdemo
