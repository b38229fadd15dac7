#pragma once

#include <cstddef>
#include <vector>

namespace warmdemo {

/// A merging t-digest (Dunning): approximate quantiles of a stream in bounded memory, sharpest at
/// both ends.
template <class T>
class QuantileSketch {
public:
    explicit QuantileSketch(double compression = 100);

    void add(T value, double weight = 1);
    void merge(const QuantileSketch& other);

    double total_weight() const noexcept { return total_; }

    /// These settle what was added since the last question, and so are not const.
    std::size_t centroid_count();
    T quantile(double q);
    double cumulative(T value);

private:
    struct Centroid {
        T mean;
        double weight;
    };

    /// A point of the piecewise linear distribution function.
    struct Knot {
        T value;
        double weight_below;
    };

    void compress();
    std::vector<Knot> knots();

    double compression_;
    double total_ = 0;
    T minimum_{};
    T maximum_{};
    std::vector<Centroid> centroids_;
    std::vector<Centroid> pending_;
};

}  // namespace warmdemo
