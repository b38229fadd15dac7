#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace warmdemo {

struct Neighbour {
    std::size_t index;
    double distance;
};

/// A static k-d tree. It has no nodes: the points' indices are ordered so that the middle of every
/// range splits it, which keeps a search inside two arrays.
template <class T, std::size_t Dim>
class KdTree {
public:
    using Point = std::array<T, Dim>;

    explicit KdTree(std::vector<Point> points);

    std::size_t size() const noexcept { return points_.size(); }

    /// The nearest points, closest first; equal distances are ordered by index.
    std::vector<Neighbour> nearest(const Point& query, std::size_t count) const;

    /// Indices of the points at most this far away, in ascending order.
    std::vector<std::size_t> within(const Point& query, double radius) const;

private:
    // The axis is a template parameter, so that comparisons along it inline.
    template <std::size_t Axis>
    void build(std::size_t first, std::size_t last);

    template <std::size_t Axis>
    void search(std::size_t first, std::size_t last, const Point& query, std::size_t count,
                std::vector<Neighbour>& heap) const;

    template <std::size_t Axis, class Contains>
    void collect(std::size_t first, std::size_t last, const std::array<double, Dim>& low,
                 const std::array<double, Dim>& high, const Contains& contains,
                 std::vector<std::size_t>& found) const;

    std::vector<Point> points_;
    std::vector<std::size_t> order_;
};

}  // namespace warmdemo
