#include "warmdemo/random.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace warmdemo {
namespace {

template <class Engine>
std::uint64_t bits64(Engine& engine) {
    if constexpr (Engine::max() == std::numeric_limits<std::uint64_t>::max()) {
        return engine();
    } else {
        static_assert(Engine::max() == std::numeric_limits<std::uint32_t>::max());
        const std::uint64_t high = engine();
        return high << 32 | engine();
    }
}

void require(bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
}

template <class Draw>
auto repeat(std::size_t count, const Draw& draw) {
    std::vector<decltype(draw())> values(count);
    std::generate(values.begin(), values.end(), draw);
    return values;
}

}  // namespace

template <class Engine, class Real>
std::uint64_t Generator<Engine, Real>::below(std::uint64_t bound) {
    require(bound > 0, "the bound must be positive");
    // The first 2^64 mod bound words are refused: the others are a multiple of the bound.
    const std::uint64_t refused = (0 - bound) % bound;
    for (;;) {
        const std::uint64_t word = bits64(engine_);
        if (word >= refused) return word % bound;
    }
}

template <class Engine, class Real>
Real Generator<Engine, Real>::unit() {
    constexpr int digits = std::min(std::numeric_limits<Real>::digits, 64);
    return std::ldexp(static_cast<Real>(bits64(engine_) >> (64 - digits)), -digits);
}

template <class Engine, class Real>
Real Generator<Engine, Real>::standard_normal() {
    // Marsaglia's polar method; its second number is dropped to keep the state in the engine.
    for (;;) {
        const Real x = 2 * unit() - 1, y = 2 * unit() - 1, square = x * x + y * y;
        if (square > 0 && square < 1) return x * std::sqrt(-2 * std::log(square) / square);
    }
}

template <class Engine, class Real>
std::vector<Real> Generator<Engine, Real>::uniform(std::size_t count, Real low, Real high) {
    require(low < high, "the low end must be below the high end");
    return repeat(count, [&] { return low + unit() * (high - low); });
}

template <class Engine, class Real>
std::vector<Real> Generator<Engine, Real>::normal(std::size_t count, Real mean, Real deviation) {
    require(deviation >= 0, "the deviation must not be negative");
    return repeat(count, [&] { return mean + deviation * standard_normal(); });
}

template <class Engine, class Real>
std::vector<std::size_t> Generator<Engine, Real>::weighted(std::size_t count,
                                                           const std::vector<Real>& weights) {
    const Real total = std::accumulate(weights.begin(), weights.end(), Real(0));
    require(total > 0 && std::isfinite(total) &&
                std::all_of(weights.begin(), weights.end(), [](Real w) { return w >= 0; }),
            "weights must be finite, not negative, and not all zero");
    struct Column {
        Real share;
        std::size_t alias;
    };
    std::vector<Column> columns(weights.size());
    std::vector<std::size_t> small, large;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        columns[i] = {weights[i] / total * static_cast<Real>(weights.size()), i};
        (columns[i].share < 1 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
        const std::size_t poor = small.back(), rich = large.back();
        small.pop_back();
        columns[poor].alias = rich;
        columns[rich].share -= 1 - columns[poor].share;
        if (columns[rich].share < 1) {
            large.pop_back();
            small.push_back(rich);
        }
    }
    return repeat(count, [&] {
        const auto i = static_cast<std::size_t>(below(columns.size()));
        return unit() < columns[i].share ? i : columns[i].alias;
    });
}

template <class Engine, class Real>
std::vector<std::size_t> Generator<Engine, Real>::sample(std::size_t bound, std::size_t count) {
    require(count <= bound, "the sample is larger than what it is drawn from");
    // A shuffle that stops early, of an array of which only the moved places are kept.
    std::unordered_map<std::size_t, std::size_t> moved;
    const auto at = [&](std::size_t i) {
        const auto found = moved.find(i);
        return found == moved.end() ? i : found->second;
    };
    std::size_t next = 0;
    return repeat(count, [&] {
        const std::size_t chosen = next + static_cast<std::size_t>(below(bound - next));
        const std::size_t value = at(chosen);
        moved[chosen] = at(next++);
        return value;
    });
}

Random::Random(std::string_view engine, std::uint64_t seed) : generator_(make(engine, seed)) {}

auto Random::make(std::string_view engine, std::uint64_t seed) -> Any {
    if (engine == "pcg32") return Generator<Pcg32, double>(seed);
    if (engine == "splitmix64") return Generator<SplitMix64, double>(seed);
    if (engine == "xoshiro256") return Generator<Xoshiro256, double>(seed);
    if (engine == "mt19937_64") return Generator<std::mt19937_64, double>(seed);
    throw std::invalid_argument("unknown engine " + std::string(engine));
}

std::uint64_t Random::word() {
    return std::visit([](auto& g) { return g.word(); }, generator_);
}

std::uint64_t Random::below(std::uint64_t bound) {
    return std::visit([&](auto& g) { return g.below(bound); }, generator_);
}

std::vector<double> Random::uniform(std::size_t count, double low, double high) {
    return std::visit([&](auto& g) { return g.uniform(count, low, high); }, generator_);
}

std::vector<double> Random::normal(std::size_t count, double mean, double deviation) {
    return std::visit([&](auto& g) { return g.normal(count, mean, deviation); }, generator_);
}

std::vector<std::size_t> Random::weighted(std::size_t count, const std::vector<double>& weights) {
    return std::visit([&](auto& g) { return g.weighted(count, weights); }, generator_);
}

std::vector<std::size_t> Random::sample(std::size_t bound, std::size_t count) {
    return std::visit([&](auto& g) { return g.sample(bound, count); }, generator_);
}

#define WARMDEMO_INSTANTIATE(Engine)         \
    template class Generator<Engine, float>; \
    template class Generator<Engine, double>;

WARMDEMO_INSTANTIATE(Pcg32)
WARMDEMO_INSTANTIATE(SplitMix64)
WARMDEMO_INSTANTIATE(Xoshiro256)
WARMDEMO_INSTANTIATE(std::mt19937_64)

}  // namespace warmdemo
