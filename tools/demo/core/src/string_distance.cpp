#include "warmdemo/string_distance.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

namespace warmdemo {
namespace {

/// A table over both texts, one larger each way for the empty prefixes.
class Table {
public:
    Table(std::size_t rows, std::size_t columns) : columns_(columns), cells_(rows * columns) {}
    std::size_t& operator()(std::size_t i, std::size_t j) { return cells_[i * columns_ + j]; }

private:
    std::size_t columns_;
    std::vector<std::size_t> cells_;
};

}  // namespace

template <class Char>
std::size_t levenshtein(std::basic_string_view<Char> a, std::basic_string_view<Char> b) {
    // Equal ends cost nothing, and texts that are compared often differ in the middle only.
    while (!a.empty() && !b.empty() && a.front() == b.front()) {
        a.remove_prefix(1);
        b.remove_prefix(1);
    }
    while (!a.empty() && !b.empty() && a.back() == b.back()) {
        a.remove_suffix(1);
        b.remove_suffix(1);
    }
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t edited = std::min(row[j], row[j + 1]) + 1;
            const std::size_t kept = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = std::exchange(row[j + 1], std::min(edited, kept));
        }
    }
    return row.back();
}

template <class Char>
std::size_t damerau_levenshtein(std::basic_string_view<Char> a, std::basic_string_view<Char> b) {
    // Lowrance's and Wagner's table has a border that no path takes: its cost is beyond all others.
    const std::size_t infinite = a.size() + b.size();
    Table cost(a.size() + 2, b.size() + 2);
    cost(0, 0) = infinite;
    for (std::size_t i = 0; i <= a.size(); ++i) {
        cost(i + 1, 0) = infinite;
        cost(i + 1, 1) = i;
    }
    for (std::size_t j = 0; j <= b.size(); ++j) {
        cost(0, j + 1) = infinite;
        cost(1, j + 1) = j;
    }
    std::map<Char, std::size_t> last_row;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t last_column = 0;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto found = last_row.find(b[j - 1]);
            const std::size_t row = found == last_row.end() ? 0 : found->second;
            const std::size_t column = last_column;
            const bool equal = a[i - 1] == b[j - 1];
            if (equal) last_column = j;
            cost(i + 1, j + 1) =
                std::min({cost(i, j) + (equal ? 0 : 1), cost(i + 1, j) + 1, cost(i, j + 1) + 1,
                          cost(row, column) + (i - row - 1) + 1 + (j - column - 1)});
        }
        last_row[a[i - 1]] = i;
    }
    return cost(a.size() + 1, b.size() + 1);
}

template <class Char>
double jaro_winkler(std::basic_string_view<Char> a, std::basic_string_view<Char> b) {
    if (a.empty() && b.empty()) return 1;
    const std::size_t half = std::max(a.size(), b.size()) / 2, reach = half > 0 ? half - 1 : 0;
    std::vector<bool> taken(b.size());
    std::basic_string<Char> matched_a, matched_b;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const std::size_t first = i > reach ? i - reach : 0;
        for (std::size_t j = first; j < std::min(b.size(), i + reach + 1); ++j)
            if (!taken[j] && a[i] == b[j]) {
                taken[j] = true;
                matched_a.push_back(a[i]);
                break;
            }
    }
    if (matched_a.empty()) return 0;
    for (std::size_t j = 0; j < b.size(); ++j)
        if (taken[j]) matched_b.push_back(b[j]);
    std::size_t displaced = 0;
    for (std::size_t k = 0; k < matched_a.size(); ++k) displaced += matched_a[k] != matched_b[k];

    const auto matches = static_cast<double>(matched_a.size());
    const double jaro =
        (matches / static_cast<double>(a.size()) + matches / static_cast<double>(b.size()) +
         (matches - static_cast<double>(displaced) / 2) / matches) /
        3;
    std::size_t prefix = 0;
    while (prefix < std::min({a.size(), b.size(), std::size_t{4}}) && a[prefix] == b[prefix])
        ++prefix;
    return jaro + static_cast<double>(prefix) * 0.1 * (1 - jaro);
}

template <class Char>
double ngram_similarity(std::basic_string_view<Char> a, std::basic_string_view<Char> b,
                        std::size_t n) {
    if (n == 0) throw std::invalid_argument("an n-gram has at least one character");
    struct Counts {
        double a = 0;
        double b = 0;
    };
    std::map<std::basic_string_view<Char>, Counts> grams;
    for (std::size_t i = 0; i + n <= a.size(); ++i) ++grams[a.substr(i, n)].a;
    for (std::size_t i = 0; i + n <= b.size(); ++i) ++grams[b.substr(i, n)].b;
    double product = 0, norm_a = 0, norm_b = 0;
    for (const auto& [gram, counts] : grams) {
        product += counts.a * counts.b;
        norm_a += counts.a * counts.a;
        norm_b += counts.b * counts.b;
    }
    if (norm_a == 0 || norm_b == 0) return a == b ? 1 : 0;
    return product / std::sqrt(norm_a * norm_b);
}

#define WARMDEMO_INSTANTIATE(Char)                                                                \
    template std::size_t levenshtein(std::basic_string_view<Char>, std::basic_string_view<Char>); \
    template std::size_t damerau_levenshtein(std::basic_string_view<Char>,                        \
                                             std::basic_string_view<Char>);                       \
    template double jaro_winkler(std::basic_string_view<Char>, std::basic_string_view<Char>);     \
    template double ngram_similarity(std::basic_string_view<Char>, std::basic_string_view<Char>,  \
                                     std::size_t);

WARMDEMO_INSTANTIATE(char)
WARMDEMO_INSTANTIATE(wchar_t)
WARMDEMO_INSTANTIATE(char16_t)
WARMDEMO_INSTANTIATE(char32_t)

}  // namespace warmdemo
