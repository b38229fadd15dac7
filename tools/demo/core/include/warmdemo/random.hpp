#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <variant>
#include <vector>

#include "warmdemo/engines.hpp"

namespace warmdemo {

/// Distributions that do not depend on the standard library, as those of <random> do.
template <class Engine, class Real>
class Generator {
public:
    explicit Generator(std::uint64_t seed) : engine_(seed) {}

    /// The engine's next word.
    std::uint64_t word() { return engine_(); }
    /// An integer in [0, bound), without bias.
    std::uint64_t below(std::uint64_t bound);

    std::vector<Real> uniform(std::size_t count, Real low, Real high);
    std::vector<Real> normal(std::size_t count, Real mean, Real deviation);
    /// Indices drawn with these weights, by Vose's alias method.
    std::vector<std::size_t> weighted(std::size_t count, const std::vector<Real>& weights);
    /// This many different numbers below the bound, in random order.
    std::vector<std::size_t> sample(std::size_t bound, std::size_t count);

private:
    Real unit();
    Real standard_normal();

    Engine engine_;
};

/// A generator whose engine is chosen by name when the program runs.
class Random {
public:
    /// std::invalid_argument unless the engine is pcg32, splitmix64, xoshiro256 or mt19937_64.
    Random(std::string_view engine, std::uint64_t seed);

    std::uint64_t word();
    std::uint64_t below(std::uint64_t bound);
    std::vector<double> uniform(std::size_t count, double low, double high);
    std::vector<double> normal(std::size_t count, double mean, double deviation);
    std::vector<std::size_t> weighted(std::size_t count, const std::vector<double>& weights);
    std::vector<std::size_t> sample(std::size_t bound, std::size_t count);

private:
    using Any = std::variant<Generator<Pcg32, double>, Generator<SplitMix64, double>,
                             Generator<Xoshiro256, double>, Generator<std::mt19937_64, double>>;

    static Any make(std::string_view engine, std::uint64_t seed);

    Any generator_;
};

}  // namespace warmdemo
