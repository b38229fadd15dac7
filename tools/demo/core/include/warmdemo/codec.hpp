#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace warmdemo {

template <class Symbol>
struct Run {
    Symbol symbol;
    std::size_t length;
};

template <class Symbol>
std::vector<Run<Symbol>> run_length_encode(const std::vector<Symbol>& symbols);

template <class Symbol>
std::vector<Symbol> run_length_decode(const std::vector<Run<Symbol>>& runs);

/// A canonical Huffman code's lengths say everything about it, so the codes are not kept.
template <class Symbol>
struct Huffman {
    std::map<Symbol, unsigned> lengths;
    std::size_t bit_count = 0;
    std::vector<std::uint8_t> bytes;
};

template <class Symbol>
Huffman<Symbol> huffman_encode(const std::vector<Symbol>& symbols);

/// std::invalid_argument if the bits are not a sequence of whole codes.
template <class Symbol>
std::vector<Symbol> huffman_decode(const Huffman<Symbol>& encoded);

}  // namespace warmdemo
