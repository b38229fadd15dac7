#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace warmdemo {

template <class Char>
using Setting = std::variant<bool, std::int64_t, double, std::basic_string<Char>>;

template <class Char>
using Settings = std::map<std::basic_string<Char>, Setting<Char>>;

/// Reads lines of the form `name = value  # comment`. Values are booleans, numbers or quoted text;
/// a `[section]` puts its name and a dot before the names that follow.
template <class Char>
Settings<Char> parse_settings(std::basic_string_view<Char> text);

/// Replaces every `${name}` by the setting of that name; std::out_of_range if there is none.
template <class Char>
std::basic_string<Char> expand(std::basic_string_view<Char> text, const Settings<Char>& settings);

}  // namespace warmdemo
