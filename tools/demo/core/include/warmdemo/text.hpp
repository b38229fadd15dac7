#pragma once

#include <locale>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace warmdemo {

/// A regular expression written in ASCII, which every character type contains.
template <class Char>
std::basic_regex<Char> pattern(std::string_view ascii) {
    return std::basic_regex<Char>(
        std::basic_string<Char>(ascii.begin(), ascii.end()),
        std::regex_constants::ECMAScript | std::regex_constants::optimize);
}

/// Reads a number whatever the process's locale, which may well want a comma for the point.
template <class Value, class Char>
Value read_number(const std::basic_string<Char>& text) {
    std::basic_istringstream<Char> stream(text);
    stream.imbue(std::locale::classic());
    Value value{};
    if (!(stream >> value)) throw std::invalid_argument("a number is out of range");
    return value;
}

}  // namespace warmdemo
