#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace warmdemo {

/// What the standard library asks of a source of random bits.
template <class Word>
struct EngineBase {
    using result_type = Word;
    static constexpr Word min() noexcept { return 0; }
    static constexpr Word max() noexcept { return std::numeric_limits<Word>::max(); }
};

/// Steele's, Lea's and Flood's SplitMix64.
class SplitMix64 : public EngineBase<std::uint64_t> {
public:
    explicit SplitMix64(std::uint64_t seed) noexcept : state_(seed) {}

    result_type operator()() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }

private:
    std::uint64_t state_;
};

/// O'Neill's PCG-XSH-RR with 64 bits of state.
class Pcg32 : public EngineBase<std::uint32_t> {
public:
    explicit Pcg32(std::uint64_t seed, std::uint64_t stream = 54) noexcept
        : increment_(stream << 1 | 1) {
        (*this)();
        state_ += seed;
        (*this)();
    }

    result_type operator()() noexcept {
        const std::uint64_t old = state_;
        state_ = old * 6364136223846793005u + increment_;
        const auto mixed = static_cast<std::uint32_t>((old >> 18 ^ old) >> 27);
        const auto turn = static_cast<unsigned>(old >> 59);
        return mixed >> turn | mixed << ((32 - turn) & 31);
    }

private:
    std::uint64_t state_ = 0;
    std::uint64_t increment_;
};

/// Blackman's and Vigna's xoshiro256**.
class Xoshiro256 : public EngineBase<std::uint64_t> {
public:
    explicit Xoshiro256(std::uint64_t seed) noexcept {
        // Its authors' advice: a seed of few bits set must not become a state of few bits set.
        SplitMix64 seeder(seed);
        for (std::uint64_t& word : state_) word = seeder();
    }

    result_type operator()() noexcept {
        const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9, shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate_left(state_[3], 45);
        return result;
    }

private:
    static constexpr std::uint64_t rotate_left(std::uint64_t x, int k) noexcept {
        return x << k | x >> (64 - k);
    }

    std::array<std::uint64_t, 4> state_;
};

}  // namespace warmdemo
