#pragma once

#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

namespace warmdemo {

/// A dense matrix in row-major order.
template <class T>
class Matrix {
public:
    Matrix(std::size_t rows, std::size_t columns)
        : rows_(rows), columns_(columns), entries_(rows * columns) {}

    static Matrix identity(std::size_t size) {
        Matrix result(size, size);
        for (std::size_t i = 0; i < size; ++i) result(i, i) = T(1);
        return result;
    }

    static Matrix from_rows(const std::vector<std::vector<T>>& rows) {
        Matrix result(rows.size(), rows.empty() ? 0 : rows.front().size());
        for (std::size_t i = 0; i < result.rows_; ++i) {
            if (rows[i].size() != result.columns_)
                throw std::invalid_argument("the rows of a matrix must have equal lengths");
            for (std::size_t j = 0; j < result.columns_; ++j) result(i, j) = rows[i][j];
        }
        return result;
    }

    std::size_t rows() const noexcept { return rows_; }
    std::size_t columns() const noexcept { return columns_; }

    T& operator()(std::size_t i, std::size_t j) { return entries_[i * columns_ + j]; }
    const T& operator()(std::size_t i, std::size_t j) const { return entries_[i * columns_ + j]; }

    void swap_rows(std::size_t a, std::size_t b) {
        using std::swap;
        for (std::size_t j = 0; j < columns_; ++j) swap((*this)(a, j), (*this)(b, j));
    }

private:
    std::size_t rows_;
    std::size_t columns_;
    std::vector<T> entries_;
};

}  // namespace warmdemo
