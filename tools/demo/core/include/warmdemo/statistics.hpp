#pragma once

#include <cstddef>
#include <vector>

namespace warmdemo {

/// Moments of a sample. The variance is the unbiased one, the kurtosis is in excess of the
/// normal's.
template <class T>
struct Summary {
    std::size_t count;
    T minimum;
    T maximum;
    double mean;
    double variance;
    double skewness;
    double kurtosis;
};

template <class T>
Summary<T> summarize(const std::vector<T>& values);

/// The quantile by linear interpolation between order statistics (Hyndman and Fan's type 7).
template <class T>
double quantile(std::vector<T> values, double q);

/// All the most frequent values, in ascending order.
template <class T>
std::vector<T> modes(const std::vector<T>& values);

/// The median of every full window of the given width.
template <class T>
std::vector<double> moving_median(const std::vector<T>& values, std::size_t width);

/// Ranks from 1; equal values share the mean of their ranks.
template <class T>
std::vector<double> ranks(const std::vector<T>& values);

/// Pearson's correlation coefficient.
template <class T>
double correlation(const std::vector<T>& x, const std::vector<T>& y);

/// Spearman's rank correlation coefficient.
template <class T>
double rank_correlation(const std::vector<T>& x, const std::vector<T>& y);

}  // namespace warmdemo
