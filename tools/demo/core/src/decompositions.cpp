#include "warmdemo/decompositions.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <optional>

namespace warmdemo {
namespace {

template <class T>
struct RealOf {
    using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
    using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;

/// std::conj would make a real number complex.
template <class T>
T conjugate(const T& value) {
    return value;
}
template <class T>
std::complex<T> conjugate(const std::complex<T>& value) {
    return std::conj(value);
}

template <class T>
void require_square(const Matrix<T>& a) {
    if (a.rows() == 0 || a.rows() != a.columns())
        throw std::invalid_argument("the matrix must be square");
}

/// Below this a pivot is rounding noise.
template <class T>
Real<T> noise(const Matrix<T>& a) {
    Real<T> largest = 0;
    for (std::size_t i = 0; i < a.rows(); ++i)
        for (std::size_t j = 0; j < a.columns(); ++j)
            largest = std::max(largest, std::abs(a(i, j)));
    return largest * std::numeric_limits<Real<T>>::epsilon() * static_cast<Real<T>>(a.rows());
}

/// Makes the matrix upper triangular, doing the same to b. Returns the sign of the row exchanges,
/// or nothing if a column has no pivot.
template <class T>
std::optional<int> eliminate(Matrix<T>& a, std::vector<T>& b) {
    const std::size_t n = a.rows();
    const Real<T> tolerance = noise(a);
    int sign = 1;
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k + 1; i < n; ++i)
            if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
        if (!(std::abs(a(pivot, k)) > tolerance)) return std::nullopt;
        if (pivot != k) {
            a.swap_rows(pivot, k);
            std::swap(b[pivot], b[k]);
            sign = -sign;
        }
        for (std::size_t i = k + 1; i < n; ++i) {
            const T factor = a(i, k) / a(k, k);
            for (std::size_t j = k; j < n; ++j) a(i, j) -= factor * a(k, j);
            b[i] -= factor * b[k];
        }
    }
    return sign;
}

template <class T>
std::vector<T> back_substitute(const Matrix<T>& upper, const std::vector<T>& b) {
    std::vector<T> x(upper.columns());
    for (std::size_t i = x.size(); i-- > 0;) {
        T rest = b[i];
        for (std::size_t j = i + 1; j < x.size(); ++j) rest -= upper(i, j) * x[j];
        x[i] = rest / upper(i, i);
    }
    return x;
}

}  // namespace

template <class T>
T determinant(Matrix<T> a) {
    require_square(a);
    std::vector<T> ignored(a.rows());
    const auto sign = eliminate(a, ignored);
    if (!sign) return T(0);
    T result(static_cast<Real<T>>(*sign));
    for (std::size_t k = 0; k < a.rows(); ++k) result *= a(k, k);
    return result;
}

template <class T>
std::vector<T> solve(Matrix<T> a, std::vector<T> b) {
    require_square(a);
    if (b.size() != a.rows()) throw std::invalid_argument("the right-hand side has a wrong length");
    if (!eliminate(a, b)) throw std::domain_error("the matrix is singular");
    return back_substitute(a, b);
}

template <class T>
std::vector<T> least_squares(Matrix<T> a, std::vector<T> b) {
    const std::size_t rows = a.rows(), columns = a.columns();
    if (columns == 0 || rows < columns || b.size() != rows)
        throw std::invalid_argument("least squares need at least as many equations as unknowns");
    const Real<T> tolerance = noise(a);
    std::vector<T> v(rows);
    for (std::size_t k = 0; k < columns; ++k) {
        Real<T> norm2 = 0;
        for (std::size_t i = k; i < rows; ++i) norm2 += std::norm(v[i] = a(i, k));
        const Real<T> norm = std::sqrt(norm2);
        if (!(norm > tolerance)) throw std::domain_error("the columns are linearly dependent");
        // The sign that avoids cancellation.
        const Real<T> size = std::abs(v[k]);
        const T phase = size > 0 ? v[k] / size : T(1);
        v[k] += phase * norm;
        const Real<T> factor = 1 / (norm * (norm + size));
        const auto reflect = [&](const auto& entry) {
            T product(0);
            for (std::size_t i = k; i < rows; ++i) product += conjugate(v[i]) * entry(i);
            for (std::size_t i = k; i < rows; ++i) entry(i) -= product * factor * v[i];
        };
        for (std::size_t j = k; j < columns; ++j)
            reflect([&](std::size_t i) -> T& { return a(i, j); });
        reflect([&](std::size_t i) -> T& { return b[i]; });
    }
    return back_substitute(a, b);
}

#define WARMDEMO_INSTANTIATE(T)                               \
    template T determinant(Matrix<T>);                        \
    template std::vector<T> solve(Matrix<T>, std::vector<T>); \
    template std::vector<T> least_squares(Matrix<T>, std::vector<T>);

WARMDEMO_INSTANTIATE(float)
WARMDEMO_INSTANTIATE(double)
WARMDEMO_INSTANTIATE(long double)
WARMDEMO_INSTANTIATE(std::complex<float>)
WARMDEMO_INSTANTIATE(std::complex<double>)

}  // namespace warmdemo
