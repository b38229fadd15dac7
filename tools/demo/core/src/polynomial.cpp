#include "warmdemo/polynomial.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

namespace warmdemo {
namespace {

template <class T, class X>
X horner(const std::vector<T>& coefficients, X x) {
    X sum(0);
    for (auto it = coefficients.rbegin(); it != coefficients.rend(); ++it) sum = sum * x + *it;
    return sum;
}

}  // namespace

template <class T>
Polynomial<T>::Polynomial(std::vector<T> coefficients) : coefficients_(std::move(coefficients)) {
    while (!coefficients_.empty() && coefficients_.back() == 0) coefficients_.pop_back();
    if (coefficients_.empty()) coefficients_.push_back(T(0));
}

template <class T>
Polynomial<T> Polynomial<T>::from_roots(const std::vector<T>& roots) {
    Polynomial result({T(1)});
    for (const T root : roots) result = result * Polynomial({-root, T(1)});
    return result;
}

template <class T>
T Polynomial<T>::operator()(T x) const {
    return horner(coefficients_, x);
}

template <class T>
std::complex<T> Polynomial<T>::operator()(std::complex<T> x) const {
    return horner(coefficients_, x);
}

template <class T>
Polynomial<T> Polynomial<T>::operator+(const Polynomial& other) const {
    std::vector<T> sum(std::max(coefficients_.size(), other.coefficients_.size()));
    std::copy(coefficients_.begin(), coefficients_.end(), sum.begin());
    std::transform(other.coefficients_.begin(), other.coefficients_.end(), sum.begin(), sum.begin(),
                   std::plus<T>());
    return Polynomial(std::move(sum));
}

template <class T>
Polynomial<T> Polynomial<T>::operator*(const Polynomial& other) const {
    std::vector<T> product(degree() + other.degree() + 1);
    for (std::size_t i = 0; i <= degree(); ++i)
        for (std::size_t j = 0; j <= other.degree(); ++j)
            product[i + j] += coefficients_[i] * other.coefficients_[j];
    return Polynomial(std::move(product));
}

template <class T>
Polynomial<T> Polynomial<T>::derivative() const {
    std::vector<T> result(degree());
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = coefficients_[i + 1] * static_cast<T>(i + 1);
    return Polynomial(std::move(result));
}

template <class T>
std::pair<Polynomial<T>, Polynomial<T>> Polynomial<T>::divide(const Polynomial& divisor) const {
    if (divisor.coefficients_.back() == 0)
        throw std::domain_error("division by the zero polynomial");
    std::vector<T> rest = coefficients_;
    if (degree() < divisor.degree()) return {Polynomial({T(0)}), *this};
    std::vector<T> quotient(degree() - divisor.degree() + 1);
    for (std::size_t k = quotient.size(); k-- > 0;) {
        quotient[k] = rest[k + divisor.degree()] / divisor.coefficients_.back();
        for (std::size_t j = 0; j <= divisor.degree(); ++j)
            rest[k + j] -= quotient[k] * divisor.coefficients_[j];
        rest.pop_back();  // zero but for rounding
    }
    return {Polynomial(std::move(quotient)), Polynomial(std::move(rest))};
}

template <class T>
std::vector<std::complex<T>> Polynomial<T>::roots() const {
    using Complex = std::complex<T>;
    constexpr T epsilon = std::numeric_limits<T>::epsilon();
    if (coefficients_.back() == 0) throw std::domain_error("every number is a root of zero");
    // Roots at zero are exact, and would spoil the estimate of the others' size.
    const auto lowest = std::find_if(coefficients_.begin(), coefficients_.end(),
                                     [](T coefficient) { return coefficient != 0; });
    const Polynomial reduced(std::vector<T>(lowest, coefficients_.end()));
    const Polynomial slope = reduced.derivative();
    std::vector<T> sizes(reduced.coefficients_);
    for (T& size : sizes) size = std::abs(size);
    const std::size_t n = reduced.degree();

    // On a circle of the roots' geometric mean, turned so that no start is another's conjugate.
    std::vector<Complex> z(n);
    for (std::size_t k = 0; k < n; ++k)
        z[k] =
            std::polar(std::pow(sizes.front() / sizes.back(), T(1) / static_cast<T>(n)),
                       T(6.28318530717958647693L) * static_cast<T>(k) / static_cast<T>(n) + T(0.4));

    constexpr int most_rounds = 500;
    std::vector<bool> settled(n);
    for (int round = 0; round < most_rounds; ++round) {
        for (std::size_t k = 0; k < n; ++k) {
            if (settled[k]) continue;
            const Complex value = reduced(z[k]);
            // No step can do better than the rounding errors of the value itself.
            if (std::abs(value) <= epsilon * horner(sizes, std::abs(z[k]))) {
                settled[k] = true;
                continue;
            }
            Complex correction = slope(z[k]) / value;
            for (std::size_t j = 0; j < n; ++j)
                if (z[j] != z[k]) correction -= T(1) / (z[k] - z[j]);
            z[k] -= T(1) / correction;
        }
        if (std::all_of(settled.begin(), settled.end(), [](bool done) { return done; })) break;
    }
    for (Complex& root : z) {
        const T noise = 64 * epsilon * std::abs(root);
        if (std::abs(root.real()) <= noise) root.real(0);
        if (std::abs(root.imag()) <= noise) root.imag(0);
    }
    z.resize(degree());
    std::sort(z.begin(), z.end(), [](const Complex& a, const Complex& b) {
        return a.real() != b.real() ? a.real() < b.real() : a.imag() < b.imag();
    });
    return z;
}

template class Polynomial<float>;
template class Polynomial<double>;
template class Polynomial<long double>;

}  // namespace warmdemo
