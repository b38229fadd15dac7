#include "warmdemo/tokenizer.hpp"

#include <stdexcept>

#include "warmdemo/text.hpp"

namespace warmdemo {
namespace {

constexpr std::string_view token_pattern =
    R"(\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|([-+*/^(),=])))";

}  // namespace

template <class Char>
std::vector<Token<Char>> tokenize(std::basic_string_view<Char> text) {
    static const auto token = pattern<Char>(token_pattern);
    static const auto blank = pattern<Char>(R"(\s*)");
    std::vector<Token<Char>> tokens;
    const Char* position = text.data();
    const Char* const last = position + text.size();
    std::match_results<const Char*> match;
    while (
        std::regex_search(position, last, match, token, std::regex_constants::match_continuous)) {
        if (match[1].matched)
            tokens.push_back(Number{read_number<long double>(match.str(1))});
        else if (match[2].matched)
            tokens.push_back(Name<Char>{match.str(2)});
        else
            tokens.push_back(Operator<Char>{*match[3].first});
        position = match[0].second;
    }
    if (!std::regex_match(position, last, blank))
        throw std::invalid_argument("unexpected character after position " +
                                    std::to_string(position - text.data()));
    return tokens;
}

template std::vector<Token<char>> tokenize(std::basic_string_view<char>);
template std::vector<Token<wchar_t>> tokenize(std::basic_string_view<wchar_t>);

}  // namespace warmdemo
