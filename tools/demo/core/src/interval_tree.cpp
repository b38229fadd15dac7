#include "warmdemo/interval_tree.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <stdexcept>

namespace warmdemo {

template <class T>
IntervalTree<T>::IntervalTree(std::vector<Interval<T>> intervals)
    : intervals_(std::move(intervals)), order_(intervals_.size()), highest_(intervals_.size()) {
    // Written so that NaN fails too.
    for (const auto& [low, high] : intervals_)
        if (!(low <= high))
            throw std::invalid_argument("an interval must not end before it begins");
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [this](std::size_t a, std::size_t b) {
        return intervals_[a].low < intervals_[b].low;
    });
    if (!order_.empty()) augment(0, order_.size());
}

template <class T>
T IntervalTree<T>::augment(std::size_t first, std::size_t last) {
    const std::size_t middle = first + (last - first) / 2;
    T highest = intervals_[order_[middle]].high;
    if (first < middle) highest = std::max(highest, augment(first, middle));
    if (middle + 1 < last) highest = std::max(highest, augment(middle + 1, last));
    return highest_[middle] = highest;
}

template <class T>
std::vector<std::size_t> IntervalTree<T>::overlapping(T low, T high) const {
    if (!(low <= high)) throw std::invalid_argument("an interval must not end before it begins");
    std::vector<std::size_t> found;
    collect(0, order_.size(), low, high, found);
    std::sort(found.begin(), found.end());
    return found;
}

template <class T>
void IntervalTree<T>::collect(std::size_t first, std::size_t last, T low, T high,
                              std::vector<std::size_t>& found) const {
    if (first == last) return;
    const std::size_t middle = first + (last - first) / 2, index = order_[middle];
    if (highest_[middle] < low) return;
    collect(first, middle, low, high, found);
    // From here on everything begins later.
    if (high < intervals_[index].low) return;
    if (low <= intervals_[index].high) found.push_back(index);
    collect(middle + 1, last, low, high, found);
}

template <class T>
std::vector<Interval<T>> IntervalTree<T>::merged() const {
    std::vector<Interval<T>> result;
    for (const std::size_t index : order_) {
        const Interval<T>& interval = intervals_[index];
        if (result.empty() || result.back().high < interval.low)
            result.push_back(interval);
        else
            result.back().high = std::max(result.back().high, interval.high);
    }
    return result;
}

template <class T>
std::size_t IntervalTree<T>::depth() const {
    struct Change {
        std::size_t begins = 0;
        std::size_t ends = 0;
    };
    std::map<T, Change> changes;
    for (const auto& [low, high] : intervals_) {
        ++changes[low].begins;
        ++changes[high].ends;
    }
    // The intervals are closed: at a point, what begins counts before what ends is gone.
    std::size_t open = 0, deepest = 0;
    for (const auto& [point, change] : changes) {
        open += change.begins;
        deepest = std::max(deepest, open);
        open -= change.ends;
    }
    return deepest;
}

template class IntervalTree<float>;
template class IntervalTree<double>;
template class IntervalTree<long double>;
template class IntervalTree<std::int32_t>;
template class IntervalTree<std::int64_t>;
template class IntervalTree<std::uint64_t>;

}  // namespace warmdemo
