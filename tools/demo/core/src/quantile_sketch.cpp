#include "warmdemo/quantile_sketch.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace warmdemo {
namespace {

constexpr double pi = 3.14159265358979323846;

/// Linear interpolation that hits both ends exactly.
template <class T>
T between(T low, T high, double share) {
    if (!(share > 0)) return low;
    if (share >= 1) return high;
    return low + static_cast<T>(share) * (high - low);
}

}  // namespace

template <class T>
QuantileSketch<T>::QuantileSketch(double compression) : compression_(compression) {
    if (!(compression >= 10 && compression <= 1e6))
        throw std::invalid_argument("the compression must be from 10 to 1e6");
}

template <class T>
void QuantileSketch<T>::add(T value, double weight) {
    if (!std::isfinite(value)) throw std::invalid_argument("the value must be finite");
    if (!(weight > 0 && std::isfinite(weight)))
        throw std::invalid_argument("the weight must be positive");
    minimum_ = total_ == 0 ? value : std::min(minimum_, value);
    maximum_ = total_ == 0 ? value : std::max(maximum_, value);
    total_ += weight;
    pending_.push_back({value, weight});
    if (static_cast<double>(pending_.size()) > 8 * compression_) compress();
}

template <class T>
void QuantileSketch<T>::merge(const QuantileSketch& other) {
    if (other.total_ == 0) return;
    minimum_ = total_ == 0 ? other.minimum_ : std::min(minimum_, other.minimum_);
    maximum_ = total_ == 0 ? other.maximum_ : std::max(maximum_, other.maximum_);
    total_ += other.total_;
    // By index, since a sketch may be merged into itself.
    for (const auto* part : {&other.centroids_, &other.pending_})
        for (std::size_t i = 0, size = part->size(); i < size; ++i) {
            const Centroid copy = (*part)[i];
            pending_.push_back(copy);
        }
    compress();
}

template <class T>
void QuantileSketch<T>::compress() {
    if (pending_.empty()) return;
    pending_.insert(pending_.end(), centroids_.begin(), centroids_.end());
    std::sort(pending_.begin(), pending_.end(),
              [](const Centroid& a, const Centroid& b) { return a.mean < b.mean; });
    // The scale function lets a centroid span little of the distribution near its ends.
    const auto weight_limit = [this](double below) {
        const double scale = compression_ / (2 * pi);
        const double k = scale * std::asin(2 * std::min(1.0, below / total_) - 1) + 1;
        return k >= compression_ / 4 ? total_ : total_ * (std::sin(k / scale) + 1) / 2;
    };
    centroids_.assign(1, pending_.front());
    double below = 0, limit = weight_limit(0);
    for (auto it = pending_.begin() + 1; it != pending_.end(); ++it) {
        Centroid& last = centroids_.back();
        if (below + last.weight + it->weight <= limit) {
            last.weight += it->weight;
            last.mean += (it->mean - last.mean) * static_cast<T>(it->weight / last.weight);
        } else {
            below += last.weight;
            limit = weight_limit(below);
            centroids_.push_back(*it);
        }
    }
    pending_.clear();
}

template <class T>
std::size_t QuantileSketch<T>::centroid_count() {
    compress();
    return centroids_.size();
}

template <class T>
auto QuantileSketch<T>::knots() -> std::vector<Knot> {
    if (total_ == 0) throw std::domain_error("the sketch is empty");
    compress();
    // Half of a centroid's weight lies below its mean.
    std::vector<Knot> result{{minimum_, 0}};
    double below = 0;
    for (const auto& [mean, weight] : centroids_) {
        result.push_back({std::clamp(mean, minimum_, maximum_), below + weight / 2});
        below += weight;
    }
    result.push_back({maximum_, total_});
    return result;
}

template <class T>
T QuantileSketch<T>::quantile(double q) {
    if (!(q >= 0 && q <= 1)) throw std::invalid_argument("q must be from 0 to 1");
    const auto points = knots();
    const double target = q * total_;
    const auto right =
        std::lower_bound(points.begin() + 1, points.end() - 1, target,
                         [](const Knot& knot, double w) { return knot.weight_below < w; });
    const auto left = right - 1;
    const double width = right->weight_below - left->weight_below;
    return between(left->value, right->value, (target - left->weight_below) / width);
}

template <class T>
double QuantileSketch<T>::cumulative(T value) {
    const auto points = knots();
    if (value < minimum_) return 0;
    if (value >= maximum_) return 1;
    const auto right = std::upper_bound(points.begin(), points.end(), value,
                                        [](T v, const Knot& knot) { return v < knot.value; });
    const auto left = right - 1;
    const auto share = static_cast<double>((value - left->value) / (right->value - left->value));
    return between(left->weight_below, right->weight_below, share) / total_;
}

template class QuantileSketch<float>;
template class QuantileSketch<double>;
template class QuantileSketch<long double>;

}  // namespace warmdemo
