#include "warmdemo/codec.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace warmdemo {
namespace {

/// A longer code would need more symbols than fit any memory.
constexpr unsigned longest_code = 63;

template <class Symbol>
std::map<Symbol, std::size_t> count(const std::vector<Symbol>& symbols) {
    std::map<Symbol, std::size_t> counts;
    for (const Symbol symbol : symbols) ++counts[symbol];
    return counts;
}

/// The symbols as the canonical code orders them: by length, then by value.
template <class Symbol>
std::vector<std::pair<unsigned, Symbol>> canonical_order(
    const std::map<Symbol, unsigned>& lengths) {
    std::vector<std::pair<unsigned, Symbol>> order;
    for (const auto& [symbol, length] : lengths) order.emplace_back(length, symbol);
    std::sort(order.begin(), order.end());
    return order;
}

template <class Symbol>
std::map<Symbol, unsigned> code_lengths(const std::map<Symbol, std::size_t>& counts) {
    // Leaves come first, in the order of their symbols; a parent comes after its children.
    using Entry = std::pair<std::size_t, std::size_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    for (const auto& [symbol, weight] : counts) queue.emplace(weight, queue.size());
    std::vector<std::size_t> parents(counts.size());
    while (queue.size() > 1) {
        const auto [weight_a, a] = queue.top();
        queue.pop();
        const auto [weight_b, b] = queue.top();
        queue.pop();
        parents[a] = parents[b] = parents.size();
        queue.emplace(weight_a + weight_b, parents.size());
        parents.push_back(0);
    }
    std::vector<unsigned> depths(parents.size());
    for (std::size_t node = parents.size(); node-- > 0;)
        if (node + 1 < parents.size()) depths[node] = depths[parents[node]] + 1;
    std::map<Symbol, unsigned> lengths;
    std::size_t leaf = 0;
    // A lone symbol is its own root, but still needs a bit.
    for (const auto& [symbol, weight] : counts)
        lengths.emplace_hint(lengths.end(), symbol, std::max(1u, depths[leaf++]));
    return lengths;
}

}  // namespace

template <class Symbol>
std::vector<Run<Symbol>> run_length_encode(const std::vector<Symbol>& symbols) {
    std::vector<Run<Symbol>> runs;
    for (auto first = symbols.begin(); first != symbols.end();) {
        const auto last = std::find_if(first, symbols.end(),
                                       [&](const Symbol& symbol) { return symbol != *first; });
        runs.push_back({*first, static_cast<std::size_t>(last - first)});
        first = last;
    }
    return runs;
}

template <class Symbol>
std::vector<Symbol> run_length_decode(const std::vector<Run<Symbol>>& runs) {
    std::vector<Symbol> symbols;
    for (const auto& [symbol, length] : runs) symbols.insert(symbols.end(), length, symbol);
    return symbols;
}

template <class Symbol>
Huffman<Symbol> huffman_encode(const std::vector<Symbol>& symbols) {
    Huffman<Symbol> result;
    if (symbols.empty()) return result;
    result.lengths = code_lengths(count(symbols));

    std::unordered_map<Symbol, std::pair<std::uint64_t, unsigned>> codes;
    std::uint64_t next = 0;
    unsigned previous = 0;
    for (const auto& [length, symbol] : canonical_order(result.lengths)) {
        next <<= length - previous;
        codes.emplace(symbol, std::pair(next++, length));
        previous = length;
    }
    for (const Symbol symbol : symbols) {
        const auto [code, length] = codes.at(symbol);
        for (unsigned bit = length; bit-- > 0; ++result.bit_count) {
            if (result.bit_count % 8 == 0) result.bytes.push_back(0);
            if (code >> bit & 1)
                result.bytes.back() |= static_cast<std::uint8_t>(0x80u >> result.bit_count % 8);
        }
    }
    return result;
}

template <class Symbol>
std::vector<Symbol> huffman_decode(const Huffman<Symbol>& encoded) {
    if (encoded.bit_count > encoded.bytes.size() * 8)
        throw std::invalid_argument("there are fewer bits than announced");
    const auto order = canonical_order(encoded.lengths);
    std::array<std::size_t, longest_code + 1> counts{};
    for (const auto& [length, symbol] : order) {
        if (length == 0 || length > longest_code)
            throw std::invalid_argument("a code has an impossible length");
        ++counts[length];
    }
    std::vector<Symbol> symbols;
    // Codes of one length are consecutive numbers, and so are their places in the order.
    std::uint64_t code = 0, first = 0;
    std::size_t offset = 0;
    unsigned length = 0;
    for (std::size_t i = 0; i < encoded.bit_count; ++i) {
        if (++length > longest_code) throw std::invalid_argument("the bits are no code");
        code = code << 1 | (encoded.bytes[i / 8] >> (7 - i % 8) & 1);
        first <<= 1;
        if (code >= first && code - first < counts[length]) {
            symbols.push_back(order[offset + static_cast<std::size_t>(code - first)].second);
            code = first = 0;
            offset = length = 0;
        } else {
            first += counts[length];
            offset += counts[length];
        }
    }
    if (length != 0) throw std::invalid_argument("the last code is cut off");
    return symbols;
}

#define WARMDEMO_INSTANTIATE(Symbol)                                                 \
    template std::vector<Run<Symbol>> run_length_encode(const std::vector<Symbol>&); \
    template std::vector<Symbol> run_length_decode(const std::vector<Run<Symbol>>&); \
    template Huffman<Symbol> huffman_encode(const std::vector<Symbol>&);             \
    template std::vector<Symbol> huffman_decode(const Huffman<Symbol>&);

WARMDEMO_INSTANTIATE(std::uint8_t)
WARMDEMO_INSTANTIATE(std::uint16_t)
WARMDEMO_INSTANTIATE(std::uint32_t)
WARMDEMO_INSTANTIATE(std::uint64_t)
WARMDEMO_INSTANTIATE(char16_t)
WARMDEMO_INSTANTIATE(char32_t)

}  // namespace warmdemo
