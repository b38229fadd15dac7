#pragma once

#include <vector>

#include "warmdemo/matrix.hpp"

namespace warmdemo {

/// The determinant, by elimination with partial pivoting.
template <class T>
T determinant(Matrix<T> a);

/// Solves a x = b for a square matrix; std::domain_error if it is singular.
template <class T>
std::vector<T> solve(Matrix<T> a, std::vector<T> b);

/// The x that minimises |a x - b|, by Householder's QR decomposition.
template <class T>
std::vector<T> least_squares(Matrix<T> a, std::vector<T> b);

}  // namespace warmdemo
