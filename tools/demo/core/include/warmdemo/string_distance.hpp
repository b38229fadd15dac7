#pragma once

#include <cstddef>
#include <string_view>

namespace warmdemo {

/// The least number of insertions, deletions and substitutions that turn one text into the other.
template <class Char>
std::size_t levenshtein(std::basic_string_view<Char> a, std::basic_string_view<Char> b);

/// As above, with the swap of two neighbours as one more edit. This is the unrestricted distance: a
/// swapped pair may be edited again, so the triangle inequality holds.
template <class Char>
std::size_t damerau_levenshtein(std::basic_string_view<Char> a, std::basic_string_view<Char> b);

/// Jaro's similarity with Winkler's bonus for a common prefix: from 0 to 1 for equal texts.
template <class Char>
double jaro_winkler(std::basic_string_view<Char> a, std::basic_string_view<Char> b);

/// The cosine of the angle between the texts' counts of n-grams, from 0 to 1.
template <class Char>
double ngram_similarity(std::basic_string_view<Char> a, std::basic_string_view<Char> b,
                        std::size_t n);

}  // namespace warmdemo
