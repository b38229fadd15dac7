#include "warmdemo/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <type_traits>

namespace warmdemo {
namespace {

/// Sums are kept at least as wide as a double.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, long double>, long double, double>;

/// A NaN would break the order that sorting relies on.
template <class T>
void require_sample(const std::vector<T>& values) {
    if (values.empty()) throw std::invalid_argument("the sample is empty");
    if constexpr (std::is_floating_point_v<T>)
        if (std::any_of(values.begin(), values.end(), [](T v) { return std::isnan(v); }))
            throw std::invalid_argument("the sample contains NaN");
}

template <class T>
Wide<T> mean(const std::vector<T>& values) {
    return std::accumulate(values.begin(), values.end(), Wide<T>(0)) /
           static_cast<Wide<T>>(values.size());
}

}  // namespace

template <class T>
Summary<T> summarize(const std::vector<T>& values) {
    require_sample(values);
    // Pébay's update of central moments: plain sums of powers would cancel.
    Wide<T> n = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0;
    for (const T value : values) {
        const Wide<T> before = n;
        n += 1;
        const Wide<T> delta = static_cast<Wide<T>>(value) - mean;
        const Wide<T> step = delta / n, step2 = step * step;
        const Wide<T> term = delta * step * before;
        mean += step;
        m4 += term * step2 * (n * n - 3 * n + 3) + 6 * step2 * m2 - 4 * step * m3;
        m3 += term * step * (n - 2) - 3 * step * m2;
        m2 += term;
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const auto plain = [](Wide<T> value) { return static_cast<double>(value); };
    return {values.size(),
            *low,
            *high,
            plain(mean),
            values.size() > 1 ? plain(m2 / (n - 1)) : 0.0,
            m2 > 0 ? plain(std::sqrt(n) * m3 / std::pow(m2, Wide<T>(1.5))) : 0.0,
            m2 > 0 ? plain(n * m4 / (m2 * m2) - 3) : 0.0};
}

template <class T>
double quantile(std::vector<T> values, double q) {
    require_sample(values);
    if (!(q >= 0 && q <= 1)) throw std::invalid_argument("q must be from 0 to 1");
    const double position = q * static_cast<double>(values.size() - 1);
    const auto lower = values.begin() + static_cast<std::ptrdiff_t>(position);
    std::nth_element(values.begin(), lower, values.end());
    const double fraction = position - std::floor(position);
    if (fraction == 0) return static_cast<double>(*lower);
    // What follows the nth element is not smaller, so its minimum is the next one in order.
    const T upper = *std::min_element(lower + 1, values.end());
    return (1 - fraction) * static_cast<double>(*lower) + fraction * static_cast<double>(upper);
}

template <class T>
std::vector<T> modes(const std::vector<T>& values) {
    require_sample(values);
    std::map<T, std::size_t> counts;
    std::size_t most = 0;
    for (const T value : values) most = std::max(most, ++counts[value]);
    std::vector<T> result;
    for (const auto& [value, count] : counts)
        if (count == most) result.push_back(value);
    return result;
}

template <class T>
std::vector<double> moving_median(const std::vector<T>& values, std::size_t width) {
    require_sample(values);
    if (width == 0 || width > values.size())
        throw std::invalid_argument("the window must fit the sample");
    // The smaller half, which has the middle of an odd window, and the larger half.
    std::multiset<T> lower, upper;
    std::vector<double> result;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i >= width) {
            auto& half = lower.count(values[i - width]) ? lower : upper;
            half.erase(half.find(values[i - width]));
        }
        (!upper.empty() && *upper.begin() < values[i] ? upper : lower).insert(values[i]);
        while (lower.size() > upper.size() + 1) upper.insert(lower.extract(std::prev(lower.end())));
        while (lower.size() < upper.size()) lower.insert(upper.extract(upper.begin()));
        if (i + 1 < width) continue;
        const auto middle = static_cast<double>(*lower.rbegin());
        result.push_back(width % 2 ? middle : (middle + static_cast<double>(*upper.begin())) / 2);
    }
    return result;
}

template <class T>
std::vector<double> ranks(const std::vector<T>& values) {
    require_sample(values);
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> result(values.size());
    for (std::size_t first = 0, last; first < order.size(); first = last) {
        last = first + 1;
        while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
        for (std::size_t i = first; i < last; ++i)
            result[order[i]] = static_cast<double>(first + last + 1) / 2;
    }
    return result;
}

template <class T>
double correlation(const std::vector<T>& x, const std::vector<T>& y) {
    require_sample(x);
    require_sample(y);
    if (x.size() != y.size()) throw std::invalid_argument("the samples differ in length");
    const Wide<T> mean_x = mean(x), mean_y = mean(y);
    Wide<T> xx = 0, xy = 0, yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto dx = static_cast<Wide<T>>(x[i]) - mean_x;
        const auto dy = static_cast<Wide<T>>(y[i]) - mean_y;
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    if (!(xx > 0 && yy > 0)) throw std::domain_error("a sample is constant");
    return static_cast<double>(xy / (std::sqrt(xx) * std::sqrt(yy)));
}

template <class T>
double rank_correlation(const std::vector<T>& x, const std::vector<T>& y) {
    return correlation(ranks(x), ranks(y));
}

#define WARMDEMO_INSTANTIATE(T)                                                     \
    template Summary<T> summarize(const std::vector<T>&);                           \
    template double quantile(std::vector<T>, double);                               \
    template std::vector<T> modes(const std::vector<T>&);                           \
    template std::vector<double> moving_median(const std::vector<T>&, std::size_t); \
    template std::vector<double> ranks(const std::vector<T>&);                      \
    template double correlation(const std::vector<T>&, const std::vector<T>&);      \
    template double rank_correlation(const std::vector<T>&, const std::vector<T>&);

WARMDEMO_INSTANTIATE(float)
WARMDEMO_INSTANTIATE(double)
WARMDEMO_INSTANTIATE(long double)
WARMDEMO_INSTANTIATE(std::uint8_t)
WARMDEMO_INSTANTIATE(std::int16_t)
WARMDEMO_INSTANTIATE(std::int32_t)
WARMDEMO_INSTANTIATE(std::int64_t)

}  // namespace warmdemo
