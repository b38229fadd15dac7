#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace warmdemo {

struct Number {
    long double value;
};

template <class Char>
struct Name {
    std::basic_string<Char> text;
};

template <class Char>
struct Operator {
    Char symbol;
};

template <class Char>
using Token = std::variant<Number, Name<Char>, Operator<Char>>;

/// Splits a formula; std::invalid_argument at the first character that belongs to no token.
template <class Char>
std::vector<Token<Char>> tokenize(std::basic_string_view<Char> text);

}  // namespace warmdemo
