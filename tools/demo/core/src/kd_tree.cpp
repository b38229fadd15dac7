#include "warmdemo/kd_tree.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <type_traits>

namespace warmdemo {
namespace {

template <class T, std::size_t Dim>
void require_finite(const std::array<T, Dim>& point) {
    if constexpr (std::is_floating_point_v<T>)
        if (!std::all_of(point.begin(), point.end(), [](T x) { return std::isfinite(x); }))
            throw std::invalid_argument("coordinates must be finite");
}

template <class T, std::size_t Dim>
double squared_distance(const std::array<T, Dim>& a, const std::array<T, Dim>& b) {
    double sum = 0;
    for (std::size_t axis = 0; axis < Dim; ++axis) {
        const double difference = static_cast<double>(a[axis]) - static_cast<double>(b[axis]);
        sum += difference * difference;
    }
    return sum;
}

bool closer(const Neighbour& a, const Neighbour& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.index < b.index;
}

}  // namespace

template <class T, std::size_t Dim>
KdTree<T, Dim>::KdTree(std::vector<Point> points)
    : points_(std::move(points)), order_(points_.size()) {
    for (const Point& point : points_) require_finite(point);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    build<0>(0, order_.size());
}

template <class T, std::size_t Dim>
template <std::size_t Axis>
void KdTree<T, Dim>::build(std::size_t first, std::size_t last) {
    if (last - first < 2) return;
    const std::size_t middle = first + (last - first) / 2;
    const auto at = [this](std::size_t i) {
        return order_.begin() + static_cast<std::ptrdiff_t>(i);
    };
    std::nth_element(at(first), at(middle), at(last), [this](std::size_t a, std::size_t b) {
        return points_[a][Axis] < points_[b][Axis];
    });
    build<(Axis + 1) % Dim>(first, middle);
    build<(Axis + 1) % Dim>(middle + 1, last);
}

template <class T, std::size_t Dim>
std::vector<Neighbour> KdTree<T, Dim>::nearest(const Point& query, std::size_t count) const {
    require_finite(query);
    std::vector<Neighbour> heap;
    if (count > 0) search<0>(0, order_.size(), query, count, heap);
    std::sort_heap(heap.begin(), heap.end(), closer);
    for (Neighbour& neighbour : heap) neighbour.distance = std::sqrt(neighbour.distance);
    return heap;
}

template <class T, std::size_t Dim>
template <std::size_t Axis>
void KdTree<T, Dim>::search(std::size_t first, std::size_t last, const Point& query,
                            std::size_t count, std::vector<Neighbour>& heap) const {
    if (first == last) return;
    const std::size_t middle = first + (last - first) / 2, index = order_[middle];
    const Neighbour candidate{index, squared_distance(points_[index], query)};
    // The heap's front is the worst of the best so far; its distances are still squared.
    if (heap.size() < count || closer(candidate, heap.front())) {
        if (heap.size() == count) {
            std::pop_heap(heap.begin(), heap.end(), closer);
            heap.pop_back();
        }
        heap.push_back(candidate);
        std::push_heap(heap.begin(), heap.end(), closer);
    }
    constexpr std::size_t next = (Axis + 1) % Dim;
    const double offset =
        static_cast<double>(query[Axis]) - static_cast<double>(points_[index][Axis]);
    const bool left_first = offset < 0;
    if (left_first)
        search<next>(first, middle, query, count, heap);
    else
        search<next>(middle + 1, last, query, count, heap);
    if (heap.size() == count && offset * offset > heap.front().distance) return;
    if (left_first)
        search<next>(middle + 1, last, query, count, heap);
    else
        search<next>(first, middle, query, count, heap);
}

template <class T, std::size_t Dim>
template <std::size_t Axis, class Contains>
void KdTree<T, Dim>::collect(std::size_t first, std::size_t last,
                             const std::array<double, Dim>& low,
                             const std::array<double, Dim>& high, const Contains& contains,
                             std::vector<std::size_t>& found) const {
    if (first == last) return;
    const std::size_t middle = first + (last - first) / 2, index = order_[middle];
    const auto split = static_cast<double>(points_[index][Axis]);
    constexpr std::size_t next = (Axis + 1) % Dim;
    if (contains(points_[index])) found.push_back(index);
    if (low[Axis] <= split) collect<next>(first, middle, low, high, contains, found);
    if (split <= high[Axis]) collect<next>(middle + 1, last, low, high, contains, found);
}

template <class T, std::size_t Dim>
std::vector<std::size_t> KdTree<T, Dim>::within(const Point& query, double radius) const {
    require_finite(query);
    if (!(radius >= 0)) throw std::invalid_argument("the radius must not be negative");
    std::array<double, Dim> low, high;
    for (std::size_t axis = 0; axis < Dim; ++axis) {
        low[axis] = static_cast<double>(query[axis]) - radius;
        high[axis] = static_cast<double>(query[axis]) + radius;
    }
    std::vector<std::size_t> found;
    const auto contains = [&](const Point& point) {
        return squared_distance(point, query) <= radius * radius;
    };
    collect<0>(0, order_.size(), low, high, contains, found);
    std::sort(found.begin(), found.end());
    return found;
}

#define WARMDEMO_INSTANTIATE(T)  \
    template class KdTree<T, 2>; \
    template class KdTree<T, 3>; \
    template class KdTree<T, 4>; \
    template class KdTree<T, 5>; \
    template class KdTree<T, 6>;

WARMDEMO_INSTANTIATE(float)
WARMDEMO_INSTANTIATE(double)
WARMDEMO_INSTANTIATE(std::int32_t)
WARMDEMO_INSTANTIATE(std::int64_t)

}  // namespace warmdemo
