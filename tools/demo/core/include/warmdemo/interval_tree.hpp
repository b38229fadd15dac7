#pragma once

#include <cstddef>
#include <vector>

namespace warmdemo {

/// A closed interval.
template <class T>
struct Interval {
    T low;
    T high;
};

/// A static interval tree: intervals sorted by their low end, each range's middle augmented with
/// the highest end in the range.
template <class T>
class IntervalTree {
public:
    explicit IntervalTree(std::vector<Interval<T>> intervals);

    std::size_t size() const noexcept { return intervals_.size(); }

    /// Indices of the intervals that share a point with [low, high], in ascending order.
    std::vector<std::size_t> overlapping(T low, T high) const;

    /// The union as disjoint intervals, in ascending order.
    std::vector<Interval<T>> merged() const;

    /// The largest number of intervals that share one point.
    std::size_t depth() const;

private:
    T augment(std::size_t first, std::size_t last);
    void collect(std::size_t first, std::size_t last, T low, T high,
                 std::vector<std::size_t>& found) const;

    std::vector<Interval<T>> intervals_;
    std::vector<std::size_t> order_;
    std::vector<T> highest_;
};

}  // namespace warmdemo
